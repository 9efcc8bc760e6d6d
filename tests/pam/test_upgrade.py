"""An upgrade under way: module and helper are replaced while people sign in."""

import concurrent.futures
import ctypes
import os
import shutil
import struct
import subprocess

import pytest

import pam_world
import staff_machine
import world as worlds

EVENTS = {0x2: "modify", 0x40: "moved from", 0x80: "moved to", 0x100: "create", 0x200: "delete"}     # <sys/inotify.h>
INSTALL_SH = worlds.TOP / "build-aux/install-sh"
MODULE = staff_machine.SECURITY / "pam_counterfoil.so"
HELPER = "/usr/libexec/counterfoil/pam-helper"


class Watch:
    """What happens to the names in a folder."""

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(self.descriptor, bytes(folder), sum(EVENTS)) >= 0, ctypes.get_errno()

    def seen(self, name):
        """Everything that has happened to NAME; the watch is over."""
        data = os.read(self.descriptor, 1 << 20)
        os.close(self.descriptor)
        found, at = [], 0
        while at < len(data):
            _, mask, _, length = struct.unpack_from("iIII", data, at)
            if data[at + 16:at + 16 + length].rstrip(b"\0").decode() == name:
                found.append(EVENTS.get(mask))
            at += 16 + length
        return found


def make_install(image, *variables):
    worlds.run("make", "-s", "-C", worlds.OBJ, f"DESTDIR={image}", *variables, "install-pamLTLIBRARIES", "install-pamhelperPROGRAMS")


def happens_to(image, *variables):
    """What an installation over the one in IMAGE does to the names of module and helper."""
    found = [next(image.rglob(name)) for name in ("pam_counterfoil.so", "pam-helper")]
    watches = [Watch(path.parent) for path in found]
    make_install(image, *variables)
    return [watch.seen(path.name) for watch, path in zip(watches, found)]


def test_an_installation_over_another_leaves_no_moment_without_a_whole_module_and_helper(tmp_path):
    make_install(tmp_path)
    assert happens_to(tmp_path) == [["moved to"], ["moved to"]]


def test_an_installation_that_removes_and_writes_anew_is_found_out(tmp_path):
    """The judge itself: install(1)."""
    make_install(tmp_path)
    for events in happens_to(tmp_path, "INSTALL=/usr/bin/install -c"):
        assert events[:2] == ["delete", "create"]


# --- two hundred sign-ins meanwhile -----------------------------------------------------------------------------------

@pytest.fixture
def people(machine):
    """Four, who can sign in as often as they like: nothing remembers which time step was used."""
    machine.stack_file("desk", text="auth required pam_counterfoil.so\n")
    shutil.copy(pam_world.BUILT / "pam_driver", machine.path("/run/pam_driver"))
    machine.configure(factors="otp", timeout_total=30)
    machine.query("CREATE FUNCTION public.forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.last_step := 0; RETURN NEW; END'; "
                  "CREATE TRIGGER forget BEFORE UPDATE ON counterfoil.factor FOR EACH ROW EXECUTE FUNCTION public.forget()")
    yield [machine.hire() for _ in range(4)]
    machine.query("DROP FUNCTION public.forget() CASCADE")


def sign_in(machine, person, right=True):
    """The code that the application gets."""
    done = subprocess.run(machine.inside("/run/pam_driver", "--confdir", "/etc/pam.d", "--service", "desk", "--user", person.login,
                                         "--answer", person.code() if right else person.wrong_code(), "auth"),
                          capture_output=True, text=True, timeout=60, check=True, env={}, cwd="/")
    return pam_world.Outcome(done.stdout.splitlines(), [])["auth"]


def signs_in_often(machine, person, times):
    """Every second time with a wrong code."""
    return [(right, sign_in(machine, person, right)) for right in [True, False] * (times // 2)]


def replace(machine):
    """Put module and helper of the build in the place of the same, as an installation does."""
    for source, target in ((pam_world.BUILT / ".libs/pam_counterfoil.so", machine.path(MODULE)),
                           (pam_world.BUILT / "pam-helper", machine.path(HELPER))):
        worlds.run(INSTALL_SH, "-c", source, target)


def test_of_two_hundred_sign_ins_during_replacements_the_right_ones_succeed_and_the_wrong_ones_do_not(machine, people):
    mark, replaced = machine.syslog.mark(), 0
    with concurrent.futures.ThreadPoolExecutor(len(people)) as pool:
        running = [pool.submit(signs_in_often, machine, person, 200 // len(people)) for person in people]
        while concurrent.futures.wait(running, timeout=0.2).not_done:
            replace(machine)
            replaced += 1
    results = [result for future in running for result in future.result()]
    assert sorted(set(results)) == [(False, "AUTH_ERR"), (True, "SUCCESS")], machine.syslog.since(mark)
    assert len(results) == 200 and replaced > 5


@pytest.mark.parametrize("path, code", [(MODULE, "MODULE_UNKNOWN"), (HELPER, "AUTHINFO_UNAVAIL")])
def test_a_file_that_is_away_for_a_moment_is_found_out_by_a_sign_in(machine, people, path, code):
    """The judge itself; and nobody gets in meanwhile."""
    machine.path(path).unlink()
    assert sign_in(machine, people[0]) == code
    replace(machine)
    assert sign_in(machine, people[0]) == "SUCCESS"
