"""What PAM hosts ask authd: one key a host, every decision a 200 bound to its question, and no way beyond it."""

import base64
import json
import re
import secrets
import subprocess
import uuid

import offline_ticket
import pytest
import visitor as visitors
import world as worlds
from pam_host import PamHost, member
from raw_http import expect

WRONG = "not the password at all"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKiCkacrlYj/PV65gKxjpDpEZLGsity2pzk77yuY61hs"
FINGERPRINT = "SHA256:KB/K+YzaIcXpR2Ns8Pu2wDNFHk+MNq+ATcL/easb90U"


@pytest.fixture(scope="module")
def world(cluster):
    """Two authd over one database."""
    made = worlds.World(cluster, "pam")
    try:
        yield made.start(count=2)
    finally:
        made.stop()


@pytest.fixture(scope="module")
def host(world):
    return PamHost(world, "web1")


def wrong_code(world, account):
    near = {worlds.totp(account.seed, world.now_s() + step * worlds.PERIOD_S) for step in (-2, -1, 0, 1, 2)}
    return next(code for code in (f"{number:06d}" for number in range(100)) if code not in near)


# --- decisions -------------------------------------------------------------------------------------------------------

def test_password_and_code_together_are_right(world, host):
    told = host.verify(member(world))
    assert (told["answer"], told["password_right"], told["must_change"]) == ("allow", True, False)


def test_each_set_of_factors_is_judged_as_the_service_demands(world, host):
    alice = member(world)
    assert host.verify(alice, "otp")["answer"] == "allow"
    assert host.verify(alice, "password")["answer"] == "allow"
    assert host.verify(alice, "password", password=WRONG)["answer"] == "deny"
    assert host.verify(alice, "otp", code=wrong_code(world, alice))["answer"] == "deny"
    told = host.verify(alice, code=wrong_code(world, alice))
    assert (told["answer"], told["password_right"]) == ("deny", True)
    world.advance(worlds.PERIOD_S)
    assert host.verify(alice, password=WRONG)["answer"] == "deny"
    assert host.verify(alice)["answer"] == "allow", "the code was not used up behind a wrong password"
    assert host.verify(alice, code=alice.recovery_codes[0])["answer"] == "allow"
    assert host.verify(alice, code=alice.recovery_codes[0])["answer"] == "deny"


def test_who_is_unknown_or_not_enrolled_is_told_apart_to_the_host(world, host):
    assert host.verify(worlds.Account(None, "nobody-here", WRONG), "password")["answer"] == "unknown_user"
    bare = member(world, enrolled=False)
    assert host.verify(bare, code="123456")["answer"] == "not_enrolled"
    assert host.verify(bare, code="123456", password=WRONG)["answer"] == "deny"
    assert host.verify(worlds.Account(None, "no such\tname", WRONG), code="123456")["answer"] == "unknown_user"


@pytest.mark.parametrize("factors", ["password+otp", "otp", "password"])
def test_a_decoy_allows_nobody_whatever_it_holds(world, host, factors):
    alice = member(world)
    told = host.ask("/v1/pam/verify", host.question(alice, factors, "decoy"))
    assert told["answer"] == "deny"
    assert host.verify(alice)["answer"] == "allow", "and uses nothing up"


def test_a_password_is_changed_with_the_old_one_and_through_the_policy(world, host):
    alice = member(world)
    assert host.change(alice, "three ferries before breakfast", password=WRONG)["answer"] == "deny"
    told = host.change(alice, "short")
    assert (told["answer"], told["reason"], told["minimum"]) == ("password_refused", "too_short", 12)
    assert host.change(alice, "three ferries before breakfast")["answer"] == "allow"
    assert host.verify(alice, "password")["answer"] == "deny"
    alice.password = "three ferries before breakfast"
    assert host.verify(alice, "password")["answer"] == "allow"


def test_a_password_that_must_change_lets_in_with_the_code_and_says_so(world, host):
    alice = member(world)
    world.query("UPDATE counterfoil.account SET must_change = true WHERE id = %s", (alice.id,))
    assert host.verify(alice, code=wrong_code(world, alice))["answer"] == "deny"
    question = host.question(alice)
    for _ in range(2):
        told = host.ask("/v1/pam/verify", question)
        assert (told["answer"], told["must_change"]) == ("allow", True)
    assert host.verify(alice, code=question["code"])["answer"] == "deny"


def test_the_account_phase_is_told_state_and_duties(world, host):
    alice = member(world)
    told = host.look(alice.login)
    assert (told["answer"], told["enrolled"], told["training_due"]) == ("allow", True, 0)
    world.query("UPDATE counterfoil.account SET must_change = true WHERE id = %s", (alice.id,))
    assert (host.look(alice.login)["answer"], host.look(alice.login)["must_change"]) == ("change_required", True)
    world.query("UPDATE counterfoil.account SET state = 'locked' WHERE id = %s", (alice.id,))
    assert host.look(alice.login)["answer"] == "locked"
    world.query("UPDATE counterfoil.account SET state = 'disabled' WHERE id = %s", (alice.id,))
    assert host.look(alice.login)["answer"] == "expired"
    assert host.look(f"nobody-{secrets.token_hex(4)}")["answer"] == "unknown_user"


def test_a_user_comes_back_byte_for_byte(world, host):
    for name in ("Ärger", "a b", "-x", "../x", "a\u202eb", "x" * 256, "\x7f", '"\\', "\U0001f4a9"):
        assert host.look(name)["user"] == name


