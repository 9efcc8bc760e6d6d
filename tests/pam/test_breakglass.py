"""Break-glass: a code of this host lets somebody in while the service is away, once, and only then."""

import concurrent.futures
import json
import os
import re
import socket
import subprocess

import pytest

import breakglass_host
import pam_wire
import pam_world
import world as worlds
from breakglass_host import ALLOW, DENY, MISCONFIGURED, NOT_ENROLLED, THROTTLED, UNAVAILABLE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="break-glass codes are root's business")


@pytest.fixture
def glass(staff):
    made = breakglass_host.Breakglass(staff)
    made.clear()
    yield made
    made.clear()
    staff.write_helper_conf()


@pytest.fixture
def alice(staff):
    return staff.hire(enrolled=False)


def said(reply):
    return reply["answer"], reply["reason"]


# --- when a code counts -----------------------------------------------------------------------------------------------

def test_a_code_lets_in_after_three_failures_over_a_minute_and_once_only(glass, alice):
    codes = glass.issue(alice)
    glass.outage(alice)
    reply = glass.ask(alice, codes[0])
    assert said(reply) == (ALLOW, "breakglass_used") and reply["offline"] == 1
    assert glass.codes.left(alice.login) == 7
    for typed in (codes[0], codes[0].replace("-", "").lower()):
        assert said(glass.ask(alice, typed)) == (DENY, "breakglass_wrong")
    assert glass.ask(alice, codes[1])["answer"] == ALLOW
    assert glass.codes.left(alice.login) == 6


def test_a_shorter_outage_takes_no_code_and_uses_none_up(glass, alice):
    codes = glass.issue(alice)
    for wait in (0, 15, 15, 10):                # the fourth failure comes 40 s behind the first, and what a busy machine adds
        glass.advance(wait)
        assert said(glass.ask(alice, codes[0])) == (UNAVAILABLE, "breakglass_early")
    assert glass.codes.left(alice.login) == 8
    glass.advance(20)
    assert glass.ask(alice, codes[0])["answer"] == ALLOW


def test_two_failures_are_no_outage_however_long_ago_the_first_was(glass, alice):
    codes = glass.issue(alice)
    glass.ask(alice)
    glass.advance(300)
    assert said(glass.ask(alice, codes[0])) == (UNAVAILABLE, "breakglass_early")
    assert glass.ask(alice, codes[0])["answer"] == ALLOW


def test_an_answer_in_between_ends_the_outage(glass, alice):
    codes = glass.issue(alice)
    glass.outage(alice)
    assert glass.ask(alice, away=False)["answer"] == NOT_ENROLLED
    for _ in range(2):
        assert said(glass.ask(alice, codes[0])) == (UNAVAILABLE, "breakglass_early")


def test_failures_far_apart_are_no_outage_since_nobody_knows_what_was_in_between(glass, alice):
    codes = glass.issue(alice)
    glass.outage(alice)
    glass.advance(601)
    assert said(glass.ask(alice, codes[0])) == (UNAVAILABLE, "breakglass_early")


def test_a_clock_that_was_set_back_begins_the_count_anew(glass, alice):
    codes = glass.issue(alice)
    glass.advance(7200)
    glass.outage(alice)
    glass.advance(-3600)
    assert said(glass.ask(alice, codes[0])) == (UNAVAILABLE, "breakglass_early")


def test_a_service_that_does_not_ask_for_it_neither_takes_a_code_nor_counts(glass, alice):
    codes = glass.issue(alice)
    for wait in (0, 30, 31):
        glass.advance(wait)
        assert said(glass.ask(alice, codes[0], offline=None)) == (UNAVAILABLE, "unavailable")
    assert said(glass.ask(alice, codes[0])) == (UNAVAILABLE, "breakglass_early")
    glass.outage(alice)
    assert said(glass.ask(alice, codes[0], offline="no")) == (UNAVAILABLE, "unavailable")
    for factors in ("password+otp", "password"):
        assert glass.ask(alice, codes[0], factors=factors, password=alice.password)["answer"] == UNAVAILABLE
    assert glass.codes.left(alice.login) == 8


def test_what_a_set_uid_program_saw_does_not_count_but_its_user_may_use_a_code(glass, alice):
    codes = glass.issue(alice)
    for wait in (0, 30, 31, 10):
        glass.advance(wait)
        assert said(glass.ask(alice, codes[0], offline="uncounted")) == (UNAVAILABLE, "breakglass_early")
    glass.outage(alice)
    assert glass.ask(alice, codes[0], offline="uncounted")["answer"] == ALLOW


