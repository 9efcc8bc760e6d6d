"""Back end authd over the real service: the installed module and helper of a host that has a key of its own, authd over
TLS, PostgreSQL behind it."""

import os
import re
import threading
import time

import pytest

import breakglass_host
import enrolling
import fault_service
import service_host
import staff_machine
import visitor
import world as worlds


@pytest.fixture
def host(service, tmp_path):
    return service.host(tmp_path / "host").configure(timeout_total=20, timeout_connect=10)


@pytest.fixture
def relay(service):
    made = fault_service.Relay(service.port)
    yield made
    made.stop()


def events_of(staff, entry):
    """What the audit trail has of the request that ENTRY of the log names."""
    return [event[:3] for event in staff.events() if event[3] == entry["request_id"]]


def sign_in(host, person, answers=None, operations=("auth",), **options):
    return host.run(*operations, user=person.login, answers=person.answers if answers is None else answers, **options)


# --- signing in ------------------------------------------------------------------------------------------------------

def test_password_and_code_sign_in_and_the_trail_has_the_request_of_the_log(host, staff):
    alice = staff.hire()
    done = sign_in(host, alice)
    assert done["auth"] == "SUCCESS" and (done.entry["result"], done.entry["backend"]) == ("allow", "authd")
    assert events_of(staff, done.entry) == [("login_password", "challenge", "password_right"), ("login_code", "granted", "granted")]


def test_each_factor_that_is_wrong_refuses(host, staff):
    alice = staff.hire()
    for answers, reason in (([alice.password + "x", alice.code()], "wrong_password"),
                            ([alice.password, alice.wrong_code()], "wrong_code")):
        done = sign_in(host, alice, answers)
        assert (done["auth"], done.entry["reason"], done.entry.priority) == ("AUTH_ERR", reason, "NOTICE")
    answers = alice.answers
    assert sign_in(host, alice, answers)["auth"] == "SUCCESS"
    done = sign_in(host, alice, answers)
    assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "code_replayed")
    assert sign_in(host, alice, [alice.password, alice.recovery_codes[0]])["auth"] == "SUCCESS"


@pytest.mark.parametrize("factors", ["otp", "password", "combined"])
def test_every_way_to_ask_works(host, staff, factors):
    alice = staff.hire()
    host.configure(factors=factors, timeout_total=20)
    answers = {"otp": [alice.code()], "password": [alice.password], "combined": [alice.password + alice.code()]}[factors]
    assert sign_in(host, alice, answers)["auth"] == "SUCCESS"
    assert sign_in(host, alice, ["000000" if factors == "otp" else "wrong" + answers[0]])["auth"] == "AUTH_ERR"


def test_somebody_unknown_and_somebody_without_a_second_factor_are_refused(host, staff):
    bob = staff.hire(enrolled=False)
    done = sign_in(host, bob, [bob.password, "123456"])
    assert (done["auth"], done.entry["reason"]) == ("CRED_INSUFFICIENT", "not_enrolled")
    done = host.run("auth", user="nobody-here", answers=["pw", "123456"])
    assert (done["auth"], done.entry["reason"]) == ("USER_UNKNOWN", "unknown_login") and "user" not in done.entry.fields


def test_the_account_phase_asks_for_the_state(host, staff):
    alice = staff.hire()
    host.configure(account="status", timeout_total=20)
    assert host.run("acct", user=alice.login)["acct"] == "SUCCESS"
    staff.lock(alice)
    done = host.run("acct", user=alice.login)
    assert (done["acct"], done.entry["reason"]) == ("PERM_DENIED", "locked")
    assert host.run("acct", user="nobody-here")["acct"] == "USER_UNKNOWN"


def test_a_new_password_is_set_through_the_one_policy(host, staff):
    alice = staff.hire()
    done = host.run("chauthtok", user=alice.login, answers=[*alice.answers, "short", "short"])
    assert (done["chauthtok"], done.log[-1]["reason"]) == ("AUTHTOK_ERR", "too_short")
    assert done.told == ["error This password is too short: at least 12 characters."]
    staff.forget_step(alice)
    done = host.run("chauthtok", user=alice.login, answers=[*alice.answers, "nine lamps in a row", "nine lamps in a row"])
    assert done["chauthtok"] == "SUCCESS", done.log
    staff.forget_step(alice)
    assert sign_in(host, alice)["auth"] == "AUTH_ERR"
    assert sign_in(host, alice, ["nine lamps in a row", alice.code()])["auth"] == "SUCCESS"