def test_a_session_is_an_event_that_says_who_where_and_with_what(world, host):
    alice = member(world)
    host.session(alice.login, "open", service="sudo", target="root", rhost="192.0.2.31", tty="pts/3", ssh_key=SSH_KEY)
    host.session(alice.login, "close", service="sudo", target=alice.login)
    events = world.staff_api().get(f"/v1/events?account={alice.id}&limit=1000").json()["events"]
    opened, closed = [event for event in events if event["kind"] in ("session_opened", "session_closed")]
    assert (opened["kind"], opened["service"], opened["source"], opened["user_agent"], opened["actor"]) == \
        ("session_opened", "sudo", "192.0.2.31", FINGERPRINT, f"host:{host.id}")
    assert opened["detail"] == {"target": "root", "tty": "pts/3"}
    assert (closed["kind"], closed["detail"]) == ("session_closed", {})
    bob = member(world, enrolled=False)
    host.session(alice.login, "open", service="su", target=bob.login)
    [[detail]] = world.query("SELECT detail FROM counterfoil.event WHERE account_id = %s AND service = 'su'", (alice.id,))
    assert re.fullmatch("[0-9a-f]{64}", detail["target"]), "nobody's login stands in the trail"
    host.session(alice.login.upper(), "open", service="cron")
    assert world.query("SELECT account_id, detail FROM counterfoil.event WHERE service = 'cron'") == [(None, {})], \
        "to a host another user"


def test_the_fingerprint_is_that_of_ssh_keygen(tmp_path):
    (tmp_path / "key.pub").write_text(SSH_KEY + "\n")
    told = subprocess.run(["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert FINGERPRINT in told.split()


def test_a_sign_in_is_in_the_trail_under_the_hosts_own_request(world, host):
    alice = member(world)
    question = host.question(alice, ssh_key=SSH_KEY)
    assert host.ask("/v1/pam/verify", question)["answer"] == "allow"
    events = world.staff_api().get(f"/v1/events?account={alice.id}&limit=1000").json()["events"]
    mine = [event for event in events if event["request_id"] == question["request_id"]]
    assert [event["kind"] for event in mine] == ["login_password", "login_code"]
    assert {(event["actor"], event["source"], event["service"], event["user_agent"]) for event in mine} == \
        {(f"host:{host.id}", "192.0.2.30", "sshd", FINGERPRINT)}


# --- what is no decision ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("field, value", [
    ("request_id", "6E3F7A90-54A1-4C0E-8A4E-0B6DE8A2B9D1"), ("request_id", "1"), ("operation", "allow"),
    ("factors", "none"), ("factors", None), ("rhost", "localhost"), ("rhost", "fe80::1%eth0"), ("service", "ss\thd"),
    ("tty", "\x1b[2J"), ("ssh_key", "ssh-rsa A\n"), ("operation", "open")])
def test_what_is_no_question_is_refused_and_named(world, host, field, value):
    body = host.question(member(world, enrolled=False), code="123456")
    body = {name: word for name, word in {**body, field: value}.items() if word is not None}
    expect(host.post("/v1/pam/verify", body), 422, "invalid", field=field)


@pytest.mark.parametrize("missing", ["password", "code"])
def test_a_question_without_its_credential_is_refused(world, host, missing):
    question = host.question(member(world, enrolled=False), code="123456")
    del question[missing]
    expect(host.post("/v1/pam/verify", question), 422, "invalid", field="operation")


def test_no_refusal_is_bound_by_a_code(host):
    reply = host.post("/v1/pam/verify", {"request_id": "no"})
    assert reply.status_code == 422 and "Counterfoil-MAC" not in reply.headers


# --- keys ------------------------------------------------------------------------------------------------------------

QUESTIONS = (("/v1/pam/verify", {"operation": "verify", "factors": "password", "password": WRONG}),
             ("/v1/pam/account", {}), ("/v1/pam/session", {"operation": "open"}),
             ("/v1/pam/enroll", {"operation": "start", "password": WRONG, "enroll_code": "A" * 24}),
             ("/v1/pam/breakglass", {"operation": "used", "at": 1, "left": 1, "expires_at": 2}))


def refused(world, key, status, kind):
    for number in (0, 1):
        for path, members in QUESTIONS:
            expect(world.api(number, key).post(path, PamHost.body("alice", **members)), status, kind)


def test_R098_without_a_key_or_with_a_revoked_one_nothing_is_told(world):
    gone = PamHost(world, "gone")
    assert gone.look("nobody")["answer"] == "unknown_user"
    world.counterfoil("client", "revoke", gone.id)
    refused(world, gone.key, 401, "unauthenticated")
    refused(world, None, 401, "unauthenticated")


def test_keys_of_the_store_or_without_the_scope_are_forbidden(world):
    world.staff_api()
    refused(world, world.api_key, 403, "forbidden")
    refused(world, world.staff_key, 403, "forbidden")


