"""Hosts that ask authd with a key: what they reach, what is counted for each alone, and what is remembered of a question."""

import secrets
import uuid

import house as houses
import pytest

PAM = 64


@pytest.fixture(scope="module")
def staff(house):
    """Somebody of the staff realm with an authenticator."""
    with house.desk(caller=house.make_client(realm=houses.STAFF)) as desk:
        yield desk


@pytest.fixture
def web1(house):
    with house.desk(caller=keyed(house)) as desk:
        yield desk


def keyed(house, **members):
    return house.make_client(realm=houses.STAFF, scopes=PAM).but(kind="host", service="sshd", **members)


def again(desk):
    """The same host with another request."""
    return desk.caller.but(request_id=str(uuid.uuid4()))


def otp(desk, person, step=None, recovery=None):
    """A code without a password; what came of it."""
    challenge = secrets.token_bytes(32)
    begun = desk.rows("otp_begin", person.digest, challenge, desk.throttle)[0]
    assert begun["reason"] is None, begun
    return desk.code_finish(challenge, begun, step=step, recovery=recovery)


def test_the_scope_of_hosts_signs_in_and_changes_a_password_and_no_more(house, web1, staff):
    person = staff.customer()
    assert web1.begin(person.digest)["reason"] is None
    assert web1.call("account_status", person.digest)["state"] == "active"
    assert web1.call("password_begin", person.id, web1.throttle)["throttled_s"] == 0
    for function, arguments in (("link_create", (person.id, secrets.token_bytes(32), "enrollment", None, 600)),
                                ("factor_list", (person.id,)), ("factor_revoke", (person.id, person.factor)),
                                ("recovery_replace", (person.id, secrets.token_bytes(320)))):
        assert web1.refusal(function, *arguments) == "CF403", "only what an enrolment code opens: " + function
    for function, arguments in (("account_get", (person.id,)), ("event_list", (0, 10, None, None, False, None, None)),
                                ("session_list", (person.id, 10)), ("account_erase", (person.id,))):
        for kind in ("host", "client"):
            assert web1.refusal(function, *arguments, who=web1.caller.but(kind=kind)) == "CF403", function


def test_a_key_without_the_scope_or_of_the_store_is_no_hosts(house, web1):
    wide = house.make_client(realm=houses.STAFF)
    assert web1.refusal("login_begin", houses.digest("a"), None, web1.throttle, who=wide.but(kind="host")) == "CF403"
    store = house.make_client(scopes=PAM).but(kind="host")
    for realm, code in ((houses.STAFF, "CF401"), (houses.STORE, "CF403")):      # a key that no command makes
        assert web1.refusal("login_begin", houses.digest("a"), None, web1.throttle, who=store.but(realm=realm)) == code


def test_R031_a_code_counts_again_for_its_own_request_of_its_own_host_within_a_minute(house, web1, staff):
    person = staff.customer()
    assert otp(web1, person, step=person.step + 1)["verdict"] == "granted"
    assert otp(web1, person, step=person.step + 1)["verdict"] == "granted"
    assert otp(web1, person, recovery=person.recovery[0])["verdict"] == "granted"
    assert otp(web1, person, recovery=person.recovery[0])["verdict"] == "granted"
    same_id = {"request_id": web1.caller["request_id"]}
    for other in (again(web1), keyed(house, **same_id), houses.caller(kind="host", realm=houses.STAFF, **same_id)):
        role = "counterfoil_authd" if other["key_id"] else "counterfoil_pam"
        with house.desk(role, other) as desk:
            assert otp(desk, person, step=person.step + 1)["reason"] == "code_replayed"
            assert otp(desk, person, recovery=person.recovery[0])["verdict"] == "denied"
    house.advance(61)
    assert otp(web1, person, step=person.step + 1)["reason"] == "code_replayed"


def test_the_challenge_of_one_host_is_none_of_another(house, web1, staff):
    person, challenge = staff.customer(), secrets.token_bytes(32)
    begun = web1.rows("otp_begin", person.digest, challenge, web1.throttle)[0]
    with house.desk(caller=keyed(house)) as other:
        assert other.code_finish(challenge, begun, step=person.step + 1)["reason"] == "challenge_unknown"
    assert web1.code_finish(challenge, begun, step=person.step + 1)["verdict"] == "granted"


def test_a_question_is_remembered_for_its_host_for_a_minute_and_the_first_word_stands(house, web1):
    """Two who do the work of one request at once are told the same."""
    def begin(body, who=None):
        return web1.call("host_request_begin", houses.digest(body), who=who)

    def finish(decision, reason):
        return web1.call("host_request_finish", decision, reason, True, False, 0)["decision"]

    assert not begin("body")["known"] and not begin("body")["known"]
    assert (finish("allow", "granted"), finish("deny", "code_replayed")) == ("allow", "allow")
    told = begin("body")
    assert (told["known"], told["decision"], told["reason"], told["password_right"]) == (True, "allow", "granted", True)
    assert web1.refusal("host_request_begin", houses.digest("another body")) == "CF409"
    assert not begin("another body", again(web1))["known"]
    assert not begin("another body", keyed(house, request_id=web1.caller["request_id"]))["known"]
    house.advance(61)
    assert not begin("another body")["known"]


def test_only_a_host_with_a_key_is_remembered(house, web1, host, staff):
    assert host.refusal("host_request_begin", houses.digest("body")) == "42501", "a PAM host's role may not even call it"
    for who in (staff.caller, web1.caller.but(kind="client"), houses.caller(kind="host", realm=houses.STAFF)):
        assert web1.refusal("host_request_begin", houses.digest("body"), who=who) == "CF403"


def test_a_host_fills_the_trail_with_sessions_no_further_than_its_budget(house, web1, host, staff):
    person, few = staff.person(), web1.throttle.but(client_limit=5)

    def told(desk, kind="session_opened"):
        return desk.call("host_session", kind, person.digest, "root", "pts/1", few)["throttled_s"]

    assert [told(web1) > 0 for _ in range(8)] == [False] * 5 + [True] * 3
    assert told(host) == 0, "nobody else's"
    events = house.events(person.id)
    assert [event[:2] for event in events if event[0].startswith("session_")] == \
        [("session_opened", "ok")] * 5 + [("session_opened", "throttled"), ("session_opened", "ok")]
    for kind in ("login_password", None):
        assert web1.refusal("host_session", kind, person.digest, None, None, few) == "CF403"
    assert staff.refusal("host_session", "session_opened", person.digest, None, None, few) == "CF403"


def test_a_host_alone_disables_no_authenticator_and_the_owner_is_told_of_its_wrong_codes(house, web1, staff):
    person = staff.customer()
    web1.throttle = web1.throttle.but(code_limit=1000, factor_failures_max=10)
    for _ in range(20):
        assert web1.code(web1.challenge(person))["reason"] == "wrong_code"
    assert house.query("SELECT state, failures FROM counterfoil.factor WHERE id = %s", (person.factor,)) == [("active", 5)]
    assert len(house.events(person.id, "codes_failing")) == 1
