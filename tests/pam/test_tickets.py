"""Offline tickets: who signed in with an ssh key and a code gets in by the same key while the service is away, for some hours."""

import concurrent.futures
import os
import time

import pytest

import breakglass_host
import offline_ticket
import staff_machine
import world as worlds
from breakglass_host import ALLOW, DENY, MISCONFIGURED, UNAVAILABLE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="tickets are kept by root's helper")


@pytest.fixture
def host(service, staff, tmp_path):
    return offline_ticket.TicketHost(service.host(tmp_path / "host"), staff.installation)


@pytest.fixture(scope="module")
def alice(staff):
    return staff.hire()


@pytest.fixture
def ready(host, alice, staff):
    """A host where alice has signed in, and whose service has then been away for two minutes."""
    staff.forget_step(alice)
    host.sign_in(alice)
    host.pretend_outage()
    return host


# --- from the sign-in to the report ---------------------------------------------------------------------------------------

def test_a_ticket_of_an_online_sign_in_lets_the_same_key_in_while_the_service_is_away_and_is_told_of(ready, alice, staff):
    fingerprint, mark = ready.fingerprint, len(staff.events("offline_ticket_used"))
    ticket = ready.file(alice).read_text().split()[0]
    assert offline_ticket.is_signed(ready.public.read_text(), ticket, alice.login, ready.id, fingerprint)
    for _ in range(2):                          # as often as it is needed
        reply = ready.ask(alice, rhost="192.0.2.9")
        assert (reply["answer"], reply["reason"], reply["offline"]) == (ALLOW, "offline_ticket", 2)
    alerts = ready.alerts()
    assert len(alerts) == 2 and all(f'user="{alice.login}"' in line and 'offline="ticket"' in line and fingerprint in line and
                                    'rhost="192.0.2.9"' in line for line in alerts)
    waiting = ready.codes.having("report")
    assert [report[1] for report in waiting] == ["ticket_used"] * 2 and len(staff.events("offline_ticket_used")) == mark
    written = ready.codes.path.read_bytes()
    for _ in range(2):                          # the helper died between the reply and the note that it had come
        ready.codes.raw(written)
        assert ready.ask("-", "breakglass_sync", away=False, offline=None)["answer"] == ALLOW
    assert [event[1] for event in staff.events("offline_ticket_used")[mark:]] == ["ok", "ok"]
    assert ready.codes.having("report") == [] and ready.codes.having("outage") == [["0", "0", "0"]]
    told = staff.query("SELECT notify, detail->>'host', (detail->>'expires_at')::bigint FROM counterfoil.event WHERE "
                       "kind = 'offline_ticket_used' ORDER BY id DESC LIMIT 1")
    assert told == [(True, ready.id, int(ticket.split(".")[2]))]


def test_the_way_to_an_outage_is_three_failures_over_a_minute(host, alice, staff):
    staff.forget_step(alice)
    host.sign_in(alice)
    for offset in (0, 15, 30):                  # and what a busy machine adds
        host.set_clock(offset)
        assert host.reason(alice) == "ticket_early"
        assert host.ask(alice, "verify", code="000000")["answer"] == UNAVAILABLE
    host.set_clock(90)
    assert host.ask(alice)["answer"] == ALLOW
    host.set_clock(90 + 601)                    # nobody knows what was in between
    assert host.reason(alice) == "ticket_early"


def test_the_timer_notices_an_outage_where_nobody_has_codes(host, alice, staff):
    staff.forget_step(alice)
    host.sign_in(alice)
    for offset in (0, 60, 120):
        host.set_clock(offset)
        assert host.ask("-", "breakglass_sync", offline=None)["answer"] == UNAVAILABLE
    assert host.ask(alice)["answer"] == ALLOW
    assert host.ask("-", "breakglass_sync", away=False, offline=None)["answer"] == ALLOW
    assert host.reason(alice) == "ticket_early"


# --- what is no outage ------------------------------------------------------------------------------------------------------

def test_a_service_that_answers_ends_the_outage_whatever_it_answers(ready, alice):
    assert ready.reason(alice, away=False) == "ticket_not_needed"
    assert ready.reason(alice) == "ticket_early" and ready.codes.having("report") == []


def test_a_certificate_a_key_or_a_setting_that_is_wrong_is_no_outage(ready, alice, staff):
    for changes in ({"pin": "sha256//" + "A" * 43 + "="}, {"url": "http://localhost"},
                    {"ca_file": ready.host.certificates.ca.parent / "nothing.pem"}):
        ready.configure(**changes)
        assert ready.reason(alice, away=False) == "ticket_not_needed", changes
        ready.pretend_outage()
    ready.configure()
    staff.installation.counterfoil("client", "revoke", ready.id)
    assert ready.reason(alice, away=False) == "ticket_not_needed"