def routes_with_a_key():
    """Every route of the API that asks for a key, as the program says."""
    lines = subprocess.run([worlds.OBJ / "authd/authd-testclock", "--routes"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    rows = [line.split(" ") for line in lines if line.startswith("api ")]
    return [(method, path) for _, method, path, scope, *_ in rows if scope not in ("-", "pam")]


def test_R097_a_hosts_key_opens_nothing_else_of_the_api(world, host):
    """A stolen one reads no seed, no hash, no account, no trail."""
    nobody, routes, alice = "00000000-0000-4000-8000-000000000000", routes_with_a_key(), member(world)
    assert len(routes) > 25
    for method, path in routes:
        path = path.format(account=alice.id, factor=alice.factor_id,
                           challenge=base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="), session=nobody, device=nobody)
        body = None if method in ("GET", "DELETE") else {}
        expect(world.api(key=host.key).call(method, path, body), 403, "forbidden")


def test_the_scope_of_a_host_goes_with_no_other_and_with_the_staff_realm_alone(world):
    for realm, scopes in (("staff", "pam,login"), ("staff", "pam,admin"), ("store", "pam")):
        made = subprocess.run([worlds.installed("counterfoil"), "--config", world.installation.configuration, "client",
                               "create", "wide", "--realm", realm, "--scopes", scopes], stderr=subprocess.PIPE, text=True,
                              check=False)
        assert made.returncode == 65 and "scope pam stands alone" in made.stderr


# --- a reply that was lost -------------------------------------------------------------------------------------------

def again(host, question, times=2):
    """The answers to one question that comes TIMES times."""
    return [host.ask("/v1/pam/verify", question)["answer"] for _ in range(times)]


@pytest.mark.parametrize("factors", ["password+otp", "otp", "password"])
def test_the_same_question_again_gets_the_same_answer_and_a_new_one_with_its_code_does_not(world, host, factors):
    alice = member(world)
    question = host.question(alice, factors)
    assert again(host, question, 3) == ["allow"] * 3
    if "otp" in factors:
        assert host.verify(alice, factors, code=question["code"])["answer"] == "deny"
    granted = [event for event in world.staff_api().get(f"/v1/events?account={alice.id}&limit=1000").json()["events"]
               if event["outcome"] == "granted"]
    assert len(granted) == 1, "it happened once"


def test_a_recovery_code_comes_again_and_is_used_up(world, host):
    alice = member(world)
    question = host.question(alice, code=alice.recovery_codes[0])
    assert again(host, question) == ["allow", "allow"]
    assert host.verify(alice, code=alice.recovery_codes[0])["answer"] == "deny"
    assert host.verify(alice, code=alice.recovery_codes[1])["answer"] == "allow"


def test_a_change_comes_again_though_the_old_password_is_gone(world, host):
    alice = member(world)
    change = host.body(alice.login, operation="change", password=alice.password, new_password="three ferries at dawn")
    assert again(host, change) == ["allow", "allow"]
    assert host.change(alice, "three ferries at dawn")["answer"] == "deny", "with a new id the old password proves nothing"


@pytest.mark.parametrize("factors", ["password+otp", "otp"])
def test_a_question_that_was_lost_between_the_code_and_the_record_of_it_is_allowed_once_more(world, host, factors):
    """authd died when the code was used up and the decision was not yet remembered."""
    alice = member(world)
    question, recovery = host.question(alice, factors), host.question(alice, factors, code=alice.recovery_codes[0])
    for lost in (question, recovery):
        assert again(host, lost, 1) == ["allow"]
        world.query("UPDATE counterfoil.host_request SET decision = NULL WHERE request_id = %s", (lost["request_id"],))
        assert again(host, lost) == ["allow", "allow"]
        assert host.verify(alice, factors, code=lost["code"])["answer"] == "deny"


def test_a_change_is_remembered_in_the_transaction_that_makes_it(world, host):
    """authd died right behind it: the record is there although nobody finished it."""
    alice = member(world)
    world.query("ALTER FUNCTION counterfoil.host_request_finish RENAME TO gone")
    change = host.body(alice.login, operation="change", password=alice.password, new_password="three ferries at dawn")
    try:
        assert host.post("/v1/pam/verify", change).status_code >= 500
    finally:
        world.query("ALTER FUNCTION counterfoil.gone RENAME TO host_request_finish")
    assert again(host, change) == ["allow", "allow"]


def test_another_question_with_the_same_id_is_none_that_comes_again(world, host):
    alice, bob = member(world), member(world)
    question = host.question(alice)
    assert again(host, question, 1) == ["allow"]
    for other in ({"user": bob.login}, {"code": world.code(bob)}, {"password": WRONG}, {"code": wrong_code(world, alice)},
                  {"rhost": "192.0.2.99"}, {"factors": "password"}):
        expect(host.post("/v1/pam/verify", {**question, **other}), 409, "conflict")
    expect(host.post("/v1/pam/session", {**host.body(alice.login), "request_id": question["request_id"],
                                         "operation": "open"}), 409, "conflict")
    assert again(host, question, 1) == ["allow"]


def test_the_same_question_from_another_host_does_not_come_again(world, host):
    alice, other = member(world), PamHost(world, "web2")
    question = host.question(alice)
    assert again(host, question, 1) == ["allow"]
    assert again(other, question, 1) == ["deny"]
    world.query("UPDATE counterfoil.host_request SET decision = NULL WHERE request_id = %s", (question["request_id"],))
    assert again(other, question, 1) == ["deny"], "nor by the code's own memory"


def test_after_a_minute_nothing_comes_again(world, host):
    alice = member(world)
    question = host.question(alice)
    with world.standstill():
        assert again(host, question, 1) == ["allow"]
        world.advance(59)
        assert again(host, question, 1) == ["allow"]
        world.advance(2)
        assert again(host, question, 1) == ["deny"]


def test_a_refusal_that_comes_again_counts_once(world, host):
    alice = member(world)
    question = host.question(alice, password=WRONG)
    assert again(host, question, 12) == ["deny"] * 12
    assert host.verify(alice)["answer"] == "allow", "not throttled by one wrong password"


def test_a_session_that_comes_again_is_one_event(world, host):
    alice = member(world)
    told = host.body(alice.login, operation="open")
    assert [host.ask("/v1/pam/session", told)["answer"] for _ in range(3)] == ["allow"] * 3
    assert world.query("SELECT count(*) FROM counterfoil.event WHERE account_id = %s AND kind = 'session_opened'",
                       (alice.id,)) == [(1,)]


def test_a_revoked_key_is_told_nothing_of_what_it_was_told_before(world):
    gone, alice = PamHost(world, "gone"), member(world)
    question = gone.question(alice)
    assert again(gone, question, 1) == ["allow"]
    world.counterfoil("client", "revoke", gone.id)
    expect(gone.post("/v1/pam/verify", question), 401, "unauthenticated")


def test_what_is_remembered_is_no_password_and_goes_by_itself(world, host):
    alice = member(world)
    question = host.question(alice)
    again(host, question, 1)
    [[kept]] = world.query("SELECT to_jsonb(h)::text FROM counterfoil.host_request h WHERE request_id = %s",
                           (question["request_id"],))
    assert not [word for word in (alice.password, question["code"], alice.login) if word in kept]
    world.advance(121)
    world.query("SELECT counterfoil.maintain(10000, 86400, 2592000, 1000)")
    assert world.query("SELECT count(*) FROM counterfoil.host_request") == [(0,)]


# --- one hostile host ------------------------------------------------------------------------------------------------

def until_throttled(host, ask):
    """ASK(number) until the host is told to wait; how often it was judged."""
    for number in range(40):
        told = ask(number)
        if told["answer"] == "throttled":
            assert told["retry_after_s"] >= 1
            return number
    raise AssertionError("never throttled")


@pytest.mark.parametrize("factors, spoilt", [("password+otp", "password"), ("otp", "code"), ("password+otp", "code")])
def test_a_hostile_host_is_slowed_down_and_locks_nobody_out_of_others(world, factors, spoilt):
    """Whatever address it likes to tell."""
    hostile, honest, alice = PamHost(world, "hostile"), PamHost(world, "honest"), member(world)
    for rhost in ("192.0.2.30", "198.51.100.7", None):
        bad = {"password": WRONG} if spoilt == "password" else {"code": wrong_code(world, alice)}
        assert until_throttled(hostile, lambda number, rhost=rhost, bad=bad: hostile.verify(
            alice, factors, rhost=rhost, **bad)) <= 11
    assert honest.verify(alice, factors)["answer"] == "allow"


def test_a_hostile_host_that_knows_the_password_disables_no_second_factor(world):
    hostile, honest, alice = PamHost(world, "hostile"), PamHost(world, "honest"), member(world)
    for failures in (0, 0, 0, 48, 99, 100):             # of a hundred wrong codes in a row, at which it would end
        if failures:
            world.query("UPDATE counterfoil.factor SET failures = %s WHERE account_id = %s", (failures, alice.id))
        for _ in range(2):
            world.query("UPDATE counterfoil.budget SET blocked_until = '-infinity'")
            assert hostile.verify(alice, "password+otp", code=wrong_code(world, alice))["password_right"]
        if failures == 48:
            assert world.query("SELECT failures FROM counterfoil.factor WHERE account_id = %s", (alice.id,)) == [(50,)]
            hostile.verify(alice, "password+otp", code=wrong_code(world, alice))
            assert world.query("SELECT failures FROM counterfoil.factor WHERE account_id = %s", (alice.id,)) == [(50,)]
    assert world.query("SELECT state FROM counterfoil.factor WHERE account_id = %s", (alice.id,)) == [("active",)]
    assert honest.verify(alice)["answer"] == "allow"
    assert world.query("SELECT count(*) FROM counterfoil.event WHERE account_id = %s AND kind = 'codes_failing'",
                       (alice.id,)) == [(1,)], "and the owner is told"


# --- work that tells nothing -----------------------------------------------------------------------------------------

def work(world, host, question):
    """(hashes, statements) of one question."""
    before, mark = world.authd.metric("counterfoil_password_hashes_total"), world.postgres.log_mark()
    host.ask("/v1/pam/verify", question)
    calls = [re.sub(r".*FROM counterfoil\.(\w+)\(.*", r"\1", text) for role, text in world.postgres.log_since(mark)
             if role == "counterfoil_authd" and re.match(r"LOG:\s+(execute|statement)", text)]
    return world.authd.metric("counterfoil_password_hashes_total") - before, calls


@pytest.mark.parametrize("factors, hashes, calls", [
    ("password+otp", 1, ["login_begin", "login_finish", "challenge_begin", "challenge_finish"]), ("password", 1, ["login_begin", "login_finish"]),
    ("otp", 0, ["otp_begin", "challenge_finish"])])
def test_R075_unknown_known_locked_and_decoy_are_the_same_work(world, host, factors, hashes, calls):
    alice, bob = member(world), member(world)
    world.query("UPDATE counterfoil.account SET state = 'locked' WHERE id = %s", (bob.id,))
    bad = {"password": WRONG} if "password" in factors else {}
    code = {"code": wrong_code(world, alice)} if "otp" in factors else {}
    nobody = worlds.Account(None, f"nobody-{secrets.token_hex(4)}", WRONG)
    host.verify(alice, factors, **bad, **code)          # every statement is prepared
    for what, question in (("wrong", host.question(alice, factors, **bad, **code)),
                           ("unknown", host.question(nobody, factors, **bad, **code)),
                           ("locked", host.question(bob, factors, **bad, **code)),
                           ("no name at all", host.question(worlds.Account(None, "a b", WRONG), factors, **bad, **code)),
                           ("decoy", host.question(alice, factors, "decoy"))):
        assert work(world, host, question) == (hashes, ["host_request_begin", *calls, "host_request_finish"]), what


def test_R075_a_wrong_code_behind_the_right_password_is_the_work_of_a_wrong_password(world, host):
    alice = member(world)
    questions = {"wrong password": {"password": WRONG, "code": wrong_code(world, alice)},
                 "wrong code": {"code": wrong_code(world, alice)},
                 "wrong password, recovery code": {"password": WRONG, "code": alice.recovery_codes[0]},
                 "unknown recovery code": {"code": member(world).recovery_codes[0]}}
    works = {what: work(world, host, host.question(alice, **members)) for what, members in questions.items()}
    blocked = world.query("UPDATE counterfoil.budget SET blocked_until = now() + interval '1 hour' WHERE kind = 'code' "
                          "RETURNING key")
    works["too many codes"] = work(world, host, host.question(alice, code=wrong_code(world, alice)))
    assert blocked and world.query("DELETE FROM counterfoil.budget WHERE kind = 'code' RETURNING true")
    assert works == dict.fromkeys(works, (1, ["host_request_begin", "login_begin", "login_finish", "challenge_begin",
                                              "challenge_finish", "host_request_finish"]))
    assert host.verify(alice, code=alice.recovery_codes[0])["answer"] == "allow", "a wrong password used no code up"


# --- a first authenticator --------------------------------------------------------------------------------------------

@pytest.fixture
def bob(world):
    """Somebody without an authenticator, and the code that an operator issued for one."""
    made = member(world, enrolled=False)
    made.enroll_code = issue(world, made)
    return made


def issue(world, account):
    return json.loads(world.counterfoil("enroll", "--realm", "staff", "--code", "--json", account.login))["code"]


def factors(world, account):
    return [state for state, in world.query("SELECT state FROM counterfoil.factor WHERE account_id = %s", (account.id,))]


def enrolled(world, account, started, told):
    """ACCOUNT with what it was shown, one time step later."""
    account.seed, account.recovery_codes = started["secret"], told["recovery_codes"].split(" ")
    world.advance(worlds.PERIOD_S)
    return account


def test_password_enrolment_code_and_two_codes_bind_and_sign_in(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    assert (started["answer"], started["reason"]) == ("enroll_started", "enroll_started")
    assert started["secret"] in started["otpauth_uri"] and re.fullmatch("[A-Z2-7]{32}", started["secret"])
    assert "recovery_codes" not in started and factors(world, bob) == ["pending"]
    told = host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, started))
    assert (told["answer"], told["reason"], told["must_change"]) == ("allow", "enrolled", False)
    assert "secret" not in told and len(told["recovery_codes"].split(" ")) == 10 and factors(world, bob) == ["active"]
    events = world.staff_api().get(f"/v1/events?account={bob.id}&limit=1000").json()["events"]
    assert [(event["kind"], event["reason"]) for event in events if event["request_id"] == told["request_id"]] == \
        [("factor_bound", "first"), ("login_code", "enrolled")]
    enrolled(world, bob, started, told)
    assert host.verify(bob)["answer"] == "allow" and host.verify(bob, code=bob.recovery_codes[9])["answer"] == "allow"
    assert host.enroll_start(bob, bob.enroll_code)["reason"] == "enrolled_meanwhile", "the code was for one authenticator"


def test_nothing_starts_without_the_password_or_the_enrolment_code(world, host, bob):
    eve = member(world, enrolled=False)
    for changes, reason in (({"password": WRONG}, "wrong_password"), ({"enroll_code": issue(world, eve)}, "wrong_enroll_code"),
                            ({"enroll_code": "123456"}, "wrong_enroll_code"), ({"user": bob.login.upper()}, "unknown_login")):
        told = host.ask("/v1/pam/enroll", {**host.body(bob.login, operation="start", password=bob.password,
                                                       enroll_code=bob.enroll_code), **changes})
        assert told["reason"] == reason and "secret" not in told and factors(world, bob) == []
    world.query("UPDATE counterfoil.account SET state = 'locked' WHERE id = %s", (bob.id,))
    assert host.enroll_start(bob, bob.enroll_code)["answer"] == "deny" and factors(world, bob) == []


def test_only_two_codes_in_a_row_of_what_was_started_bind(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    right = host.confirmation(bob, bob.enroll_code, started)
    for spoilt, reason in (({"code_before": right["code"]}, "wrong_code"), ({"code": right["code_before"]}, "wrong_code"),
                           ({"code": "1"}, "enrollment_over"), ({"enroll_code": "A" * 24}, "enrollment_over"),
                           ({"factor_id": "00000000-0000-4000-8000-000000000000"}, "enrollment_over")):
        told = host.ask("/v1/pam/enroll", {**host.body(bob.login), **right, "request_id": str(uuid.uuid4()), **spoilt})
        assert (told["answer"], told["reason"]) == ("deny", reason) and "recovery_codes" not in told
    assert factors(world, bob) == ["pending"]
    assert host.ask("/v1/pam/enroll", right)["answer"] == "allow"


def test_what_was_started_lapses_after_ten_minutes(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    world.advance(601)
    told = host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, started))
    assert (told["answer"], told["reason"], factors(world, bob)) == ("deny", "enrollment_over", ["pending"])
    again_started = host.enroll_start(bob, bob.enroll_code)
    assert host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, again_started))["answer"] == "allow"


