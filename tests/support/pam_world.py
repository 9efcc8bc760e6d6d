"""pam_world.py: applications of PAM around the module, with a helper that does what a test says.

    Application   a PAM service in a folder of its own, run by pam_driver without root and without /etc
    Entry         one line that went to syslog

The real helper, sshd and friends are in staff_host.py."""

import functools
import os
import pathlib
import re
import shlex
import subprocess

import world as worlds

BUILT = worlds.OBJ / "tests/pam"
FAKE_MODULE = BUILT / ".libs/pam_fake.so"
CAPTURE = BUILT / ".libs/capture_syslog.so"
HURRY = {"LD_PRELOAD": f"{CAPTURE} {BUILT / '.libs/hurry.so'}", "HURRY_HANGS": "yes"}     # tests/pam/hurry.c

# <security/_pam_types.h>
CODES = {name: number for number, name in enumerate((
    "SUCCESS", "OPEN_ERR", "SYMBOL_ERR", "SERVICE_ERR", "SYSTEM_ERR", "BUF_ERR", "PERM_DENIED", "AUTH_ERR",
    "CRED_INSUFFICIENT", "AUTHINFO_UNAVAIL", "USER_UNKNOWN", "MAXTRIES", "NEW_AUTHTOK_REQD", "ACCT_EXPIRED", "SESSION_ERR",
    "CRED_UNAVAIL", "CRED_EXPIRED", "CRED_ERR", "NO_MODULE_DATA", "CONV_ERR", "AUTHTOK_ERR", "AUTHTOK_RECOVERY_ERR",
    "AUTHTOK_LOCK_BUSY", "AUTHTOK_DISABLE_AGING", "TRY_AGAIN", "IGNORE", "ABORT", "AUTHTOK_EXPIRED",
    "MODULE_UNKNOWN"))}
NAMES = {number: name for name, number in CODES.items()}
PRIORITIES = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")

# pam_module/answer.h
ANSWERS = {"allow": 0x5AFE, "deny": 1, "unknown_user": 2, "not_enrolled": 3, "throttled": 4, "unavailable": 5, "unusable": 6,
           "refused": 7, "misconfigured": 8, "no_memory": 9, "internal": 10, "locked": 11, "expired": 12,
           "change_required": 13, "password_refused": 14, "not_own_account": 15, "enroll_started": 16}


class Entry:
    """A line of the log: priority, the module's own fields, and the text as it was."""

    def __init__(self, line):
        priority, self.text = line.split(" ", 1)
        self.priority = PRIORITIES[int(priority)]

    @functools.cached_property
    def fields(self):
        if "event=" not in self.text:
            return {}
        words = shlex.split(self.text[self.text.index("event="):].replace("\\", "\\\\"))
        return {key: value for key, _, value in (word.partition("=") for word in words)}

    def __getitem__(self, key):
        return self.fields[key]

    def __repr__(self):
        return f"<{self.priority} {self.text}>"


def entries_of(path, program="pam_"):
    """The lines that the module wrote, oldest first."""
    path = pathlib.Path(path)
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return [Entry(line) for line in lines if "event=" in line and program in line]


class Outcome:
    """What an application's run came to."""

    def __init__(self, lines, log):
        self.lines = lines
        self.log = log
        self.prompts = [line for line in lines if line.startswith("prompt ")]
        self.told = [line for line in lines if line.startswith(("error ", "info "))]
        self.state = next((line for line in lines if line.startswith("state ")), None)
        self.items = dict(re.match(r"item (\S+) (.*)", line).groups() for line in lines if line.startswith("item "))
        self.results = {}
        for line in lines:
            match = re.fullmatch(r"(auth|setcred|acct|open|close|chauthtok) (\d+)", line)
            if match:
                self.results[match[1]] = NAMES[int(match[2])]

    def __getitem__(self, operation):
        return self.results[operation]

    @property
    def entry(self):
        """The one line of the log."""
        assert len(self.log) == 1, self.log
        return self.log[0]

    def agrees(self):
        """Does each line of the log name the code that the application got?"""
        events = {"auth": "auth", "account": "acct", "password": "chauthtok"}
        last = {entry["event"]: entry["pam"] for entry in self.log}
        return all(self.results.get(events[event], code) == code for event, code in last.items() if event in events)


