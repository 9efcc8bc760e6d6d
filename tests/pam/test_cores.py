"""Cores, as the kernel writes them: neither what was typed nor half of it is in one, of the application or of the helper."""

import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess

import psycopg2
import pytest

import pam_wire
import pam_world
import world as worlds

PASSWORD, CODE, RECOVERY = "chestnut-canary-7341", "739154", "KFXV-2LQD-HWTN-ZE3R-B6JM-YACS"
CARELESS = pam_world.BUILT / ".libs/careless.so"
PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()

# the pattern is the whole machine's, so no test changes it
pytestmark = pytest.mark.skipif(PATTERN[0] in "|/", reason="the kernel of this machine keeps cores elsewhere")


def pieces(*secrets):
    """Each secret, as it was typed and as it is verified, and its halves where these are no everyday bytes."""
    found = set()
    for secret in secrets:
        for form in (secret, secret.replace("-", "")):
            half = len(form) // 2
            found |= {form, form[:half], form[half:]} if half >= 6 else {form}
    return [piece.encode() for piece in found]


def leave_cores():
    """In a child: as many bytes as it takes."""
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def core_in(folder):
    """The bytes of the core in FOLDER; None: there is none."""
    cores = list(folder.glob("core*"))
    assert len(cores) <= 1
    return cores[0].read_bytes() if cores else None


def core_of_application(desk, folder, code, line, careless):
    """Of one that dies behind pam_end()."""
    desk.stack("scan", [f"auth required {desk.module} conf={desk.conf} {line}"])
    folder.mkdir()
    desk.requests.unlink(missing_ok=True)
    preload = f"{pam_world.CAPTURE} {CARELESS}" if careless else str(pam_world.CAPTURE)
    done = subprocess.run([pam_world.BUILT / "memory_canary", desk.directory, "scan", "combined" if "combined" in line else "apart",
                           "core"], input=f"{PASSWORD}\n{code}\n", text=True, capture_output=True, timeout=60, check=False,
                          env={"LD_PRELOAD": preload}, cwd=folder, preexec_fn=leave_cores)
    assert done.returncode == -signal.SIGABRT, done
    assert code in desk.requests.read_text() or code.replace("-", "") in desk.requests.read_text()
    return core_in(folder)


@pytest.mark.skipif(worlds.sanitized(), reason="a sanitizer's shadow has no core")
def test_a_core_of_the_application_behind_pam_end_has_neither_password_nor_code_nor_half_of_one(desk, tmp_path):
    ways = [(answer, code, line) for answer in ("allow", "deny") for code in (CODE, RECOVERY)
            for line in ("", "forward_pass", "factors=combined")]
    for number, (answer, code, line) in enumerate(ways):
        desk.helper(answer)
        core = core_of_application(desk, tmp_path / str(number), code, line, careless=False)
        assert core.startswith(b"\x7fELF")
        assert [piece for piece in pieces(PASSWORD, code) if piece in core] == [], (answer, code, line)


@pytest.mark.skipif(worlds.sanitized(), reason="a sanitizer's shadow has no core")
def test_a_module_that_wipes_nothing_is_found_out_by_its_core(desk, tmp_path):
    core = core_of_application(desk, tmp_path / "core", RECOVERY, "", careless=True)
    assert PASSWORD.encode() in core and (RECOVERY.encode() in core or RECOVERY.replace("-", "").encode() in core)


# --- the helper ------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def held_helper(staff, person, code, folder, environment):
    """A helper that has a request of PERSON's, and waits for its database."""
    with contextlib.closing(psycopg2.connect(staff.postgres.url(staff.installation.database))) as holder:
        holder.cursor().execute("LOCK TABLE counterfoil.challenge")
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                helper = subprocess.Popen([worlds.installed("pam-helper"), "--config", staff.helper_conf], stdin=theirs,
                                          env=environment, cwd=folder, preexec_fn=leave_cores)
            ours.sendall(pam_wire.request(person.login, password=person.password, code=code, budget_ms=29000))
            worlds.wait_until(lambda: staff.query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND "
                                                  "usename = 'counterfoil_pam' AND wait_event_type = 'Lock'"), "the helper to wait")
            yield helper


def core_of_helper(staff, folder, **environment):
    """What SIGABRT leaves of a helper in the middle of its work: the word of the wait status for it, and the core; and whose."""
    person = staff.hire()
    code = person.recovery_codes[0]
    folder.mkdir()
    with held_helper(staff, person, code, folder, environment) as helper:
        helper.send_signal(signal.SIGABRT)
        _, status = os.waitpid(helper.pid, 0)
        helper.returncode = -os.WTERMSIG(status)
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status), core_in(folder), person


@pytest.mark.skipif(worlds.sanitized(), reason="a sanitizer's shadow has no core")
def test_a_helper_that_is_aborted_in_the_middle_of_its_work_leaves_no_core(staff, tmp_path):
    staff.write_helper_conf({("database", "statement_timeout_ms"): 29000})
    dumped, core, _ = core_of_helper(staff, tmp_path / "hardened")
    assert not dumped and core is None
    dumped, core, person = core_of_helper(staff, tmp_path / "careless", LD_PRELOAD=str(CARELESS))
    assert dumped and person.password.encode() in core
    staff.write_helper_conf()