@pytest.mark.parametrize("lost", ["on its way", "before it was remembered"])
def test_a_confirmation_whose_reply_was_lost_is_allowed_once_more_with_recovery_codes_that_work(world, host, bob, lost):
    """The enrolment code is used up by then, and nobody has seen the codes of the first reply."""
    started = host.enroll_start(bob, bob.enroll_code)
    confirmation = host.confirmation(bob, bob.enroll_code, started)
    first = host.ask("/v1/pam/enroll", confirmation)
    if lost != "on its way":
        world.query("UPDATE counterfoil.host_request SET decision = NULL WHERE request_id = %s", (confirmation["request_id"],))
    second = host.ask("/v1/pam/enroll", confirmation)
    assert (first["answer"], second["answer"]) == ("allow", "allow") and first["recovery_codes"] != second["recovery_codes"]
    assert world.query("SELECT count(*) FROM counterfoil.event WHERE account_id = %s AND kind = 'factor_bound'", (bob.id,)) == [(1,)]
    enrolled(world, bob, started, second)
    assert host.verify(bob, code=first["recovery_codes"].split(" ")[0])["answer"] == "deny"
    assert host.verify(bob, code=bob.recovery_codes[0])["answer"] == "allow"


def test_nothing_but_the_same_confirmation_of_the_same_host_within_the_minute_comes_again(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    confirmation = host.confirmation(bob, bob.enroll_code, started)
    told = host.ask("/v1/pam/enroll", confirmation)
    assert told["answer"] == "allow"
    expect(host.post("/v1/pam/enroll", {**confirmation, "code": "000000"}), 409, "conflict")
    for other, question in ((PamHost(world, "web2"), confirmation), (host, {**confirmation, "request_id": str(uuid.uuid4())})):
        assert other.ask("/v1/pam/enroll", question)["answer"] == "deny"
    world.advance(61)
    assert host.ask("/v1/pam/enroll", confirmation)["answer"] == "deny"
    enrolled(world, bob, started, told)
    assert host.verify(bob, code=bob.recovery_codes[0])["answer"] == "allow", "its recovery codes are as they were"


def test_after_a_sign_in_a_confirmation_no_longer_comes_again(world, host, bob):
    """Somebody has the authenticator, and may have the codes."""
    started = host.enroll_start(bob, bob.enroll_code)
    confirmation = host.confirmation(bob, bob.enroll_code, started)
    enrolled(world, bob, started, host.ask("/v1/pam/enroll", confirmation))
    assert host.verify(bob)["answer"] == "allow"
    assert host.ask("/v1/pam/enroll", confirmation)["answer"] == "deny"
    assert host.verify(bob, code=bob.recovery_codes[0])["answer"] == "allow"


def test_a_start_whose_reply_was_lost_starts_anew_and_a_refused_one_counts_once(world, host, bob):
    question = host.body(bob.login, operation="start", password=bob.password, enroll_code=bob.enroll_code)
    first, second = host.ask("/v1/pam/enroll", question), host.ask("/v1/pam/enroll", question)
    assert first["secret"] != second["secret"] and factors(world, bob) == ["pending"]
    wrong = host.body(bob.login, operation="start", password=bob.password, enroll_code="A" * 24)
    assert {host.ask("/v1/pam/enroll", wrong)["reason"] for _ in range(12)} == {"wrong_enroll_code"}
    assert host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, first))["answer"] == "deny"
    assert host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, second))["answer"] == "allow"


