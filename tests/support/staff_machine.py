"""staff_machine.py: a whole machine for staff to sign in to: real sshd, sudo, su, login, cron over the module.

It is a mount and process namespace of its own with overlays on /etc, /dev and the folder of PAM modules: the tests write
/etc/pam.d/sshd, /etc/passwd and /dev/log as an operator and systemd would, and the machine around sees nothing of it.
Needs root.  Everything that runs inside ends with the namespace."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import pexpect

import pam_world
import staff_host
import world as worlds

SECURITY = pathlib.Path("/usr/lib/x86_64-linux-gnu/security")
PACKAGING = worlds.TOP / "packaging/pam.d"

# Process 1 of the namespace: it mounts, says so, and reaps what is left to it until it is killed.
HOLDER = r"""
import os, signal, subprocess, sys, threading
top, security = sys.argv[1], sys.argv[2]
def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)
mount("-t", "tmpfs", "-o", "mode=755", "none", top)
for name, target in (("etc", "/etc"), ("dev", "/dev"), ("security", security), ("libexec", "/usr/libexec"),
                     ("configs", "/usr/share/pam-configs"), ("libpam", "/var/lib/pam")):
    os.makedirs(f"{top}/{name}/upper"); os.makedirs(f"{top}/{name}/work")
    subprocess.run(["mkdir", "-p", target], check=True)
    if name == "dev":
        os.makedirs(f"{top}/kept/pts"); os.makedirs(f"{top}/kept/shm")
        mount("--rbind", "/dev/pts", f"{top}/kept/pts")
    mount("-t", "overlay", "-o", f"lowerdir={target},upperdir={top}/{name}/upper,workdir={top}/{name}/work", "overlay", target)
mount("--move", f"{top}/kept/pts", "/dev/pts")
for target in ("/run", "/var/log", "/home", "/var/spool", "/dev/shm"):
    mount("-t", "tmpfs", "-o", "mode=1777" if target == "/dev/shm" else "mode=755", "none", target)
for folder in ("/run/sshd", "/run/lock", "/var/spool/cron/crontabs", "/var/spool/cron/atjobs", "/var/spool/cron/atspool"):
    os.makedirs(folder, exist_ok=True)
for log in ("/var/log/lastlog", "/var/log/wtmp", "/var/log/btmp", "/run/utmp"):
    open(log, "w").close()
    os.chmod(log, 0o600 if log.endswith("btmp") else 0o644)
subprocess.run(["hostname", "web1"], check=True)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
# a test run that was killed takes its machine with it
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print("ready", flush=True)
while True:
    signal.sigwait({signal.SIGCHLD})
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass
"""


class Syslog:
    """/dev/log of the machine: keeps every datagram, as pam_world's capture does."""

    def __init__(self, path):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        os.chmod(path, 0o666)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        with contextlib.suppress(OSError):
            while True:
                datagram = self.socket.recv(8192).decode("utf-8", "replace")
                match = re.match(r"<(\d+)>(.*)", datagram, re.DOTALL)
                self.lines.append(f"{int(match[1]) & 7} {match[2]}")

    def mark(self):
        return len(self.lines)

    def since(self, mark):
        return list(self.lines[mark:])

    def close(self):
        self.socket.close()