def test_a_session_is_in_the_trail(host, staff):
    alice = staff.hire()
    done = host.run("auth", "user:daemon", "open", "close", user=alice.login, answers=alice.answers)
    assert (done["open"], done["close"]) == ("SUCCESS", "SUCCESS")
    assert [entry["reason"] for entry in done.log[1:]] == ["session", "session"], done.log
    assert [[event[0] for event in events_of(staff, entry)] for entry in done.log[1:]] == [["session_opened"], ["session_closed"]]


# --- the host's key --------------------------------------------------------------------------------------------------

def test_revoking_a_host_s_key_ends_its_access_with_the_next_request(service, host, staff, tmp_path):
    alice = staff.hire()
    other = service.host(tmp_path / "other", service.key("web2")).configure(timeout_total=20, fail="ignore_unavailable")
    assert sign_in(other, alice)["auth"] == "SUCCESS"
    staff.installation.counterfoil("client", "revoke", other.api_key.split("_")[1])
    staff.forget_step(alice)
    done = sign_in(other, alice)
    assert (done["auth"], done.entry.priority, done.entry["reason"]) == ("SERVICE_ERR", "CRIT", "host_refused")
    assert "revoked, expired or unknown" in done.entry["detail"]
    assert sign_in(host, alice)["auth"] == "SUCCESS"


def test_a_key_without_the_scope_is_refused(service, staff, tmp_path):
    other = service.host(tmp_path / "other", service.key("intranet", scopes=("login",))).configure(timeout_total=20)
    done = sign_in(other, staff.hire())
    assert (done["auth"], done.entry["reason"]) == ("SERVICE_ERR", "host_refused") and "scope pam" in done.entry["detail"]


# --- replies that are lost, and services that end --------------------------------------------------------------------

def test_a_reply_lost_after_the_commit_is_fetched_and_the_code_is_used_up_once(service, relay, staff, tmp_path):
    alice = staff.hire()
    host = service.host(tmp_path / "far", port=relay.port).configure(timeout_total=20, timeout_connect=10)
    answers = alice.answers
    relay.lose(lambda: worlds.wait_until(lambda: any(event[0] == "login_code" for event in staff.events()[mark:]),
                                         "the code to be used"))
    mark = len(staff.events())
    done = sign_in(host, alice, answers)
    assert (done["auth"], relay.connections) == ("SUCCESS", 2), done.log
    assert ("login_code", "granted", "granted") in events_of(staff, done.entry)
    assert sign_in(host, alice, answers).entry["reason"] == "code_replayed"


def test_an_authd_killed_at_any_moment_accepts_no_code_twice_and_works_after_its_restart(service, relay, staff, tmp_path):
    """SIGKILL ever longer after the question is through; each may have come before or after the code was used up."""
    alice = staff.hire()
    host = service.host(tmp_path / "far", port=relay.port).configure(timeout_total=20, timeout_connect=10)
    for moment in range(6):
        answers = [alice.password, alice.recovery_codes[moment]]
        relay.lose(lambda moment=moment: (threading.Event().wait(0.016 * moment), service.authd.kill()))
        done = sign_in(host, alice, answers)
        assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "unavailable"), (moment, done.log)
        service.authd.start()
        staff.query("DELETE FROM counterfoil.budget")
        results = [sign_in(host, alice, answers)["auth"] for _ in range(2)]
        assert results in (["SUCCESS", "AUTH_ERR"], ["AUTH_ERR", "AUTH_ERR"]), (moment, results)
    staff.query("DELETE FROM counterfoil.budget")
    assert sign_in(host, alice)["auth"] == "SUCCESS"


@pytest.mark.parametrize("fail", ["closed", "ignore_unavailable"])
def test_a_service_that_is_away_or_without_its_database_is_an_outage(service, host, staff, fail):
    alice = staff.hire()
    host.configure(timeout_total=20, timeout_connect=2, fail=fail)
    code = "AUTHINFO_UNAVAIL" if fail == "closed" else "IGNORE"
    with staff.database_stopped():
        done = sign_in(host, alice)
        assert (done.entry["pam"], done.entry.priority, done.entry["reason"]) == (code, "ERR", "unavailable"), done.log
    worlds.wait_until(lambda: service.authd.management("/readyz") == 200, "authd to have its database again")
    service.authd.stop()
    try:
        done = sign_in(host, alice)
        assert (done.entry["pam"], done.entry["reason"]) == (code, "unavailable")
    finally:
        service.authd.start()
    assert sign_in(host, alice)["auth"] == "SUCCESS"


# --- a first authenticator --------------------------------------------------------------------------------------------

@pytest.fixture
def bob(staff):
    return staff.hire(enrolled=False)