def test_nothing_that_is_shown_once_is_remembered(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    told = host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, started))
    for table in ("host_request", "event", "factor", "recovery_code", "ticket"):
        kept = world.query(f"SELECT coalesce(string_agg(to_jsonb(t)::text, ' '), '') FROM counterfoil.{table} t")[0][0]
        assert not [word for word in (started["secret"], bob.enroll_code, *told["recovery_codes"].split(" ")) if word in kept]
    log = world.authd.log.read_text()
    assert 'operation="confirm"' in log
    assert not [word for word in (started["secret"], bob.enroll_code, told["recovery_codes"][:29]) if word in log]


@pytest.mark.parametrize("field, value", [
    ("operation", "verify"), ("factor_id", "1"), ("enroll_code", None), ("enroll_code", "A" * 513), ("code", ""), ("password", 1)])
def test_what_is_no_question_about_an_authenticator_is_refused(host, field, value):
    body = {**host.body("alice", operation="confirm", enroll_code="A" * 24, factor_id="00000000-0000-4000-8000-000000000000",
                        code_before="123456", code="654321"), field: value}
    expect(host.post("/v1/pam/enroll", {name: word for name, word in body.items() if word is not None}), 422, "invalid", field=field)


@pytest.mark.parametrize("operation, missing", [("start", "password"), ("confirm", "factor_id"), ("confirm", "code_before"),
                                                ("confirm", "code")])