class StaffMachine(staff_host.StaffHost):
    """The host of staff_host with a root file system of its own around it.

    The module under test is the one of the build with the paths of an installation under /usr and /etc."""

    def __init__(self, cluster):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="cf-machine-"))
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
             "/usr/bin/python3", "-c", HOLDER, str(self.top), str(SECURITY)], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"ready\n", "the namespace could not be made"
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.pid = int(children[0])
        self.root = pathlib.Path(f"/proc/{self.pid}/root")
        self.syslog = Syslog(self.path("/dev/log"))
        self.services = []
        self._install()
        super().__init__(cluster, "machine")
        self.next_uid = 70000

    def path(self, inside):
        """Where a path of the machine is seen from here."""
        return self.root / str(inside).lstrip("/")

    def _install(self):
        shutil.copy(pam_world.BUILT / ".libs/pam_counterfoil.so", self.path(SECURITY) / "pam_counterfoil.so")
        folder = self.path("/usr/libexec/counterfoil")
        folder.mkdir(mode=0o755)
        shutil.copy(pam_world.BUILT / "pam-helper", folder / "pam-helper")
        folder = self.path("/etc/counterfoil")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)

    # configuration, where an operator has it

    @property
    def conf(self):
        return self.path("/etc/counterfoil/pam.conf")

    @conf.setter
    def conf(self, value):
        del value

    @property
    def helper_conf(self):
        return self.path("/etc/counterfoil/pam-helper.conf")

    @helper_conf.setter
    def helper_conf(self, value):
        del value

    def stack_file(self, service, shipped=None, text=None):
        """Put a stack of packaging/pam.d, to the letter, or TEXT, in the place of /etc/pam.d/SERVICE."""
        self.path(f"/etc/pam.d/{service}").write_text(text if text is not None else (PACKAGING / shipped).read_text())

    # people with an account on the machine too

    def settle(self, login, password=None, groups=()):
        """A user of the machine; PASSWORD is that of /etc/shadow."""
        uid = self.next_uid
        self.next_uid += 1
        run = self.run_inside
        run("groupadd", "-g", str(uid), login)
        run("useradd", "-m", "-u", str(uid), "-g", str(uid), "-s", "/bin/bash",
            *(["-G", ",".join(groups)] if groups else []), login)
        if password is not None:
            run("chpasswd", input=f"{login}:{password}\n")
        return uid

    def hire_elsewhere(self):
        """Somebody without an account on this machine."""
        return super().hire()

    def hire(self, login=None, password=None, enrolled=True, unix_password=None, groups=()):
        person = super().hire(login, password, enrolled)
        self.settle(person.login, unix_password, groups)
        return person

    # running

    def inside(self, *command):
        return ["nsenter", "-t", str(self.pid), "--mount", "--uts", "--pid", "--", *map(str, command)]

    def run_inside(self, *command, check=True, **options):
        options.setdefault("timeout", 60)
        done = subprocess.run(self.inside(*command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd="/", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}, check=False,
                              **options)
        if check and done.returncode != 0:
            raise worlds.WorldError(f"{command}: {done.returncode}\n{done.stdout}")
        return done

    def spawn_inside(self, *command, **options):
        """On a terminal, for a test to talk to."""
        program = self.inside(*command)
        options.setdefault("env", {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb"})
        timeout = options.pop("timeout", 60)
        return pexpect.spawn(program[0], program[1:], timeout=timeout, encoding="utf-8", cwd="/", **options)

    def start_inside(self, *command, **options):
        """A server of the machine; it ends with it."""
        process = subprocess.Popen(self.inside(*command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd="/",
                                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **options})
        self.services.append(process)
        return process

    @contextlib.contextmanager
    def read_only(self, *mounts):
        """Nothing can be written there; the machine around notices nothing."""
        done = []
        try:
            for mount in mounts:
                self.run_inside("mount", "-o", "remount,bind,ro", mount)
                done.append(mount)
            yield
        finally:
            for mount in done:
                self.run_inside("mount", "-o", "remount,bind,rw", mount)

    # the log

    def entries(self, mark, count=1, event=None, timeout_s=60):
        """The module's lines since MARK, once there are COUNT of them."""
        def found():
            entries = [pam_world.Entry(line) for line in self.syslog.since(mark) if "event=" in line and "pam_counterfoil(" in line]
            entries = [entry for entry in entries if event is None or entry["event"] == event]
            return entries if len(entries) >= count else None
        return worlds.wait_until(found, f"{count} lines of the module in the log: {self.syslog.since(mark)}", timeout_s)

    def stop(self):
        for process in self.services:
            with contextlib.suppress(OSError):
                process.kill()
            process.wait()
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
        self.syslog.close()
        shutil.rmtree(self.top, ignore_errors=True)
        super().stop()


class Sshd:
    """sshd of the machine on a free port of loopback, with keys and configuration of its own."""

    DEFAULTS = {"UsePAM": "yes", "KbdInteractiveAuthentication": "yes", "PasswordAuthentication": "no",
                "PermitRootLogin": "no", "LoginGraceTime": "120", "UseDNS": "no", "LogLevel": "VERBOSE",
                "StrictModes": "yes", "PrintMotd": "no", "Subsystem": "sftp internal-sftp"}

    def __init__(self, machine, settings=None, program=("/usr/sbin/sshd",)):
        self.machine = machine
        self.port = worlds.free_port()
        self.client = machine.directory / f"ssh-{self.port}"
        self.client.mkdir()
        self.settings = {**self.DEFAULTS, **(settings or {})}
        self.keys = machine.path(f"/etc/ssh/test-{self.port}")
        self.keys.mkdir(parents=True)
        worlds.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.keys / "host", "-C", "")
        public = (self.keys / "host.pub").read_text()
        (self.client / "known_hosts").write_text(f"machine {public}")
        lines = {"Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": f"/etc/ssh/test-{self.port}/host",
                 "PidFile": f"/run/sshd-{self.port}.pid", **self.settings}
        (self.keys / "config").write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
        self.configuration = f"/etc/ssh/test-{self.port}/config"
        self.process = machine.start_inside(*program, "-D", "-f", self.configuration)
        worlds.wait_until(self._listens, "sshd to listen")

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def key(self, login):
        """A key pair of LOGIN's, which sshd will accept; returns the path of the private half."""
        private = self.client / f"{login}-key"
        worlds.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", private, "-C", "")
        folder = self.machine.path(f"/home/{login}/.ssh")
        folder.mkdir(mode=0o700)
        (folder / "authorized_keys").write_text(private.with_suffix(".pub").read_text() if private.suffix else
                                                pathlib.Path(f"{private}.pub").read_text())
        uid = folder.parent.stat().st_uid
        for path in (folder, folder / "authorized_keys"):
            os.chown(path, uid, uid)
        return private

    def options(self, **changes):
        settings = {"UserKnownHostsFile": self.client / "known_hosts", "StrictHostKeyChecking": "yes", "HostKeyAlias": "machine",
                    "PreferredAuthentications": "keyboard-interactive", "NumberOfPasswordPrompts": "1",
                    "IdentitiesOnly": "yes", "GlobalKnownHostsFile": "/dev/null", "ConnectTimeout": "20",
                    "LogLevel": "ERROR", **changes}
        return [part for key, value in settings.items() if value is not None for part in ("-o", f"{key}={value}")]

    def ssh(self, login, command=(), key=None, arguments=(), host="127.0.0.1", port=None, through=(), **changes):
        """The client on a terminal: what it asks, a test answers.  THROUGH: the command that starts the client.
        The client refuses to take some names from its command line, so the name is a setting."""
        identity = ["-i", str(key)] if key else []
        program = [*through, "ssh", "-F", "none", "-p", str(port or self.port), "-o", f'User="{login}"', *self.options(**changes),
                   *identity, *map(str, arguments), host, *command]
        return pexpect.spawn(program[0], program[1:], timeout=60, encoding="utf-8",
                             env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "dumb"})

    def stop(self):
        """nsenter stands between us and sshd, so it is told by its number."""
        pid = self.machine.path(f"/run/sshd-{self.port}.pid").read_text().strip()
        self.machine.run_inside("kill", pid)
        self.process.wait()