# --- what a ticket is good for, and what not ------------------------------------------------------------------------------

def test_another_key_of_the_same_person_is_refused(ready, alice, tmp_path):
    other, _ = offline_ticket.key_pair(tmp_path / "other")
    assert ready.reason(alice, key=other) == "ticket_invalid"
    assert ready.ask(alice)["answer"] == ALLOW


def test_it_is_for_sshd_with_a_key_and_a_code_alone(ready, alice):
    for members in ({"service": "sudo"}, {"service": "login"}, {"service": "sshd2"}, {"factors": "password+otp"},
                    {"factors": "password"}, {"offline": "yes"}, {"offline": None}, {"key": "none"}):
        assert ready.reason(alice, **members) == "ticket_refused", members
    assert ready.ask(alice, backend="postgresql")["answer"] == MISCONFIGURED            # whose helper has other settings
    assert ready.ask(alice)["answer"] == ALLOW


FORGERIES = {
    "another user's": (lambda host, alice: host.sign(alice, user="mallory"), "ticket_invalid"),
    "another host's": (lambda host, alice: host.sign(alice, host="2f00112233445566"), "ticket_invalid"),
    "another key's": (lambda host, alice: host.sign(alice, ssh_key="SHA256:" + "A" * 43), "ticket_invalid"),
    "another signer's": (lambda host, alice: host.sign(alice, seed=bytes(32)), "ticket_invalid"),
    "expired": (lambda host, alice: host.sign(alice, issued=-28801), "ticket_expired"),
    "short and expired": (lambda host, alice: host.sign(alice, issued=-61, life=60), "ticket_expired"),
    "of the future": (lambda host, alice: host.sign(alice, issued=600), "ticket_future"),
    "too long a life": (lambda host, alice: host.sign(alice, life=28801), "ticket_invalid"),
    "another version": (lambda host, alice: host.sign(alice).replace("cft1", "cft2"), "ticket_invalid"),
    "a later end": (lambda host, alice: prolonged(host.sign(alice, life=60)), "ticket_invalid"),
    "cut": (lambda host, alice: host.sign(alice)[:-1], "ticket_invalid"),
    "nothing": (lambda host, alice: "", "ticket_invalid"),
    "endless": (lambda host, alice: "c" * 5000, "ticket_invalid"),
}


def prolonged(ticket):
    version, issued, expires, signature = ticket.split(".")
    return f"{version}.{issued}.{int(expires) + 1}.{signature}"


def test_a_forged_old_or_foreign_ticket_lets_nobody_in(ready, alice):
    for what, (made, reason) in FORGERIES.items():
        ready.put(alice, made(ready, alice))
        assert ready.reason(alice) == reason, what
    assert ready.codes.having("report") == []
    ready.put(alice, ready.sign(alice))
    assert ready.ask(alice)["answer"] == ALLOW, "the right one does"


def test_a_ticket_of_another_host_or_user_is_of_no_use_where_it_is_copied(ready, service, alice, staff, tmp_path):
    other = offline_ticket.TicketHost(service.host(tmp_path / "other", service.key("web2")), staff.installation)
    bob = staff.hire()
    other.sign_in(bob, key=ready.key)
    other.pretend_outage()
    ticket = ready.file(alice).read_text()
    for name in (alice, bob):
        other.file(name).unlink(missing_ok=True)
        worlds.write_private(other.file(name), ticket, 0o400)
        assert other.reason(name, key=ready.key) == "ticket_invalid"
    assert ready.ask(alice)["answer"] == ALLOW


def test_it_ends_by_the_host_s_clock(ready, alice):
    expires = int(ready.file(alice).read_text().split(".")[2])
    for offset, good in ((expires - 30 - int(time.time()), True), (expires + 30 - int(time.time()), False)):
        ready.set_clock(offset)
        ready.pretend_outage(offset)
        assert (ready.ask(alice)["answer"] == ALLOW) == good
    assert "ticket_expired" in ready.syslog.read_text()


