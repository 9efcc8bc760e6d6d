"""One alarm is not written two hundred times: critical lines that say the same are held back for ten seconds, and counted,
where the installation has put a file for that.  Without it, or with a bad one, every call writes its line."""

import contextlib
import fcntl
import os
import resource
import struct
import subprocess

import pam_world
import pytest

RECORD = 1024           # pam_module/repeats.c: seconds since boot, how many were held back, identity
FILE = 16 * RECORD


class Alarmed(pam_world.Application):
    """An application whose pam.conf is broken, and the file in which the module remembers its alarms."""

    def __init__(self, directory):
        super().__init__(directory)
        self.file = self.directory / "repeats"
        self.make()
        self.configure(text="[default]\nnonsense = 1\n")

    def make(self, content=b""):
        self.file.unlink(missing_ok=True)
        self.file.write_bytes(content)
        self.file.chmod(0o600)

    def call(self, *operations, **options):
        """The lines; whatever the file is, each call is refused as ever."""
        done = self.run(*(operations or ("auth",)), environment={"COUNTERFOIL_FAKE_REPEATS": str(self.file)}, **options)
        assert set(done.results.values()) <= {"SERVICE_ERR"}, done.results
        return done.log

    def pass_time(self, seconds=10):
        """What is remembered was so much longer ago."""
        content = bytearray(self.file.read_bytes())
        for at in range(0, len(content), RECORD):
            struct.pack_into("q", content, at, max(struct.unpack_from("q", content, at)[0] - seconds, 1))
        self.file.write_bytes(content)


@pytest.fixture
def alarmed(tmp_path):
    return Alarmed(tmp_path / "alarmed")


def held(entries):
    """How many each line says were held back before it."""
    return [int(entry.fields.get("repeated", 0)) for entry in entries]


def test_a_storm_of_alarms_is_one_line_and_ten_seconds_later_one_with_the_count(alarmed):
    [first] = alarmed.call(*["auth"] * 200)
    assert (first.priority, first["reason"]) == ("CRIT", "misconfigured") and "repeated" not in first.fields
    assert alarmed.call() == []
    alarmed.pass_time()
    [second] = alarmed.call()
    assert second["repeated"] == "200" and second["detail"] == first["detail"]
    alarmed.pass_time()
    assert held(alarmed.call()) == [0], "what was told is not told again"


def test_an_alarm_that_says_something_else_is_written_at_once(alarmed):
    assert len(alarmed.call(*["auth"] * 5)) == 1
    assert [entry["event"] for entry in alarmed.call("acct", "acct")] == ["account"], "another event"
    assert len(alarmed.call(*["auth"] * 5, service="other")) == 1, "another service"
    alarmed.configure(text="[default]\n\nnonsense = 1\n")
    assert len(alarmed.call(*["auth"] * 5)) == 1, "another line of the configuration"
    assert len(alarmed.call(*["auth"] * 5, user="nobody")) == 0, "another user is no other alarm"


def test_more_alarms_than_it_remembers_make_room_for_each_other(alarmed):
    for line in range(20):
        alarmed.configure(text="[default]\n" + "\n" * line + "nonsense = 1\n")
        assert len(alarmed.call("auth", "auth")) == 1
    assert alarmed.file.stat().st_size <= FILE


def test_what_is_no_critical_line_is_never_held_back(alarmed):
    alarmed.configure()
    for answer, priority in (("deny", "NOTICE"), ("unavailable", "ERR")):
        alarmed.helper(answer)
        done = alarmed.run(*["auth"] * 3, answers=["pw", "123456"] * 3,
                           environment={"COUNTERFOIL_FAKE_REPEATS": str(alarmed.file)})
        assert [entry.priority for entry in done.log] == [priority] * 3


def test_without_the_file_every_call_writes_its_line_and_makes_none(alarmed):
    alarmed.file.unlink()
    assert held(alarmed.call(*["auth"] * 20)) == [0] * 20
    assert not alarmed.file.exists()


