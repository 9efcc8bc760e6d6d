"""The helper by itself: what it takes from its socket, and what a request that comes again gets."""

import concurrent.futures
import signal
import socket
import struct
import subprocess
import uuid

import pytest

import pam_wire
import pam_world
import world as worlds

ALLOW, DENY = pam_world.ANSWERS["allow"], pam_world.ANSWERS["deny"]


def ask(staff, data, **options):
    return pam_wire.ask(worlds.installed("pam-helper"), staff.helper_conf, data, **options)


def verify(staff, person, **options):
    """With one and the same code, however late it has become."""
    person.typed = getattr(person, "typed", None) or person.code()
    return ask(staff, pam_wire.request(person.login, password=person.password, code=person.typed, **options))[0]


def test_a_reply_names_request_and_user(staff):
    alice, request_id = staff.hire(), uuid.uuid4()
    reply = verify(staff, alice, request_id=request_id)
    assert (reply["answer"], reply["id"], reply["user"], reply["password_right"]) == (ALLOW, request_id, alice.login, 1)


@pytest.mark.parametrize("factors", ["password+otp", "otp"])
def test_a_request_that_comes_again_gets_its_outcome_and_another_with_the_same_code_does_not(staff, factors):
    alice, request_id = staff.hire(), uuid.uuid4()
    assert verify(staff, alice, request_id=request_id, factors=factors)["answer"] == ALLOW
    for _ in range(3):
        assert verify(staff, alice, request_id=request_id, factors=factors)["answer"] == ALLOW
    reply = verify(staff, alice, factors=factors)
    assert (reply["answer"], reply["reason"]) == (DENY, "code_replayed")


def test_a_recovery_code_comes_again_with_its_request_alone(staff):
    alice, request_id = staff.hire(), uuid.uuid4()

    def once(**options):
        return ask(staff, pam_wire.request(alice.login, password=alice.password, code=alice.recovery_codes[0], **options))[0]
    assert once(request_id=request_id)["answer"] == ALLOW
    assert once(request_id=request_id)["answer"] == ALLOW
    assert once()["answer"] == DENY


def test_coming_again_needs_the_password_and_the_code_as_well(staff):
    alice, request_id = staff.hire(), uuid.uuid4()
    assert verify(staff, alice, request_id=request_id)["answer"] == ALLOW
    for password, code in ((alice.password, alice.wrong_code()), ("wrong", alice.code())):
        reply = ask(staff, pam_wire.request(alice.login, password=password, code=code, request_id=request_id))[0]
        assert reply["answer"] == DENY


def test_after_a_minute_a_request_is_forgotten(staff):
    alice, request_id = staff.hire(), uuid.uuid4()
    assert verify(staff, alice, request_id=request_id)["answer"] == ALLOW
    staff.query("UPDATE counterfoil.factor SET last_used_at = last_used_at - interval '61 seconds' WHERE account_id = %s",
                (staff.account_id(alice),))
    assert verify(staff, alice, request_id=request_id)["answer"] == DENY


GOOD = pam_wire.request("alice", password="pw", code="123456")
BODY = GOOD[4:]


def framed(body):
    return struct.pack(">I", len(body)) + body


