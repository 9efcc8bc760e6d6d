"""What PAM hosts ask authd: one key a host, every decision a 200 bound to its question, and no way beyond it."""

import base64
import secrets
import subprocess

import pytest
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
    assert (host.change(alice, "short")["answer"], host.change(alice, "short")["reason"]) == \
        ("password_refused", "too_short")
    assert host.change(alice, "three ferries before breakfast")["answer"] == "allow"
    assert host.verify(alice, "password")["answer"] == "deny"
    alice.password = "three ferries before breakfast"
    assert host.verify(alice, "password")["answer"] == "allow"


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
    assert closed["kind"] == "session_closed" and alice.login not in str(closed)


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
             ("/v1/pam/account", {}), ("/v1/pam/session", {"operation": "open"}))


def refused(world, key, status, kind):
    for number in (0, 1):
        for path, members in QUESTIONS:
            expect(world.api(number, key).post(path, PamHost.body("alice", **members)), status, kind)


def test_without_a_key_or_with_a_revoked_one_nothing_is_told(world):
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


def test_a_hosts_key_opens_nothing_else_of_the_api(world, host):
    """A stolen one reads no seed, no hash, no account, no trail."""
    nobody, routes, alice = "00000000-0000-4000-8000-000000000000", routes_with_a_key(), member(world)
    assert len(routes) > 25
    for method, path in routes:
        path = path.format(account=alice.id, factor=alice.factor_id,
                           challenge=base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="), session=nobody, device=nobody)
        body = None if method in ("GET", "DELETE") else {}
        expect(world.api(key=host.key).call(method, path, body), 403, "forbidden")