def itself(attempt):
    """The Outcome of ATTEMPT(), in which the helper is to say in time why it gives up.  It does so half a second before
    the module ends it; where a busy machine has started it later than that, the attempt is made again."""
    for _ in range(3):
        done = attempt()
        if done.entry["reason"] != "helper_timeout":
            break
    return done


class Application:
    """A PAM service of its own folder, whose module has the scripted helper."""

    def __init__(self, directory, module=FAKE_MODULE, service="desk"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.module = module
        self.conf = self.directory / "pam.conf"
        self.helper_conf = self.directory / "pam-helper.conf"
        self.requests = self.directory / "requests.txt"
        self.log = self.directory / "log"
        self.default_service = service
        self.configure()
        self.helper("allow")

    def configure(self, *lines, text=None, **keys):
        """pam.conf: [default] with KEYS, then LINES as they are; TEXT replaces it all."""
        keys.setdefault("fail_delay_ms", 0)
        if text is None:
            text = "[default]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)
            text += "".join(line + "\n" for line in lines)
        worlds.write_private(self.conf, text, 0o644)
        return self

    def helper(self, answer, **script):
        """What the helper replies from now on."""
        number = ANSWERS.get(answer, answer)
        worlds.write_private(self.helper_conf, "".join(
            f"{key} = {value}\n" for key, value in {"answer": number, **script}.items()))
        return self

    def stack(self, service, lines):
        (self.directory / service).write_text("".join(line + "\n" for line in lines))

    def asked(self):
        """What the helper was asked, a dict a request."""
        if not self.requests.exists():
            return []
        return [dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", line)) for line in self.requests.read_text().splitlines()]

    def run(self, *operations, service=None, user="root", answers=(), line="", options=(), conf=True, environment=None,
            stack=None):
        """Run the application; LINE is what stands behind the module in each line of the service."""
        arguments, environment = self._command(operations, service, user, answers, line, options, conf, environment, stack)
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                              timeout=300, check=False, env=environment)
        assert done.returncode == 0, (done.returncode, done.stderr, done.stdout)
        return Outcome(done.stdout.splitlines(), entries_of(self.log))

    def talk(self, answers, *operations, service=None, user="root", line="", options=(), environment=None):
        """The same with answers that are made when they are asked for: each a text, or a function of all that was shown until
        then, or the [name] of what a broken application does instead.  Without an answer left the conversation fails."""
        arguments, environment = self._command(operations, service, user, (), line, ["--from-stdin", *options], True,
                                               environment, None)
        left, lines = list(answers), []
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
            for read in process.stdout:
                if read != "answer?\n":
                    lines.append(read.rstrip("\n"))
                    continue
                answer = left.pop(0) if left else ["error"]
                answer = answer("\n".join(lines)) if callable(answer) else answer
                process.stdin.write(f"!{answer[0]}\n" if isinstance(answer, list) else f"={answer}\n")
                process.stdin.flush()
        assert process.returncode == 0
        return Outcome(lines, entries_of(self.log))

    def _command(self, operations, service, user, answers, line, options, conf, environment, stack):
        service = service or self.default_service
        for path in (self.requests, self.log):
            path.unlink(missing_ok=True)
        where = f"conf={self.conf} " if conf else ""
        self.stack(service, stack or [f"{kind} required {self.module} {where}{line}"
                                      for kind in ("auth", "account", "password", "session")])
        arguments = ["--confdir", self.directory, "--service", service]
        arguments += ["--user", user] if user is not None else []
        for answer in answers:
            arguments += answer if isinstance(answer, list) else ["--answer", answer]
        return ([part if isinstance(part, bytes) else str(part)
                 for part in [BUILT / "pam_driver", *arguments, *options, *(operations or ("auth",))]],
                {**os.environ, "LD_PRELOAD": str(CAPTURE), "CAPTURE_SYSLOG": str(self.log), **(environment or {})})