def test_a_clock_that_was_set_back_makes_no_ticket_younger(ready, alice):
    """The clock that never steps says how long this host has had it; and before its beginning it does not hold."""
    now = int(time.monotonic())                 # a machine that has just been started is no eight hours old
    for life, kept_at in ((28800, now + 600), (60, now - 61), (min(28800, now - 1), max(now - 28801, 0))):
        ready.put(alice, ready.sign(alice, life=life), kept_at=kept_at)
        assert ready.reason(alice) == "ticket_expired", (life, kept_at)
    ready.put(alice, ready.sign(alice))
    ready.set_clock(-3600)
    ready.pretend_outage(-3600)
    assert ready.reason(alice) == "ticket_future"


# --- when one is kept -------------------------------------------------------------------------------------------------------

def kept(host, person):
    return host.file(person).exists()


def test_only_a_code_behind_a_key_at_sshd_earns_one(host, alice, staff):
    staff.query("DELETE FROM counterfoil.budget")
    for members in ({"offline": None}, {"offline": "yes"}, {"service": "sudo"}, {"key": "none"},
                    {"factors": "password+otp", "password": alice.password}):
        staff.forget_step(alice)
        host.sign_in(alice, **members)
        assert not kept(host, alice), members
    assert host.ask(alice, "verify", away=False, code=alice.wrong_code())["answer"] == DENY and not kept(host, alice)
    staff.forget_step(alice)
    host.sign_in(alice)
    assert kept(host, alice) and host.file(alice).stat().st_mode & 0o777 == 0o400
    assert host.file(alice).parent.stat().st_mode & 0o777 == 0o700


def test_the_newest_is_kept(ready, alice, staff, tmp_path):
    other, _ = offline_ticket.key_pair(tmp_path / "other")
    staff.forget_step(alice)
    ready.sign_in(alice, key=other)
    ready.pretend_outage()
    assert ready.ask(alice, key=other)["answer"] == ALLOW and ready.reason(alice) == "ticket_invalid"
    assert len(list(ready.file(alice).parent.iterdir())) == 1


def test_somebody_whom_the_service_calls_locked_has_no_ticket_left(host, staff):
    carol = staff.hire()
    host.sign_in(carol)
    assert kept(host, carol)
    staff.lock(carol)
    host.ask(carol, "look", away=False, offline=None)
    assert not kept(host, carol)


def write(path, text, mode=0o644, owner=0):
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, owner, owner)


BAD_KEYS = {
    "there is none": lambda path, text: path.unlink(),
    "another's": lambda path, text: write(path, "counterfoil-ticket-key " + offline_ticket.base64url(bytes(range(32))) + "\n"),
    "no key": lambda path, text: write(path, "ssh-ed25519 AAAA\n"),
    "for others to write": lambda path, text: write(path, text, 0o666),
    "another user's": lambda path, text: write(path, text, owner=1),
    "too large": lambda path, text: write(path, text + "#" * 5000),
}


def test_without_the_right_public_key_nothing_is_kept_nothing_counts_and_the_sign_in_is_not_disturbed(ready, alice, staff):
    text = ready.public.read_text()
    for what, spoil in BAD_KEYS.items():
        write(ready.public, text)
        spoil(ready.public, text)
        assert ready.reason(alice) in ("ticket_unverified", "ticket_invalid"), what
    ready.public.unlink()
    ready.file(alice).unlink()
    staff.forget_step(alice)
    ready.sign_in(alice)
    assert not kept(ready, alice) and "ticket_unverified" in ready.syslog.read_text()


def open_the_folder(host, alice):
    host.file(alice).parent.chmod(0o755)


def give_the_folder_away(host, alice):
    os.chown(host.file(alice).parent, 1, 1)


def give_the_file_away(host, alice):
    os.chown(host.file(alice), 1, 1)


def let_others_write(host, alice):
    host.file(alice).chmod(0o666)


def make_it_a_link(host, alice):
    elsewhere = host.run_directory / "elsewhere"
    host.file(alice).rename(elsewhere)
    host.file(alice).symlink_to(elsewhere)


def break_the_record(host, alice):
    del alice
    host.codes.raw(host.codes.path.read_bytes()[:-1])


@pytest.mark.parametrize("breaking", [open_the_folder, give_the_folder_away, give_the_file_away, let_others_write, make_it_a_link,
                                      break_the_record], ids=lambda breaking: breaking.__name__)
def test_files_that_are_not_as_they_must_be_let_nobody_in(ready, alice, breaking):
    breaking(ready, alice)
    assert ready.reason(alice) in ("ticket_invalid", "ticket_refused")
    assert "ticket_" in ready.syslog.read_text()


# --- two at once, and a sudden end ----------------------------------------------------------------------------------------

PATIENT = {"budget_ms": 25000}          # this is about who overtakes whom, not about a busy machine