def test_a_misconfigured_helper_is_no_outage(glass, alice):
    codes = glass.issue(alice)
    glass.outage(alice)
    glass.host.write_helper_conf({("keys", "keyring"): "/nonexistent"})
    assert glass.ask(alice, codes[0])["answer"] == MISCONFIGURED
    assert glass.codes.left(alice.login) == 8


def test_an_expired_code_is_refused(glass, alice):
    glass.host.write_helper_conf({("breakglass", "days"): 1})
    codes = glass.issue(alice)
    glass.advance(86400)
    glass.outage(alice)
    assert said(glass.ask(alice, codes[0])) == (DENY, "breakglass_expired")


def test_a_code_is_its_owners_alone(glass, alice, staff):
    codes, bob = glass.issue(alice), staff.hire(enrolled=False)
    glass.issue(bob)
    glass.outage(alice)
    assert glass.ask(bob, codes[0])["answer"] == DENY
    assert glass.ask("nobody-here", codes[0])["answer"] == DENY
    assert glass.ask(alice, codes[0])["answer"] == ALLOW


def test_new_codes_make_the_old_ones_void(glass, alice):
    old = glass.issue(alice)
    new = glass.issue(alice, count=2)
    glass.outage(alice)
    assert glass.ask(alice, old[0])["answer"] == DENY
    assert glass.ask(alice, new[1])["answer"] == ALLOW


# --- guessing -----------------------------------------------------------------------------------------------------------

WRONG = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"


def test_five_wrong_codes_delay_the_sixth_and_the_delay_is_on_the_disk(glass, alice):
    codes = glass.issue(alice)
    glass.outage(alice)
    for _ in range(5):
        assert said(glass.ask(alice, WRONG)) == (DENY, "breakglass_wrong")
    reply = glass.ask(alice, codes[0])
    assert said(reply) == (THROTTLED, "breakglass_throttled") and 0 < reply["retry_after_s"] <= 60
    assert glass.codes.left(alice.login) == 8
    glass.advance(61)
    assert glass.ask(alice, WRONG)["answer"] == DENY
    glass.advance(61)
    assert glass.ask(alice, codes[0])["answer"] == THROTTLED            # the second delay is twice the first
    glass.advance(60)
    assert glass.ask(alice, codes[0])["answer"] == ALLOW


def test_a_wrong_code_costs_a_hash_whether_there_are_codes_or_not(glass, alice, staff):
    """In calls of the system that tell a hash: it maps its memory."""
    other = staff.hire(enrolled=False)
    glass.issue(alice)
    glass.outage(alice)

    def hashes(login):
        process = ["strace", "-f", "-e", "trace=mmap", "-o", str(glass.host.directory / "trace"), str(breakglass_host.HELPER),
                   "--config", str(glass.conf(True))]
        ours, theirs = socket.socketpair()
        with ours, theirs:
            child = subprocess.Popen(process, stdin=theirs, env={"COUNTERFOIL_TEST_CLOCK": str(glass.clock)}, cwd="/")
            ours.sendall(pam_wire.request(login, factors="otp", code=WRONG, offline="yes"))
            assert child.wait(30) == 0
        big = re.findall(r"mmap\(NULL, (\d+)", (glass.host.directory / "trace").read_text())
        return sum(int(size) >= 19456 * 1024 for size in big)
    assert hashes(alice.login) == hashes(other.login) == hashes("nobody-here") > 0


# --- the file -----------------------------------------------------------------------------------------------------------

def cut(glass):
    glass.codes.raw(glass.codes.path.read_bytes()[:-1])


def change_a_digit(glass):
    data = bytearray(glass.codes.path.read_bytes())
    at = data.index(b"code ") + 10
    data[at] = ord("0") if data[at] != ord("0") else ord("1")
    glass.codes.raw(bytes(data))


def give_it_another_host(glass):
    glass.codes.write(re.sub(r"^host \w+", "host " + 64 * "0", glass.codes.body(), flags=re.M))


def own_it_as_another_user(glass):
    os.chown(glass.codes.path, 1, 1)


def open_it_for_the_group(glass):
    glass.codes.path.chmod(0o640)


def give_it_a_second_name(glass):
    os.link(glass.codes.path, glass.directory / "second")


def make_it_a_link(glass):
    glass.codes.path.rename(glass.directory / "elsewhere")
    glass.codes.path.symlink_to(glass.directory / "elsewhere")


