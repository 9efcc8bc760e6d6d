"""breakglass_host.py: a staff host with break-glass codes: its service comes and goes, and its clock is moved by hand.

    lock_byte   a lock of one byte
    issue_on    issuing on a StaffMachine
    Codes       the file of the codes as tests read and forge it, written from core/credential/breakglass_text.c
    Breakglass  issuing on a StaffHost, and helpers that ask a service which is there or away"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import struct
import time

import pam_wire
import pam_world
import world as worlds

FAULTS = pam_world.BUILT / ".libs/breakglass_faults.so"
CODE = r"^    ((?:[A-Z2-7]{4}-){5}[A-Z2-7]{4})$"
F_OFD_SETLK = 37                # which Python does not know
HELPER = pam_world.BUILT / "pam-helper-testclock"
ALLOW, DENY, NOT_ENROLLED, THROTTLED, UNAVAILABLE, MISCONFIGURED = (
    pam_world.ANSWERS[name] for name in ("allow", "deny", "not_enrolled", "throttled", "unavailable", "misconfigured"))


def issue_on(machine, person, count=8):
    """The codes that root of a StaffMachine makes for PERSON."""
    shutil.copy(pam_world.BUILT / "pam-breakglass", machine.path("/usr/libexec/counterfoil/pam-breakglass"))
    out = machine.run_inside("/usr/libexec/counterfoil/pam-breakglass", "--count", count, "issue", person.login).stdout
    return re.findall(CODE, out, re.M)


def lock_byte(file, at):
    """As helpers do, until FILE is closed."""
    fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, at, 1, 0))


class Codes:
    """The file, line by line."""

    def __init__(self, directory):
        self.path = directory / "codes"

    def lines(self):
        return self.path.read_text().splitlines()

    def having(self, keyword):
        return [line.split()[1:] for line in self.lines() if line.startswith(keyword + " ")]

    def left(self, login):
        """How many codes of LOGIN there are; None: it is not in the file."""
        count = None
        for line in self.lines():
            if line.startswith("person "):
                count = 0 if line.split()[1] == login.encode().hex() else None
                found = count is not None
            elif line.startswith("code ") and count is not None:
                count += 1
            if count is not None and not line.startswith(("person ", "code ")):
                return count
        return count if count is not None and found else None

    def write(self, text):
        """TEXT, without its last line, as one who knows the form would write it."""
        digest = hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
        self.raw(f"{text}end {digest}\n".encode())

    def body(self):
        text = self.path.read_text()
        return text[:text.rindex("end ")]

    def pretend_outage(self, offset_s=0):
        """As if the service had been away for two minutes, by a clock that is OFFSET_S ahead."""
        now = int(time.time()) + offset_s
        self.write(re.sub(r"^outage .*", f"outage {now - 120} {now} 5", self.body(), flags=re.M))

    @contextlib.contextmanager
    def locked(self):
        """While another helper would be at work on it.  Yields a function that waits until somebody waits for the lock."""
        with open(self.path.parent / "lock", "r+b") as lock:
            lock_byte(lock, 0)
            waiting = re.compile(rf"-> OFDLCK .*:{os.stat(lock.fileno()).st_ino} 0 0$", re.M)
            yield lambda: worlds.wait_until(lambda: waiting.search(pathlib.Path("/proc/locks").read_text()),
                                            "somebody waits for the lock")

    def raw(self, data, mode=0o400):
        self.path.unlink(missing_ok=True)
        self.path.write_bytes(data)
        self.path.chmod(mode)


class Breakglass:
    """Break-glass on HOST, a StaffHost."""

    def __init__(self, host):
        self.host = host
        host.write_helper_conf()
        self.directory = host.directory / "breakglass"
        self.codes = Codes(self.directory)
        self.clock = host.directory / "clock"
        self.syslog = host.directory / "helper-log"
        self.now = 0
        self.advance(0)

    def clear(self):
        """As on a host where nothing was ever issued, with the clock of everybody else."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.syslog.unlink(missing_ok=True)
        self.now = 0
        self.advance(0)

    def advance(self, seconds):
        self.now += seconds
        worlds.write_private(self.clock, f"{self.now}\n")

    # the tool

    def run(self, *arguments, **options):
        return worlds.run(worlds.installed("counterfoil"), "--config", self.host.conf, "breakglass", *arguments, **options)

    def issue(self, person, count=8):
        """The codes, as the person gets them."""
        out = self.run("issue", person.login, "--count", count)
        codes = re.findall(CODE, out, re.M)
        assert len(codes) == count, out
        return codes

    # helpers

    def code(self, person):
        """The one that is good by the helper's clock."""
        return worlds.totp(person.seed, time.time() + self.now)

    def conf(self, away):
        """pam-helper.conf, or one that leads to a port where nobody listens."""
        if not away:
            return self.host.helper_conf
        text = re.sub(r" port=\d+ ", " port=1 ", self.host.helper_conf.read_text())
        path = self.host.directory / "away.conf"
        if not path.exists() or path.read_text() != text:
            worlds.write_private(path, text)
        return path

    def ask(self, person, code="000000", away=True, offline="yes", factors="otp", faults=None, **options):
        login = getattr(person, "login", person)
        data = pam_wire.request(login, factors=factors, code=code, offline=offline, password=options.pop("password", None),
                                **options)
        environment = {"COUNTERFOIL_TEST_CLOCK": str(self.clock), "CAPTURE_SYSLOG": str(self.syslog),
                       "LD_PRELOAD": f"{pam_world.CAPTURE} {FAULTS}" if faults is not None else str(pam_world.CAPTURE)}
        environment.update(faults or {})
        return pam_wire.ask(HELPER, self.conf(away), data, environment=environment)[0]

    def outage(self, person, seconds=61):
        """Three failures in a row, the last SECONDS behind the first."""
        for wait in (0, 1, seconds - 1):
            self.advance(wait)
            assert self.ask(person)["answer"] == UNAVAILABLE

    def alerts(self):
        """What the helper told syslog as an alert."""
        lines = self.syslog.read_text().splitlines() if self.syslog.exists() else []
        return [line for line in lines if line.startswith("1 ")]