def all_at_once(what, over):
    with concurrent.futures.ThreadPoolExecutor(len(over)) as pool:
        return list(pool.map(what, over))


def use_at_once(ready, alice, faults=None):
    """How many get in, and how many of these were reported."""
    ready.pretend_outage()
    replies = all_at_once(lambda _: ready.ask(alice, faults=faults, **PATIENT), range(8))
    return [reply["answer"] for reply in replies].count(ALLOW), len({report[0] for report in ready.codes.having("report")})


def test_of_many_at_once_with_one_ticket_each_gets_in_and_is_reported_and_a_careless_helper_fails_some(ready, alice):
    before = ready.codes.path.read_bytes()
    assert use_at_once(ready, alice) == (8, 8)
    for _ in range(20):
        ready.codes.raw(before)
        if use_at_once(ready, alice, faults={"FAULT_NO_LOCKS": "1"}) != (8, 8):
            return
    assert False, "the race shows nothing: the careless helper won it too"


def test_who_waited_while_another_counted_a_later_failure_does_not_end_the_outage(ready, alice):
    with concurrent.futures.ThreadPoolExecutor(1) as pool, ready.codes.locked() as wait_for_it:
        waiting = pool.submit(ready.ask, alice)
        wait_for_it()
        ready.set_clock(30)
        ready.pretend_outage(20)
    assert waiting.result()["answer"] == ALLOW and ready.codes.having("outage")[0][2] == "6"


def test_a_helper_killed_at_any_moment_of_a_use_lets_nobody_in_unreported_and_leaves_the_ticket_good(ready, alice):
    before = ready.codes.path.read_bytes()
    told = set()
    for moment in range(1, 40):
        ready.codes.raw(before)
        ready.pretend_outage()
        reply = ready.ask(alice, faults={"FAULT_KILL_AT": str(moment)})
        told.add(count := len(ready.codes.having("report")))
        assert ready.ask(alice)["answer"] == ALLOW and len(ready.codes.having("report")) == count + 1
        if reply is not None:
            assert reply["answer"] == ALLOW and count == 1
            break
    assert reply is not None and moment > 6 and told == {0, 1}


def test_a_helper_killed_at_any_moment_of_keeping_a_ticket_leaves_the_old_one_or_the_new_one(ready, alice, staff, tmp_path):
    other, _ = offline_ticket.key_pair(tmp_path / "other")
    before, old = ready.codes.path.read_bytes(), ready.file(alice).read_bytes()
    good = set()
    for moment in range(1, 60):
        ready.codes.raw(before)
        ready.file(alice).unlink()
        worlds.write_private(ready.file(alice), old.decode(), 0o400)
        staff.forget_step(alice)
        ready.pretend_outage()
        reply = ready.ask(alice, "verify", away=False, key=other, code=alice.code(), faults={"FAULT_KILL_AT": str(moment)})
        ready.pretend_outage()
        opens = [key for key in (ready.key, other) if ready.ask(alice, key=key)["answer"] == ALLOW]
        assert len(opens) == 1
        good.update(opens)
        if reply is not None:
            assert reply["answer"] == ALLOW and opens == [other]
            break
    assert reply is not None and moment > 6 and good == {ready.key, other}


def test_of_sign_ins_of_one_person_at_once_the_ticket_of_one_is_kept_whole(host, staff, tmp_path):
    carol = staff.hire()
    keys = [offline_ticket.key_pair(tmp_path / str(number))[0] for number in range(4)]
    all_at_once(lambda number: host.sign_in(carol, key=keys[number], code=carol.recovery_codes[number], **PATIENT),
                range(len(keys)))
    host.pretend_outage()
    assert [host.ask(carol, key=key)["answer"] for key in keys].count(ALLOW) == 1
    assert [path.name for path in host.file(carol).parent.iterdir()] == [host.file(carol).name]


def test_what_was_written_long_ago_goes_with_the_round_of_the_timer(ready, alice):
    leftover = ready.file(alice).parent / "leftover.123"
    leftover.write_text("")
    os.utime(leftover, (1, 1))
    assert ready.ask("-", "breakglass_sync", away=False, offline=None)["answer"] == ALLOW
    assert not leftover.exists() and kept(ready, alice)


def test_the_state_of_tickets_is_told_to_pam_check(ready):
    reply = ready.ask("-", "breakglass_state")
    assert (reply["answer"], reply["detail"]) == (ALLOW, "1 public key of the service, tickets of 1 people")
    ready.public.unlink()
    assert ready.ask("-", "breakglass_state")["answer"] == MISCONFIGURED