def make_it_a_pipe(glass):
    glass.codes.path.unlink()
    os.mkfifo(glass.codes.path, 0o600)


def make_it_large(glass):
    glass.codes.raw(glass.codes.path.read_bytes() + b"\n" * 300000)


def make_it_empty(glass):
    glass.codes.raw(b"")


def open_its_folder(glass):
    glass.directory.chmod(0o755)


def give_the_folder_away(glass):
    os.chown(glass.directory, 1, 1)


BROKEN = [cut, change_a_digit, give_it_another_host, own_it_as_another_user, open_it_for_the_group, give_it_a_second_name,
          make_it_a_link, make_it_a_pipe, make_it_large, make_it_empty, open_its_folder, give_the_folder_away]


@pytest.mark.parametrize("breaking", BROKEN, ids=lambda breaking: breaking.__name__)
def test_a_file_that_is_not_as_it_must_be_lets_nobody_in_and_is_told_of(glass, alice, breaking):
    codes = glass.issue(alice, count=2)
    glass.outage(alice)
    breaking(glass)
    reply = glass.ask(alice, codes[0])
    assert said(reply) == (UNAVAILABLE, "breakglass_refused") and reply["detail"]
    assert "breakglass_file" in glass.syslog.read_text()
    assert glass.ask(alice, away=False)["answer"] == NOT_ENROLLED               # and a sign-in is not disturbed