MALFORMED = {
    "nothing": b"",
    "half a length": b"\0\0",
    "no body": struct.pack(">I", 0),
    "an enormous length": struct.pack(">I", 0xFFFFFFFF) + b"x" * 100,
    "4 KiB and one": framed(BODY + b"\0" * (4097 - len(BODY))),
    "the reply's magic": framed(b"CFR1" + BODY[4:]),
    "a byte too many": framed(BODY + b"\0"),
    "a field cut": framed(BODY[:-3]),
    "no user": framed(BODY.replace(pam_wire.field(7, b"alice\0"), b"")),
    "an empty user": framed(BODY.replace(pam_wire.field(7, b"alice\0"), pam_wire.field(7, b"\0"))),
    "a user without its NUL": framed(BODY.replace(pam_wire.field(7, b"alice\0"), pam_wire.field(7, b"alice"))),
    "a NUL inside": framed(BODY.replace(pam_wire.field(7, b"alice\0"), pam_wire.field(7, b"al\0ce\0"))),
    "a control character": framed(BODY.replace(pam_wire.field(7, b"alice\0"), pam_wire.field(7, b"al\nce\0"))),
    "not UTF-8": framed(BODY.replace(pam_wire.field(7, b"alice\0"), pam_wire.field(7, b"al\xffce\0"))),
    "a long user": framed(BODY.replace(pam_wire.field(7, b"alice\0"), pam_wire.field(7, b"x" * 257 + b"\0"))),
    "a field twice": framed(BODY.replace(pam_wire.field(7, b"alice\0"), pam_wire.field(7, b"alice\0") * 2)),
    "an unknown field": framed(BODY + pam_wire.field(99, b"x\0")),
    "an unknown operation": framed(BODY.replace(pam_wire.field(2, b"\0\0\0\1"), pam_wire.field(2, b"\0\0\0\x63"))),
    "a zero that should be left out": framed(BODY + pam_wire.field(16, b"\0\0\0\0")),
    "no operation": framed(BODY.replace(pam_wire.field(2, b"\0\0\0\1"), pam_wire.field(2, b"\0\0\0\0"))),
    "a number of three bytes": framed(BODY.replace(pam_wire.field(2, b"\0\0\0\1"), pam_wire.field(2, b"\0\0\1"))),
    "a short id": framed(BODY.replace(BODY[4:23], pam_wire.field(1, b"x" * 15))),
    "an hour's budget": framed(BODY.replace(pam_wire.field(5, struct.pack(">I", 29700)), pam_wire.field(5, struct.pack(">I", 3600000)))),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_is_answered_with_the_end_of_the_helper(staff, what):
    reply, status = ask(staff, MALFORMED[what])
    assert reply is None and status == 76


def deafen():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])


def test_a_helper_that_nobody_tells_anything_ends_by_itself_also_where_its_caller_ignores_alarms(staff):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen([str(worlds.installed("pam-helper")), "--config", str(staff.helper_conf)], stdin=theirs,
                                   env={}, preexec_fn=deafen)
        try:
            assert process.wait(60) == -signal.SIGALRM
        finally:
            process.kill()


@pytest.mark.parametrize("missing", ["password", "code"])
def test_a_request_without_a_factor_that_it_names_lets_nobody_in(staff, missing):
    texts = {"password": "pw", "code": "123456"}
    del texts[missing]
    reply, _ = ask(staff, pam_wire.request("alice", **texts))
    assert (reply["answer"], reply["reason"]) == (pam_world.ANSWERS["internal"], "incomplete")


def test_of_fifty_helpers_with_one_code_one_lets_in(staff):
    alice = staff.hire()
    # patient with a busy machine: this is about the code, not about time
    staff.write_helper_conf({("helper", "parallel"): 50, ("database", "connect_timeout_s"): 10,
                             ("database", "statement_timeout_ms"): 25000})
    code = alice.code()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: ask(staff, pam_wire.request(
            alice.login, password=alice.password, code=code, budget_ms=59000, connect_ms=10000), timeout=70)[0], range(50)))
    staff.write_helper_conf()
    assert [reply["answer"] for reply in replies].count(ALLOW) == 1
    assert {reply["reason"] for reply in replies} <= {"granted", "code_replayed", "throttled", "wrong_code", "challenge_over"}


def test_a_helper_killed_at_any_moment_accepts_no_code_twice_and_leaves_no_lock(staff):
    """SIGKILL after ever longer moments of its work; each kill may have come before or after the code was used up."""
    alice = staff.hire()
    accepted = 0
    for moment in range(12):
        code = alice.recovery_codes[moment % 10]
        ours, theirs = socket.socketpair()
        process = subprocess.Popen([str(worlds.installed("pam-helper")), "--config", str(staff.helper_conf)], stdin=theirs,
                                   env={}, cwd="/")
        theirs.close()
        ours.sendall(pam_wire.request(alice.login, password=alice.password, code=code))
        ours.settimeout(0.01 * moment)
        try:
            received = ours.recv(65536)         # sent at once; with the socket's time limit, so never a wait for more
            accepted += received != b"" and pam_wire.parse_reply(received)["answer"] == ALLOW
        except (TimeoutError, BlockingIOError):
            process.kill()
        process.wait()
        ours.close()
    used, = staff.query("SELECT count(*) FROM counterfoil.recovery_code WHERE account_id = %s AND used_at IS NOT NULL",
                        (staff.account_id(alice),))[0]
    assert accepted <= used <= 10
    staff.query("DELETE FROM counterfoil.budget")
    assert verify(staff, alice)["answer"] == ALLOW
    assert verify(staff, alice)["answer"] == DENY