@pytest.fixture
def far(service, relay, tmp_path):
    """A host that enrols, and whose replies RELAY can lose."""
    return service.host(tmp_path / "far", port=relay.port).configure(timeout_total=20, timeout_connect=10, **enrolling.OPEN)


def losing(relay, staff, kind, answer):
    """ANSWER, and the reply to what follows is lost once the trail has an event of KIND more."""
    def act():
        mark = len(staff.events(kind))
        relay.lose(lambda: worlds.wait_until(lambda: len(staff.events(kind)) > mark, f"{kind} to be in the trail"))
    return enrolling.meanwhile(act, answer)


def test_somebody_without_an_authenticator_enrols_over_the_service_and_is_signed_in(far, staff, bob):
    code = staff.issue(bob)
    done = enrolling.enroll(far, bob, [enrolling.NO_CODE, code, *enrolling.PAIR, ""], "auth", options=[*enrolling.NEAR, "--state"])
    shown = "\n".join(done.lines)
    assert (done["auth"], done.state) == ("SUCCESS", "state same"), done.log
    assert (done.entry["reason"], done.entry["backend"]) == ("enrolled", "authd")
    assert ("login_code", "granted", "enrolled") in events_of(staff, done.entry)
    assert enrolling.factors(staff, bob) == ["active"] and len(set(enrolling.RECOVERY.findall(shown))) == 10
    enrolling.remember(bob, shown)
    assert not [secret for secret in (code, bob.password, bob.seed, bob.recovery_codes[0]) if secret in done.entry.text]
    staff.forget_step(bob)
    assert sign_in(far, bob)["auth"] == "SUCCESS"
    assert sign_in(far, bob, [bob.password, bob.recovery_codes[0]])["auth"] == "SUCCESS"


def test_a_wrong_enrolment_code_and_a_wrong_pair_enrol_nobody_over_the_service(far, staff, bob):
    code, wrong = staff.issue(bob), "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
    done = enrolling.enroll(far, bob, [wrong, *enrolling.PAIR])
    assert (done["auth"], done.entry["reason"], enrolling.factors(staff, bob)) == ("AUTH_ERR", "wrong_enroll_code", [])
    twice = enrolling.pair(0, 0)
    done = enrolling.enroll(far, bob, [code, *(3 * twice)])
    assert (done["auth"], done.entry["reason"], enrolling.factors(staff, bob)) == ("AUTH_ERR", "wrong_code", ["pending"])
    done = enrolling.enroll(far, bob, [code, *twice, *enrolling.PAIR, ""])
    assert done["auth"] == "SUCCESS" and enrolling.factors(staff, bob) == ["active"]


@pytest.mark.parametrize("lost", ["factor_started", "factor_bound"])
def test_an_enrolment_whose_reply_was_lost_goes_on_and_its_recovery_codes_work(far, relay, staff, bob, lost):
    """Each after its commit: the key that is shown is the one that is bound, and the codes that are shown are the valid ones."""
    code, (first, second) = staff.issue(bob), enrolling.PAIR
    answers = [enrolling.NO_CODE, losing(relay, staff, lost, code), first, second, ""] if lost == "factor_started" else \
        [code, first, losing(relay, staff, lost, second), ""]
    done = enrolling.enroll(far, bob, answers)
    assert (done["auth"], relay.connections) == ("SUCCESS", 4), done.log
    assert enrolling.factors(staff, bob) == ["active"]
    enrolling.remember(bob, "\n".join(done.lines))
    staff.forget_step(bob)
    assert sign_in(far, bob)["auth"] == "SUCCESS"
    assert sign_in(far, bob, [bob.password, bob.recovery_codes[9]])["auth"] == "SUCCESS"


def at_page(service, act):
    """The first code of the pair, after ACT(visitor, page's reply to the start) at the page that the prompt names."""
    def answer(shown):
        person = visitor.Visitor(service)
        assert person.exchange(visitor.token_of(enrolling.PAGE.findall(shown)[-1])).status_code == 204
        started = person.start()
        assert started.json()["secret"].replace(" ", "") == enrolling.key_in(shown)
        act(person, started.json())
        return enrolling.PAIR[0](shown)
    return answer


def confirm_at_page(person, started):
    reply = person.confirm(worlds.totp(started["secret"].replace(" ", ""), time.time()))
    assert reply.status_code == 200 and len(reply.json()["recovery_codes"]) == 10