FORGERIES = {
    "another host's digest": (r"^host \w+", lambda m: "host " + m[0][5:][::-1]),
    "a later end": (r"^(person \w+ \d+) (\d+)", lambda m: f"{m[1]} {int(m[2]) + 999999}"),
    "another login": (r"^person \w+", lambda m: "person " + b"mallory".hex()),
    "a leading zero": (r"^outage (\d+)", lambda m: "outage 0" + m[1]),
    "capital hex": (r"^code (\w+)", lambda m: "code " + m[1].upper()),
    "a cost below every policy": (r" 19456 2 ", lambda m: " 8 1 "),
    "a person twice": (r"^(person [^\n]+\n)", lambda m: m[1] + m[1]),
    "an unknown line": (r"^outage", lambda m: "comment\noutage"),
    "a login that is none": (r"^person \w+", lambda m: "person " + b"a b".hex()),
    "eleven codes": (r"^(code [^\n]+\n)", lambda m: m[1] * 11),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_line_that_was_forged_lets_nobody_in_even_with_the_right_sum(glass, alice, what):
    codes = glass.issue(alice, count=2)
    glass.outage(alice)
    pattern, change = FORGERIES[what]
    body, count = re.subn(pattern, change, glass.codes.body(), count=1, flags=re.M)
    assert count == 1
    glass.codes.write(body)
    for code in codes:
        assert glass.ask(alice, code)["answer"] != ALLOW


def test_the_codes_of_one_host_are_of_no_use_on_another_even_under_its_digest(glass, alice):
    """A line of a file binds to the host through what was hashed."""
    codes = glass.issue(alice, count=2)
    glass.outage(alice)
    body = glass.codes.body()
    run = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$0" "$@"', str(worlds.installed("counterfoil")),
           "--config", str(glass.host.conf), "breakglass"]
    done = subprocess.run([*run, "list"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 78 and "belongs to another host" in done.stdout
    glass.codes.path.unlink()
    subprocess.run([*run, "issue", glass.host.hire(enrolled=False).login], stdout=subprocess.DEVNULL, check=True)
    other = glass.codes.having("host")[0][0]
    glass.codes.write(re.sub(r"^host \w+", "host " + other, body, flags=re.M))
    data = pam_wire.request(alice.login, factors="otp", code=codes[0], offline="yes")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = subprocess.Popen(["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$0" "$@"',
                                  str(breakglass_host.HELPER), "--config", str(glass.conf(True))], stdin=theirs, cwd="/",
                                 env={"COUNTERFOIL_TEST_CLOCK": str(glass.clock), "PATH": os.environ["PATH"]})
        ours.sendall(data)
        assert child.wait(30) == 0
        reply = pam_wire.parse_reply(ours.recv(5000))
    assert said(reply) == (DENY, "breakglass_wrong")


@pytest.mark.parametrize("fault", ["FAULT_FULL", "FAULT_READ_ONLY"])
def test_a_disk_that_takes_no_more_lets_nobody_in_and_uses_nothing_up(glass, alice, fault):
    codes = glass.issue(alice)
    glass.outage(alice)
    reply = glass.ask(alice, codes[0], faults={fault: "1"})
    assert said(reply) == (UNAVAILABLE, "breakglass_not_written") and reply["detail"]
    assert glass.ask(alice, WRONG, faults={fault: "1"})["answer"] == UNAVAILABLE
    assert glass.ask(alice, codes[0])["answer"] == ALLOW


# --- two at once, and a sudden end ----------------------------------------------------------------------------------------

def race(glass, person, code, faults=None, at_once=8):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return [reply["answer"] for reply in pool.map(lambda _: glass.ask(person, code, faults=faults), range(at_once))]


def test_of_many_at_once_with_one_code_one_gets_in_and_a_careless_helper_lets_in_more(glass, alice):
    glass.host.write_helper_conf({("helper", "parallel"): 16})
    code = glass.issue(alice, count=1)[0]
    glass.outage(alice)
    before = glass.codes.path.read_bytes()
    assert race(glass, alice, code).count(ALLOW) == 1
    for _ in range(20):
        glass.codes.raw(before)
        if race(glass, alice, code, faults={"FAULT_NO_LOCKS": "1"}).count(ALLOW) > 1:
            return
    assert False, "the race shows nothing: the careless helper won it too"


def test_who_waited_while_another_counted_a_later_failure_does_not_end_the_outage(glass, alice):
    code = glass.issue(alice, count=1)[0]
    with concurrent.futures.ThreadPoolExecutor(1) as pool, glass.codes.locked() as wait_for_it:
        waiting = pool.submit(glass.ask, alice, code)
        wait_for_it()
        glass.advance(30)
        glass.codes.pretend_outage(20)
    assert waiting.result()["answer"] == ALLOW and glass.codes.having("outage")[0][2] == "6"


def test_a_helper_killed_at_any_moment_makes_no_used_code_good_again_and_loses_no_other(glass, alice):
    codes = glass.issue(alice, count=2)
    glass.outage(alice)
    before = glass.codes.path.read_bytes()
    left, ended = set(), None
    for moment in range(1, 40):
        glass.codes.raw(before)
        reply = glass.ask(alice, codes[0], faults={"FAULT_KILL_AT": str(moment)})
        left.add(count := glass.codes.left(alice.login))
        assert len(glass.codes.having("report")) == 2 - count           # the use and its report are one
        again = glass.ask(alice, codes[0])
        assert again["answer"] == (ALLOW if count == 2 else DENY)
        if reply is not None:
            assert reply["answer"] == ALLOW and count == 1
            ended = moment
            break
        assert glass.ask(alice, codes[1])["answer"] == ALLOW
    assert ended is not None and ended > 6 and left == {1, 2}


# --- what the service hears -----------------------------------------------------------------------------------------------

def reports_of(staff, person):
    return staff.query("SELECT kind, notify, detail->>'host', (detail->>'left')::int FROM counterfoil.event "
                       "WHERE account_id = %s AND kind LIKE 'breakglass%%' ORDER BY id", (staff.account_id(person),))


def test_each_use_is_an_alert_at_once_and_an_event_for_the_owner_once_the_service_is_back(glass, alice, staff):
    codes = glass.issue(staff.enroll(alice))
    host = os.uname().nodename
    assert reports_of(staff, alice) == [("breakglass_issued", True, host, 8)]
    glass.outage(alice)
    for code in codes[:2]:
        assert glass.ask(alice, code, rhost="192.0.2.7", tty="tty1")["answer"] == ALLOW
    alerts = glass.alerts()
    assert len(alerts) == 2 and all(f'user="{alice.login}"' in line and 'tty="tty1"' in line for line in alerts)
    assert not any(code in glass.syslog.read_text() for code in codes)
    assert len(reports_of(staff, alice)) == 1 and len(glass.codes.having("report")) == 2
    assert glass.ask(alice, glass.code(alice), away=False)["answer"] == ALLOW         # the next sign-in that finds it back
    assert reports_of(staff, alice)[1:] == [("breakglass_used", True, host, 7), ("breakglass_used", True, host, 6)]
    assert glass.codes.having("report") == []
    assert staff.query("SELECT host, codes_left FROM counterfoil.breakglass WHERE account_id = %s",
                       (staff.account_id(alice),)) == [(host, 6)]


def test_a_report_that_comes_again_is_one_event(glass, alice, staff):
    codes = glass.issue(alice)
    glass.outage(alice)
    glass.ask(alice, codes[0])
    waiting = glass.codes.path.read_bytes()
    for _ in range(2):                          # the helper died between the reply and the note that it had come
        glass.codes.raw(waiting)
        assert glass.ask("-", operation="breakglass_sync", away=False)["answer"] == ALLOW
    assert [event[0] for event in reports_of(staff, alice)] == ["breakglass_issued", "breakglass_used"]


def test_the_timer_counts_an_outage_too_and_delivers_when_it_is_over(glass, alice, staff):
    codes = glass.issue(alice)
    for wait in (0, 60, 60):
        glass.advance(wait)
        assert glass.ask("-", operation="breakglass_sync")["answer"] == UNAVAILABLE
    assert glass.ask(alice, codes[0])["answer"] == ALLOW
    assert glass.ask("-", operation="breakglass_sync", away=False)["answer"] == ALLOW
    assert reports_of(staff, alice)[-1][0] == "breakglass_used"
    assert said(glass.ask(alice, codes[1])) == (UNAVAILABLE, "breakglass_early")


# --- people who leave -----------------------------------------------------------------------------------------------------

def test_offboarding_names_the_hosts_and_the_next_round_takes_the_codes(glass, alice, staff):
    glass.issue(alice)
    proof = json.loads(staff.installation.counterfoil("staff", "offboard", alice.login, "--json"))
    assert [(host["host"], host["codes_left"]) for host in proof["breakglass"]] == [(os.uname().nodename, 8)]
    assert proof["breakglass"][0]["expires_at"] > proof["offboarded_at"]
    assert staff.query("SELECT detail->'breakglass_hosts' FROM counterfoil.event WHERE kind = 'offboarded' AND "
                       "account_id = %s", (staff.account_id(alice),)) == [({os.uname().nodename: 8},)]
    glass.run("sync")
    assert glass.codes.left(alice.login) is None
    assert reports_of(staff, alice)[-1][0] == "breakglass_revoked"
    again = json.loads(staff.installation.counterfoil("staff", "offboard", alice.login, "--json"))
    assert again["breakglass"] == []


def test_the_proof_says_in_words_when_the_codes_are_gone(glass, alice, staff):
    glass.issue(alice, count=1)
    text = staff.installation.counterfoil("staff", "offboard", alice.login)
    assert re.search(rf"{os.uname().nodename}: 1 break-glass codes?, gone within a minute .* by \d{{4}}-", text), text


@pytest.mark.parametrize("operation", ["look", "verify"])
def test_an_answer_that_says_locked_takes_the_codes_at_once(glass, alice, staff, operation):
    glass.issue(alice)
    staff.lock(alice)
    glass.ask(alice, away=False, operation=operation)
    assert glass.codes.left(alice.login) is None


def test_somebody_elses_refusal_takes_no_codes(glass, alice, staff):
    glass.issue(alice)
    bob = staff.hire(enrolled=False)
    staff.lock(bob)
    glass.ask(bob, away=False)
    glass.ask(alice, away=False)
    assert glass.codes.left(alice.login) == 8


def test_codes_whose_time_is_over_go_with_the_next_round(glass, alice, staff):
    glass.issue(alice)
    glass.advance(91 * 86400)
    assert glass.ask("-", operation="breakglass_sync", away=False)["answer"] == ALLOW
    assert glass.codes.left(alice.login) is None
    assert staff.query("SELECT kind, reason FROM counterfoil.event WHERE account_id = %s ORDER BY id DESC LIMIT 1",
                       (staff.account_id(alice),)) == [("breakglass_revoked", "expired")]


# --- the tool ---------------------------------------------------------------------------------------------------------------

def refused(glass, status, *arguments):
    done = subprocess.run([str(worlds.installed("counterfoil")), "--config", str(glass.host.conf), "breakglass",
                           *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == status, (done.returncode, done.stderr)
    assert not re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", done.stdout)
    return done.stderr


def test_codes_are_issued_to_active_staff_only_and_while_the_service_is_there(glass, alice, staff):
    staff.lock(alice)
    assert "no active account" in refused(glass, 67, "issue", alice.login)
    assert "no active account" in refused(glass, 67, "issue", "nobody-here")
    assert not glass.codes.path.exists()
    staff.write_helper_conf({("database", "url"): "host=127.0.0.1 port=1 dbname=nowhere"})
    assert "while Counterfoil is there" in refused(glass, 69, "issue", staff_login := alice.login)
    assert staff_login and not glass.codes.path.exists()


def test_codes_that_could_not_be_written_leave_the_old_ones_good_and_the_service_knows_which_there_are(glass, alice, staff):
    def known():
        return staff.query("SELECT codes_left FROM counterfoil.breakglass WHERE account_id = %s", (staff.account_id(alice),))
    command = [worlds.installed("counterfoil"), "--config", glass.host.conf, "breakglass", "issue", alice.login]
    full = {"FAULT_FULL": "1", "LD_PRELOAD": str(breakglass_host.FAULTS)}
    glass.issue(alice, count=1)
    glass.run("revoke", alice.login)
    for before, left in ((lambda: None, []), (lambda: glass.issue(alice, count=3), [(3,)])):
        before()
        done = subprocess.run(list(map(str, command)), env=full, stdout=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 73 and done.stdout == ""
        assert known() == left
    assert glass.codes.left(alice.login) == 3


def test_a_code_has_120_bits_and_is_nowhere_in_clear(glass, alice):
    codes = glass.issue(alice)
    assert len(set(codes)) == 8 and all(len(code.replace("-", "")) * 5 == 120 for code in codes)
    stored = glass.codes.path.read_text().upper()
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    assert glass.codes.path.stat().st_mode & 0o777 == 0o400 and glass.directory.stat().st_mode & 0o777 == 0o700


def test_list_tells_how_many_are_left_and_revoke_takes_them(glass, alice, staff):
    assert "No break-glass codes" in glass.run("list")
    glass.issue(alice, count=2)
    bob = staff.hire(enrolled=False)
    glass.issue(bob)
    listed = glass.run("list")
    assert re.search(rf"^{alice.login}: 2 codes, .*: issue new ones$", listed, re.M)
    assert re.search(rf"^{bob.login}: 8 codes, issued \S+, good until \S+$", listed, re.M)
    assert "has no codes" in refused(glass, 67, "revoke", "nobody-here")
    assert "1 person" in glass.run("revoke", bob.login)
    assert glass.codes.left(bob.login) is None and glass.codes.left(alice.login) == 2
    assert "1 person" in glass.run("revoke", "--all")
    assert glass.codes.having("person") == []
    assert reports_of(staff, bob)[-1][0] == reports_of(staff, alice)[-1][0] == "breakglass_revoked"


def test_revoking_needs_no_service(glass, alice, staff):
    glass.issue(alice)
    staff.write_helper_conf({("database", "url"): "host=127.0.0.1 port=1 dbname=nowhere"})
    assert "hears of it later" in glass.run("revoke", alice.login)
    assert glass.codes.left(alice.login) is None
    staff.write_helper_conf()
    glass.run("sync")
    assert reports_of(staff, alice)[-1][0] == "breakglass_revoked"


@pytest.mark.parametrize("arguments", [("issue",), ("issue", "a", "b"), ("issue", "a b"), ("issue", "alice", "--count", "0"),
                                       ("issue", "alice", "--count", "11"), ("issue", "alice", "--count", "x"),
                                       ("revoke",), ("revoke", "alice", "--all"), ("list", "x"), ("burn",), ()])
def test_a_command_line_that_says_nothing_sensible_is_64(glass, arguments):
    refused(glass, 64, *arguments)


# --- the set-gid helper -------------------------------------------------------------------------------------------------

def test_the_file_of_the_audit_trail_of_one_host_fills_no_table(glass, alice, staff):
    """A host that reports for ever new names of itself is stopped."""
    account = staff.account_id(alice)
    staff.query("INSERT INTO counterfoil.breakglass SELECT %s, 'host' || n, now(), now() + interval '1 day', 1, "
                "gen_random_uuid() FROM generate_series(1, 1000) n", (account,))
    assert "take note" in refused(glass, 70, "issue", alice.login)
    staff.query("DELETE FROM counterfoil.breakglass WHERE account_id = %s", (account,))


@pytest.mark.parametrize("report", [("issued", 1, 101, 2), (9, 1, 1, 1), (0, 1, 1, 1)])
def test_a_report_of_nonsense_is_refused(glass, alice, report):
    reply = glass.ask(alice, operation="breakglass_report", away=False, report=report, target="web1")
    assert reply["answer"] == DENY


def test_the_module_knows_the_answers_of_the_new_operations(glass):
    assert said(glass.ask("-", operation="breakglass_state")) == (ALLOW, "no_codes")
    assert said(glass.ask("-", operation="breakglass_sync")) == (ALLOW, "synchronised")
    assert pam_world.ANSWERS["allow"] == ALLOW