def test_a_question_about_an_authenticator_without_what_it_needs_is_refused(host, operation, missing):
    body = host.body("alice", operation=operation, password="x", enroll_code="A" * 24, code_before="123456", code="654321",
                     factor_id="00000000-0000-4000-8000-000000000000")
    del body[missing]
    expect(host.post("/v1/pam/enroll", body), 422, "invalid", field="operation")


def test_guessing_enrolment_codes_is_slowed_down_for_the_hostile_host_alone(world, bob):
    hostile, honest = PamHost(world, "hostile"), PamHost(world, "honest")
    assert until_throttled(hostile, lambda number: hostile.enroll_start(bob, f"{'A' * 23}{chr(65 + number % 26)}")) <= 11
    assert honest.enroll_start(bob, bob.enroll_code)["answer"] == "enroll_started"


# --- the page beside the prompt ---------------------------------------------------------------------------------------

def opened(world, started):
    """A visitor with the link that STARTED brought."""
    visitor = visitors.Visitor(world)
    assert started["enroll_url"].startswith(world.authd.pages_url + "/enroll#")
    reply = visitor.exchange(visitors.token_of(started["enroll_url"]))
    assert reply.status_code == 204, reply.text
    return visitor


def bound(world, account):
    return world.query("SELECT actor, reason FROM counterfoil.event WHERE account_id = %s AND kind = 'factor_bound' AND "
                       "outcome = 'ok'", (account.id,))