def test_who_enrols_on_the_page_signs_in_with_the_next_codes_at_the_prompt(far, service, staff, bob):
    def enrol(person, started):
        confirm_at_page(person, started)
        staff.forget_step(bob)
    done = enrolling.enroll(far, bob, [staff.issue(bob), at_page(service, enrol), enrolling.PAIR[1]], "auth",
                            options=[*enrolling.NEAR, "--state"])
    assert (done["auth"], done.entry["reason"], done.state) == ("SUCCESS", "granted", "state same"), done.log
    assert enrolling.factors(staff, bob) == ["active"] and "recovery codes" not in "\n".join(done.lines)
    assert events_of(staff, done.entry) == [("login_password", "challenge", "password_right"), ("login_code", "granted", "granted")]


def test_who_opens_the_page_and_types_two_codes_at_the_prompt_is_enrolled_once(far, service, staff, bob):
    people = []
    done = enrolling.enroll(far, bob, [staff.issue(bob), at_page(service, lambda person, _: people.append(person)),
                                       enrolling.PAIR[1], ""])
    assert (done["auth"], done.entry["reason"]) == ("SUCCESS", "enrolled"), done.log
    assert people[0].state().json()["state"] == "done" and enrolling.factors(staff, bob) == ["active"]
    token = visitor.token_of(enrolling.PAGE.findall("\n".join(done.lines))[-1])
    assert token not in done.entry.text


@pytest.mark.parametrize("pages", ["an address of over 200 bytes", "none"])
def test_without_a_page_that_has_room_the_prompt_shows_the_key_alone(service, staff, tmp_path, bob, pages):
    ports = {listener: worlds.free_port() for listener in ("api", "pages", "management")}
    changes = {("pages", "public_url"): "https://localhost/" + "x" * 140} if pages != "none" else \
        {("pages", name): None for name in staff.installation.settings(ports)["pages"]}
    configuration = staff.installation.write_configuration(ports, tmp_path / "authd.conf", changes)
    authd = worlds.Authd(configuration, tmp_path / "authd.log", service.certificates, ports)
    authd.start()
    try:
        host = service.host(tmp_path / "host", port=ports["api"]).configure(timeout_total=20, timeout_connect=10, **enrolling.OPEN)
        done = enrolling.enroll(host, bob, [staff.issue(bob), *enrolling.PAIR, ""])
    finally:
        authd.stop()
    assert done["auth"] == "SUCCESS" and "https://" not in "\n".join(done.lines)
    assert "Give your authenticator app this key:" in "\n".join(done.lines)


def test_a_service_that_dies_with_the_confirmation_lets_nobody_in_and_leaves_one_authenticator(far, relay, service, staff, bob):
    far.configure(timeout_total=20, timeout_connect=10, fail="ignore_unavailable", **enrolling.OPEN)

    def die():
        relay.lose(lambda: (worlds.wait_until(lambda: "active" in enrolling.factors(staff, bob), "the binding"),
                            service.authd.kill()))
    first, second = enrolling.PAIR
    done = enrolling.enroll(far, bob, [staff.issue(bob), first, enrolling.meanwhile(die, second), ""])
    service.authd.start()
    assert (done["auth"], done.entry["reason"], done.entry.priority) == ("AUTHINFO_UNAVAIL", "unavailable", "ERR")
    enrolling.remember(bob, "\n".join(done.lines))
    staff.forget_step(bob)
    assert sign_in(far, bob)["auth"] == "SUCCESS" and enrolling.factors(staff, bob) == ["active"]


# --- a real sshd -----------------------------------------------------------------------------------------------------