def fifo(file):
    os.mkfifo(file, 0o600)


def link(file):
    (file.parent / "elsewhere").touch(0o600)
    file.symlink_to("elsewhere")


def hard_link(file):
    file.touch(0o600)
    os.link(file, file.parent / "second")


def of_another(file):
    if os.geteuid() != 0:
        pytest.skip("root alone gives files away")
    file.touch(0o600)
    os.chown(file, 65534, 65534)


def writable_by_all(file):
    file.touch()
    file.chmod(0o666)


def too_large(file):
    file.write_bytes(bytes(FILE + 1))


@pytest.mark.parametrize("make", [fifo, link, hard_link, of_another, writable_by_all, too_large, os.mkdir],
                         ids=lambda make: make.__name__)
def test_a_file_that_is_not_to_be_trusted_changes_nothing_but_the_limit(alarmed, make):
    alarmed.file.unlink()
    make(alarmed.file)
    before = os.lstat(alarmed.file)
    assert held(alarmed.call(*["auth"] * 5, options=["--state"])) == [0] * 5
    after = os.lstat(alarmed.file)
    assert (after.st_mode, after.st_size, after.st_mtime_ns) == (before.st_mode, before.st_size, before.st_mtime_ns)
    assert [path for path in alarmed.directory.iterdir() if path.name == "elsewhere" and path.stat().st_size] == []


@pytest.mark.parametrize("content", [b"\xff" * FILE, b"\x7f" * FILE, b"nonsense", os.urandom(FILE), b"\x01" + bytes(FILE - 1)],
                         ids=["ones", "far future", "short", "random", "zeros"])
def test_whatever_is_in_the_file_the_first_line_is_written_and_the_file_mends(alarmed, content):
    alarmed.make(content)
    assert held(alarmed.call(*["auth"] * 5)) == [0]
    alarmed.pass_time()
    assert held(alarmed.call()) == [4]


def test_a_time_that_has_not_come_is_no_reason_to_be_silent(alarmed):
    assert len(alarmed.call("auth", "auth")) == 1
    alarmed.pass_time(-1000)
    assert len(alarmed.call("auth", "auth")) == 1


def test_while_another_process_has_the_file_the_line_is_written_and_nobody_waits(alarmed):
    with open(alarmed.file, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert held(alarmed.call(*["auth"] * 5)) == [0] * 5


@contextlib.contextmanager
def no_file_larger_than(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_host_that_may_write_no_such_file_is_not_ended_by_a_signal(alarmed):
    """The last place in the file is the one to be written."""
    now = int(float(open("/proc/uptime", encoding="ascii").read().split()[0]))
    alarmed.make(b"".join(struct.pack("q", max(now - number, 1)).ljust(RECORD, b"x") for number in range(16)))
    with no_file_larger_than(FILE - RECORD):
        assert held(alarmed.call(*["auth"] * 5)) == [0] * 5


def test_of_processes_at_once_no_line_is_lost_that_nobody_counts(alarmed):
    """Lines written and held back are as many as calls: without its lock the file would lose some."""
    arguments, environment = alarmed._command(["auth"], None, "root", (), "", ["--quiet", "--repeat", "999"], True,
                                              {"COUNTERFOIL_FAKE_REPEATS": str(alarmed.file)}, None)
    processes = [subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=environment) for _ in range(4)]
    assert [process.wait(300) for process in processes] == [0] * 4
    written = pam_world.entries_of(alarmed.log)
    alarmed.pass_time()
    last = alarmed.call()
    assert 0 < len(written) < 4000 and len(last) == 1
    assert len(written) + sum(held(written + last)) == 4000


def test_a_thousand_alarms_leave_the_host_as_it_was(alarmed):
    done = alarmed.run("auth", options=["--quiet", "--repeat", "1000", "--state"],
                       environment={"COUNTERFOIL_FAKE_REPEATS": str(alarmed.file)})
    assert done.state == "state same" and len(done.log) < 100