def test_the_page_shows_the_key_of_the_prompt_and_what_it_binds_signs_in(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    page = opened(world, started)
    assert page.state().json()["login"] == bob.login
    shown = page.start().json()
    assert (shown["secret"].replace(" ", ""), shown["factor_id"]) == (started["secret"], started["factor_id"])
    assert page.start().status_code == 409, "and shows it once"
    codes = page.confirm(worlds.totp(started["secret"], world.now_s())).json()["recovery_codes"]
    assert page.state().json()["state"] == "done"
    for _ in range(2):
        told = host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, started))
        assert (told["answer"], told["reason"]) == ("deny", "enrolled_meanwhile") and "recovery_codes" not in told
    assert factors(world, bob) == ["active"] and bound(world, bob) == [("page", "first")]
    bob.seed = started["secret"]
    assert host.verify(bob)["reason"] == "code_replayed", "the page has used up this step"
    world.advance(worlds.PERIOD_S)
    assert host.verify(bob)["answer"] == "allow" and host.verify(bob, code=codes[0])["answer"] == "allow"


@pytest.mark.parametrize("shown", [False, True])
def test_what_the_prompt_binds_ends_the_page(world, host, bob, shown):
    started = host.enroll_start(bob, bob.enroll_code)
    page = opened(world, started)
    if shown:
        assert page.start().status_code == 201
    told = host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, started))
    assert (told["answer"], told["reason"]) == ("allow", "enrolled")
    world.advance(worlds.PERIOD_S)
    assert page.state().json()["state"] == "done"
    assert page.start().status_code == 409 and page.confirm(worlds.totp(started["secret"], world.now_s())).status_code == 409
    assert factors(world, bob) == ["active"] and bound(world, bob) == [(f"host:{host.id}", "first")]
    enrolled(world, bob, started, told)
    assert host.verify(bob, code=bob.recovery_codes[0])["answer"] == "allow", "its recovery codes are as they were"