def enrol_by_the_page_that_sshd_names(machine, service, sshd, bob):
    """At the prompt of a real session: page and prompt have one key, and the codes after the page's sign in."""
    mark, spawned = machine.syslog.mark(), sshd.ssh(bob.login, ["echo granted-$(whoami)"])
    staff_machine.answer(spawned, "Password: $", bob.password)
    spawned.expect("Verification code: $")
    spawned.sendline(machine.issue(bob))
    spawned.expect(r"  (https://\S+/enroll#\S+)\r\nor give the app this key:\r\n  ((?:[A-Z2-7]{4} ?){8})\r\nThen type the code that it shows: $")
    person, bob.seed = visitor.Visitor(service), spawned.match[2].replace(" ", "")
    assert person.exchange(visitor.token_of(spawned.match[1])).status_code == 204
    confirm_at_page(person, person.start().json())
    machine.forget_step(bob)
    first, second = bob.code(worlds.PERIOD_S), bob.code()
    spawned.sendline(first)
    spawned.expect("type that code: $")
    spawned.sendline(second)
    spawned.expect(f"granted-{bob.login}\r")
    assert [entry["reason"] for entry in machine.entries(mark, event="auth")] == ["granted"]
    assert enrolling.factors(machine, bob) == ["active"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a machine of its own needs root")
def test_sshd_lets_in_who_the_service_lets_in(machine):
    """The shipped stack to the letter, on a machine that has neither a keyring nor a database."""
    service = service_host.StaffService(machine)
    alice = machine.hire()
    machine.stack_file("sshd", "sshd-password-totp")
    machine.configure(backend="authd", account="status", timeout_total=20, unenrolled="enroll", enroll_cidrs="127.0.0.0/8 ::1/128")
    worlds.write_private(machine.path("/etc/counterfoil/host.key"), service.key() + "\n")
    worlds.write_private(machine.path("/etc/counterfoil/service-ca.pem"), service.certificates.ca.read_text(), 0o644)
    worlds.write_private(machine.helper_conf, service_host.authd_section(
        url=service.host_url, ca_file="/etc/counterfoil/service-ca.pem"))
    sshd = staff_machine.Sshd(machine)
    try:
        mark, answers = machine.syslog.mark(), alice.answers
        assert staff_machine.Talk(sshd.ssh(alice.login, ["echo granted-$(whoami)"]), answers).granted == alice.login
        auth, account, opened = machine.entries(mark, 3)[:3]
        assert {entry["backend"] for entry in (auth, account, opened)} == {"authd"}
        assert (account["result"], opened["reason"]) == ("allow", "session")
        mark = machine.syslog.mark()
        assert staff_machine.Talk(sshd.ssh(alice.login, ["echo granted-$(whoami)"]), answers).granted is None
        assert machine.entries(mark, event="auth")[0]["reason"] == "code_replayed"
        enrol_by_the_page_that_sshd_names(machine, service, sshd, machine.hire(enrolled=False))
    finally:
        sshd.stop()
        service.stop()
        machine.path("/etc/counterfoil/host.key").unlink()


# --- break-glass ------------------------------------------------------------------------------------------------------

def test_a_host_without_a_database_issues_uses_and_reports_break_glass_codes_over_the_service(host, staff, service):
    alice, folder = staff.hire(enrolled=False), host.directory / "breakglass"
    settings = f"[breakglass]\ndirectory = {folder}\n"
    host.configure("factors = otp", "offline = recovery", timeout_total=20, timeout_connect=2)
    host.write_helper_conf(settings)

    def breakglass(*arguments):
        return worlds.run(worlds.installed("counterfoil"), "--config", host.conf, "breakglass", *arguments)
    codes = re.findall(breakglass_host.CODE, breakglass("issue", alice.login, "--count", 2), re.M)
    breakglass_host.Codes(folder).pretend_outage()
    host.write_helper_conf(settings, url=f"https://localhost:{worlds.free_port()}")
    done = host.run("auth", user=alice.login, answers=[codes[0]])
    assert (done["auth"], done.entry["offline"], done.entry["backend"], done.entry.priority) == ("SUCCESS", "yes", "authd", "ALERT")
    assert host.run("auth", user=alice.login, answers=[codes[0]])["auth"] == "AUTH_ERR"
    host.write_helper_conf(settings)
    breakglass("sync")
    assert [event[0] for event in staff.events() if event[0].startswith("breakglass")] == ["breakglass_issued", "breakglass_used"]
    staff.lock(alice)
    breakglass("sync")
    assert breakglass_host.Codes(folder).left(alice.login) is None


@pytest.mark.parametrize("cause", ["pin", "revoked key"])
def test_a_wrong_certificate_or_a_refused_key_is_no_outage_for_a_break_glass_code(host, staff, cause):
    alice, folder = staff.hire(enrolled=False), host.directory / "breakglass"
    settings = f"[breakglass]\ndirectory = {folder}\n"
    host.configure("factors = otp", "offline = recovery", timeout_total=20, timeout_connect=10)
    host.write_helper_conf(settings)
    out = worlds.run(worlds.installed("counterfoil"), "--config", host.conf, "breakglass", "issue", alice.login)
    codes = breakglass_host.Codes(folder)
    codes.pretend_outage()
    if cause == "pin":
        host.write_helper_conf(settings, pin="sha256//" + "A" * 43 + "=")
    else:
        staff.installation.counterfoil("client", "revoke", host.api_key.split("_")[1])
    done = host.run("auth", user=alice.login, answers=[re.findall(breakglass_host.CODE, out, re.M)[0]])
    assert (done["auth"], done.entry["reason"]) in (("AUTHINFO_UNAVAIL", "bad_reply"), ("SERVICE_ERR", "host_refused"))
    assert codes.left(alice.login) == 8 and codes.having("outage") == [["0", "0", "0"]]
