"""Single use: of many who come with one code at once, one gets in.  Standards R031, R032, R047, R158."""

import contextlib
import secrets
import threading

import house as houses
import world as worlds

MANY = 50
GATE = 4713
# Reads, waits until others have read too, then writes.
CARELESS = """CREATE OR REPLACE FUNCTION counterfoil.{name} RETURNS boolean LANGUAGE plpgsql AS $$
    DECLARE v_last bigint := (SELECT last_step FROM counterfoil.factor WHERE id = p_factor_id);
    BEGIN
        IF v_last >= p_step THEN RETURN false; END IF;
        PERFORM pg_advisory_xact_lock_shared({gate});
        UPDATE counterfoil.factor SET last_step = p_step WHERE id = p_factor_id;
        RETURN true;
    END $$"""


def consume_at_once(house, person):
    """How many of fifty connections use up one step."""
    def consume(_):
        with house.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET search_path = counterfoil; SELECT totp_consume(NULL::caller, %s, %s, 5000)",
                           (person.id, person.factor))
            return cursor.fetchone()[0]
    return sum(houses.in_parallel(MANY, consume))


@contextlib.contextmanager
def gate_until_two_have_read(house):
    """Who has read waits behind a lock of ours until there are two of them: the race is there on any machine."""
    with house.connect() as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(%s)", (GATE,))

        def open_gate():
            try:
                worlds.wait_until(lambda: house.one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                                                    "AND objid = %s AND NOT granted", (GATE,)) >= 2, "two who have read")
            finally:
                holder.cursor().execute("SELECT pg_advisory_unlock(%s)", (GATE,))
        opener = threading.Thread(target=open_gate)
        opener.start()
        try:
            yield
        finally:
            opener.join(60)


def test_of_fifty_who_consume_one_step_one_finds_it_unused(house, authd):
    """R031: and a version that reads, then writes, lets more than one pass."""
    assert consume_at_once(house, authd.customer()) == 1
    name = house.one("SELECT 'totp_consume(' || pg_get_function_arguments(oid) || ')' FROM pg_proc "
                     "WHERE proname = 'totp_consume'")
    right = house.one("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'totp_consume'")
    house.query("SET search_path = counterfoil; " + CARELESS.format(name=name, gate=GATE))
    try:
        person = authd.customer()
        with gate_until_two_have_read(house):
            assert consume_at_once(house, person) > 1, "the judge is blind"
    finally:
        house.query(right)


def finish_at_once(house, shop, person, **code):
    """The verdicts of fifty who finish a challenge each with one code."""
    wide = houses.THROTTLE.but(code_limit=100)
    with house.desk(caller=shop) as desk:
        challenges = [desk.challenge(person) for _ in range(MANY)]
        begun = [desk.rows("challenge_begin", challenge, "login", 5, wide)[0] for challenge in challenges]

    def finish(number):
        with house.desk(caller=shop) as desk:
            return desk.code_finish(challenges[number], begun[number], **code)["verdict"]
    return sorted(houses.in_parallel(MANY, finish))


def test_of_fifty_challenges_with_one_code_one_is_granted(house, authd, shop):
    person = authd.customer()
    assert finish_at_once(house, shop, person, step=2000) == ["denied"] * (MANY - 1) + ["granted"]


def test_of_fifty_challenges_with_one_recovery_code_one_is_granted(house, authd, shop):
    """R047."""
    person = authd.customer()
    assert finish_at_once(house, shop, person, recovery=person.recovery[0]) == ["denied"] * (MANY - 1) + ["granted"]


def test_an_older_step_is_no_code_any_more_and_confirming_uses_one_up(authd):
    """R031, R032: T after T + 1, and the code with which the authenticator was bound."""
    person = authd.customer()
    assert authd.code(authd.challenge(person), step=person.step)["reason"] == "code_replayed"
    assert authd.code(authd.challenge(person), step=person.step + 2)["verdict"] == "granted"
    assert authd.code(authd.challenge(person), step=person.step + 1)["reason"] == "code_replayed"


def test_a_used_challenge_and_one_of_another_kind_or_client_open_nothing(house, authd, shop):
    """R094."""
    person = authd.customer()
    challenge = authd.challenge(person)
    assert authd.code(challenge, step=person.step + 1)["verdict"] == "granted"
    assert authd.code(challenge, step=person.step + 2)["reason"] == "challenge_over"
    challenge = authd.challenge(person)
    assert authd.code(challenge, step=person.step + 2, kind="step_up")["reason"] == "challenge_unknown"
    with house.desk(caller=house.make_client()) as other:
        assert other.code(challenge, step=person.step + 2)["reason"] == "challenge_unknown"
    assert authd.code(secrets.token_bytes(32), step=1)["reason"] == "challenge_unknown"


def test_fifty_who_create_one_account_with_one_key_find_the_same(house, shop):
    """An idempotent creation, all at once."""
    login, request = houses.digest("idempotent"), secrets.token_bytes(32)

    def create(_):
        with house.desk(caller=shop) as desk:
            return desk.call("account_create", houses.Person().id, login, b"sealed", 1, None, None, None, None, request,
                             request)["account_id"]
    assert len(set(houses.in_parallel(20, create))) == 1
    with house.desk(caller=shop) as desk:
        assert desk.refusal("account_create", houses.Person().id, login, b"sealed", 1, None, None, None, None, request,
                            b"another request") == "CF409"


def test_a_lock_or_a_new_password_between_begin_and_finish_denies_and_a_stronger_hash_does_not(authd, operator):
    person = authd.person()
    begun = authd.begin(person.digest)
    assert authd.finish(person.digest, authd.begin(person.digest), True, new_sealed=b"stronger")["verdict"] == "granted"
    assert authd.finish(person.digest, begun, True)["verdict"] == "granted"
    begun = authd.begin(person.digest)
    operator.call("password_set", person.id, b"another", 1, houses.FORM, False)
    assert authd.finish(person.digest, begun, True)["reason"] == "changed_meanwhile"
    begun = authd.begin(person.digest)
    authd.call("account_set_state", person.id, "locked", None)
    assert authd.finish(person.digest, begun, True)["reason"] == "changed_meanwhile"