def test_a_link_of_a_prompt_is_good_once_and_no_longer_than_what_is_pending(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    page = opened(world, started)
    assert visitors.Visitor(world).exchange(visitors.token_of(started["enroll_url"])).status_code == 409
    world.advance(560)
    assert page.state().json()["expires_in"] <= 40 and page.start().status_code == 201
    late = host.enroll_start(bob, bob.enroll_code)
    assert page.confirm(worlds.totp(started["secret"], world.now_s())).status_code == 409, "what it showed is gone"
    page = opened(world, late)
    world.advance(601)
    assert page.start().status_code == page.confirm(worlds.totp(late["secret"], world.now_s())).status_code == 409
    unused = [host.enroll_start(bob, bob.enroll_code)["enroll_url"] for _ in range(2)]
    assert visitors.Visitor(world).exchange(visitors.token_of(unused[0])).status_code == 404, "the newest alone counts"
    world.advance(601)
    assert visitors.Visitor(world).exchange(visitors.token_of(unused[1])).status_code == 410
    assert factors(world, bob) == ["pending"]


@pytest.mark.parametrize("end", ["a newer code", "a new password", "an authenticator"])
def test_what_ends_the_enrolment_code_ends_the_page_with_it(world, host, bob, end):
    started = host.enroll_start(bob, bob.enroll_code)
    page = opened(world, started)
    assert page.start().status_code == 201
    if end == "a newer code":
        issue(world, bob)
    elif end == "a new password":
        assert host.change(bob, "three ferries before breakfast")["answer"] == "allow"
    else:
        world.query("UPDATE counterfoil.factor SET state = 'revoked', seed_sealed = NULL, seed_key_id = NULL, pending_until = NULL "
                    "WHERE account_id = %s", (bob.id,))
        world.enroll(bob, world.staff_api())
    assert page.confirm(worlds.totp(started["secret"], world.now_s())).status_code == 409
    assert [state for state in factors(world, bob) if state == "active"] == ["active"] * (end == "an authenticator")


def test_a_page_of_another_link_still_makes_an_authenticator_of_its_own(world, host, bob):
    started = host.enroll_start(bob, bob.enroll_code)
    link = world.staff_api().post(f"/v1/accounts/{bob.id}/enrollment-links").json()["url"]
    assert visitors.Visitor(world).exchange(visitors.token_of(started["enroll_url"])).status_code == 404, "the newest alone counts"
    page = visitors.Visitor(world)
    assert page.exchange(visitors.token_of(link)).status_code == 204
    shown = page.start().json()
    assert shown["factor_id"] != started["factor_id"] and factors(world, bob) == ["pending"]
    assert host.ask("/v1/pam/enroll", host.confirmation(bob, bob.enroll_code, started))["reason"] == "enrollment_over"
    assert page.confirm(worlds.totp(shown["secret"].replace(" ", ""), world.now_s())).status_code == 200


# --- tickets for an outage ------------------------------------------------------------------------------------------------

def ticket_of(world, host, account, **members):
    """That a right code brings; the time step moves on for the next one."""
    world.advance(worlds.PERIOD_S)
    told = host.verify(account, **{"factors": "otp", "ssh_key": SSH_KEY, "ticket": True, **members})
    assert told["answer"] == "allow"
    return told.get("ticket")


def test_a_right_code_behind_a_key_at_sshd_brings_a_ticket_and_nothing_else_does(world, host):
    alice, key_line = member(world), world.installation.counterfoil("pam", "ticket-key")
    ticket, now = ticket_of(world, host, alice), world.now_s()
    issued, expires = (int(number) for number in ticket.split(".")[1:3])
    assert abs(issued - now) <= 60 and expires - issued == 28800
    assert offline_ticket.is_signed(key_line, ticket, alice.login, host.id, FINGERPRINT)
    assert not offline_ticket.is_signed(key_line, ticket, alice.login, "2f00112233445566", FINGERPRINT)
    for members in ({"ticket": False}, {"ticket": None}, {"ssh_key": None}, {"ssh_key": "no key"}, {"service": "sudo"},
                    {"factors": "password+otp"}, {"factors": "password"}):
        assert ticket_of(world, host, alice, **members) is None, members
    refused = host.verify(alice, "otp", code=wrong_code(world, alice), ssh_key=SSH_KEY, ticket=True)
    assert refused["answer"] == "deny" and "ticket" not in refused
    expect(host.post("/v1/pam/verify", host.question(alice, "otp", ssh_key=SSH_KEY, ticket="yes")), 422, "invalid", field="ticket")


def test_a_question_that_comes_again_brings_a_ticket_again(world, host):
    question = host.question(member(world), "otp", ssh_key=SSH_KEY, ticket=True)
    assert all(host.ask("/v1/pam/verify", question)["ticket"].startswith("cft1.") for _ in range(2))


def test_the_use_of_a_ticket_is_an_event_for_its_owner_and_once_only(world, host):
    alice = member(world)
    told = host.body(alice.login, operation="ticket_used", at=1795522736, left=0, expires_at=1795551536)
    assert {host.ask("/v1/pam/breakglass", told)["answer"] for _ in range(3)} == {"allow"}
    assert host.breakglass(alice.login, "ticket_used", left=0)["answer"] == "allow"
    assert world.query("SELECT notify, detail->>'host', detail->>'at', detail ? 'left' FROM counterfoil.event WHERE account_id = %s "
                       "AND kind = 'offline_ticket_used' ORDER BY id", (alice.id,)) == [(True, host.id, "1795522736", False)] * 2
    assert host.breakglass("nobody-here", "ticket_used", left=0)["answer"] == "allow"


# --- break-glass ------------------------------------------------------------------------------------------------------

def test_a_report_of_break_glass_codes_is_an_event_of_the_host_and_once_only(world, host):
    alice = member(world)
    told = host.body(alice.login, operation="issued", at=1795522736, left=8, expires_at=4000000000)
    assert {host.ask("/v1/pam/breakglass", told)["answer"] for _ in range(3)} == {"allow"}
    assert host.breakglass(alice.login, "used", left=7)["answer"] == "allow"
    assert world.query("SELECT kind, notify, detail->>'host', client_id, (detail->>'left')::int FROM counterfoil.event "
                       "WHERE account_id = %s AND kind LIKE 'breakglass%%' ORDER BY id", (alice.id,)) == [
        ("breakglass_issued", True, host.id, host.id, 8), ("breakglass_used", True, host.id, host.id, 7)]
    assert world.query("SELECT host, codes_left FROM counterfoil.breakglass WHERE account_id = %s", (alice.id,)) == [(host.id, 7)]
    assert host.breakglass(alice.login, "revoked", left=0)["answer"] == "allow"
    assert world.query("SELECT count(*) FROM counterfoil.breakglass WHERE account_id = %s", (alice.id,)) == [(0,)]


def test_codes_are_issued_to_active_accounts_only_but_their_use_is_recorded_whoever_it_was(world, host):
    alice = member(world)
    world.query("UPDATE counterfoil.account SET state = 'disabled' WHERE id = %s", (alice.id,))
    assert host.breakglass(alice.login)["answer"] == "unknown_user"
    assert host.breakglass("nobody-here")["answer"] == "unknown_user"
    assert host.breakglass(alice.login, "used", left=3)["answer"] == "allow"
    assert host.breakglass("nobody-here", "used", left=3)["answer"] == "allow"
    assert world.query("SELECT count(*) FROM counterfoil.event WHERE kind = 'breakglass_used' AND (account_id = %s OR "
                       "account_id IS NULL)", (alice.id,))[0][0] >= 2


@pytest.mark.parametrize("field, value", [("at", -1), ("at", 4294967296), ("at", "1"), ("left", 101), ("left", 1.5), ("left", True),
                                          ("expires_at", None), ("operation", "burned")])
def test_a_report_out_of_bounds_is_invalid(host, field, value):
    body = host.body("alice", operation="used", at=1, left=1, expires_at=2)
    body[field] = value
    expect(host.post("/v1/pam/breakglass", body), 422, "invalid", field=field)