def answer(spawned, pattern, text):
    """Answer a hidden prompt.  Programs show it, then turn the echo off and drop what was typed before: wait for that."""
    spawned.expect(pattern)
    shown = spawned.before + spawned.after
    spawned.waitnoecho(10)
    spawned.sendline(text)
    return shown


def converse(spawned, steps, end=pexpect.EOF):
    """Answer each hidden prompt: [(pattern, answer), ...]; returns everything that was shown, to the end."""
    shown = "".join(answer(spawned, pattern, text) for pattern, text in steps)
    spawned.expect(end)
    return shown + spawned.before + (spawned.after if isinstance(spawned.after, str) else "")


class Talk:
    """One attempt to sign in by ssh: the prompts as the person saw them, and whether it led to a shell."""

    def __init__(self, spawned, answers):
        self.prompts = []
        self.output = ""
        answers = list(answers)
        while True:
            index = spawned.expect([r"([^\r\n]*?(?:[Pp]assword|code)[^\r\n:]*: ?)", r"granted-([\w-]+)\r", pexpect.EOF])
            self.output += (spawned.before or "") + (spawned.after if isinstance(spawned.after, str) else "")
            if index == 0 and answers:
                self.prompts.append(re.sub(r"^\(.*?\) ", "", spawned.match[1]))
                spawned.sendline(answers.pop(0))
            elif index == 1:
                self.granted = spawned.match[1]
                spawned.expect(pexpect.EOF)
                break
            else:
                self.granted = None
                break
        spawned.close(force=True)
        self.status = spawned.exitstatus
