"""A host whose clock is wrong, or is set while somebody signs in."""

import shutil
import time

import pytest

import pam_world
import service_host
import staff_machine
import world as worlds

GOOD = ("seven lanterns", "123456")
HELPER = "/usr/libexec/counterfoil/pam-helper"
# The module starts its helper without an environment, so what tells it where its clock is stands in its place.
WITH_CLOCK = f"#!/bin/sh\nCOUNTERFOIL_TEST_CLOCK=/run/clock exec {HELPER}-testclock \"$@\"\n"
OFFSETS = (-300, 300, -86400, 86400)


@pytest.fixture(scope="module")
def service(a_machine):
    made = service_host.StaffService(a_machine)
    yield made
    made.stop()


@pytest.fixture
def machine(machine):
    """With a clock of the helper's that set_clock() sets."""
    machine.stack_file("desk", text="auth required pam_counterfoil.so\naccount required pam_counterfoil.so\n")
    shutil.copy(pam_world.BUILT / "pam_driver", machine.path("/run/pam_driver"))
    shutil.copy(pam_world.BUILT / "pam-helper-testclock", machine.path(f"{HELPER}-testclock"))
    worlds.write_private(machine.path(HELPER), WITH_CLOCK, 0o755)
    yield machine
    machine.path(HELPER).unlink()
    shutil.copy(pam_world.BUILT / "pam-helper", machine.path(HELPER))


def set_clock(machine, offset_s):
    worlds.write_private(machine.path("/run/clock"), f"{offset_s}\n")


def ask_the_service(machine, service):
    machine.configure(backend="authd", account="status", timeout_total=20)
    worlds.write_private(machine.path("/etc/counterfoil/service-ca.pem"), service.certificates.ca.read_text(), 0o644)
    worlds.write_private(machine.path("/etc/counterfoil/host.key"), service.key() + "\n")
    worlds.write_private(machine.helper_conf, service_host.authd_section(
        url=service.host_url, ca_file="/etc/counterfoil/service-ca.pem"))


def ask(machine, person, operation, *answers):
    """The module's line."""
    mark = machine.syslog.mark()
    machine.run_inside("/run/pam_driver", "--confdir", "/etc/pam.d", "--service", "desk", "--user", person.login,
                       *[part for answer in answers for part in ("--answer", answer)], operation)
    return machine.entries(mark)[0]


def sign_in(machine, person, ahead_s=0):
    """With the code of now, or that of a clock that is ahead."""
    machine.forget_step(person)
    return ask(machine, person, "auth", person.password, person.code(-ahead_s))


def test_a_host_that_asks_the_service_may_have_any_clock_and_codes_are_judged_by_the_service_s(machine, service):
    ask_the_service(machine, service)
    alice = machine.hire()
    for offset_s in OFFSETS:
        set_clock(machine, offset_s)
        assert sign_in(machine, alice, ahead_s=offset_s)["reason"] == "wrong_code", offset_s
        assert sign_in(machine, alice)["pam"] == "SUCCESS", offset_s
        entry = ask(machine, alice, "acct")
        assert entry["pam"] == "SUCCESS" and ("ahead of" if offset_s > 0 else "behind") in entry["detail"]


def test_a_host_that_verifies_itself_refuses_the_codes_of_the_right_time_for_as_long_as_its_clock_is_wrong(machine):
    alice = machine.hire()
    for offset_s in OFFSETS:
        set_clock(machine, offset_s)
        assert sign_in(machine, alice)["reason"] == "wrong_code", offset_s
        set_clock(machine, 0)
        assert sign_in(machine, alice)["pam"] == "SUCCESS", offset_s


# --- a clock that is set meanwhile -------------------------------------------------------------------------------------

def run(desk, step_s, clock="REALTIME", hurried=False):
    """Sign in while CLOCK is moved by STEP_S at each wait for the helper."""
    return desk.run("auth", answers=GOOD, environment={
        **pam_world.HURRY, "HURRY_HANGS": "yes" if hurried else "", f"HURRY_{clock}_STEP": str(step_s)})


@pytest.mark.parametrize("step_s", OFFSETS)
def test_a_clock_that_is_set_in_the_middle_moves_no_deadline(desk, step_s):
    assert run(desk, step_s)["auth"] == "SUCCESS"
    desk.configure(timeout_total=30).helper("allow", fault="hang-half")
    done = run(desk, step_s, hurried=True)
    assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "helper_timeout")
    assert 30000 <= int(done.entry["ms"]) < 300000


def test_a_module_whose_deadlines_a_clock_moves_is_found_out(desk):
    """The judge itself: the clock of the deadlines, moved in the same way."""
    done = run(desk, 86400, clock="MONOTONIC")
    assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "helper_timeout")
