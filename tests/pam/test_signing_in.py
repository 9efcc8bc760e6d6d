"""Staff sign in: the installed module, the installed helper, PostgreSQL, and what the log and the audit trail say."""

import contextlib
import os
import re

import psycopg2
import pytest

import world as worlds
from pam_world import itself


def sign_in(staff, person, answers=None, **options):
    return staff.run("auth", user=person.login, answers=person.answers if answers is None else answers, **options)


def test_password_and_code_let_staff_in(staff):
    alice = staff.hire()
    done = sign_in(staff, alice, options=["--state"])
    assert done["auth"] == "SUCCESS" and done.state == "state same"
    assert done.prompts == ["prompt off Password: ", "prompt off Verification code: "]
    entry = done.entry
    assert (entry.priority, entry["result"], entry["reason"]) == ("INFO", "allow", "granted")
    assert re.fullmatch(r"sha256:[0-9a-f]{8}", entry["user_digest"])       # no such name in NSS
    events = [event for event in staff.events() if event[3] == entry["request_id"]]
    assert [event[:3] for event in events] == [("login_password", "challenge", "password_right"),
                                               ("login_code", "granted", "granted")]
    assert {event[5] for event in events} == {"desk"}


def test_a_wrong_password_is_refused(staff):
    alice = staff.hire()
    done = sign_in(staff, alice, ["wrong " + alice.password, alice.code()])
    assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "wrong_password")
    assert sign_in(staff, alice)["auth"] == "SUCCESS"           # its code was not used up


def test_a_wrong_code_is_refused(staff):
    alice = staff.hire()
    done = sign_in(staff, alice, [alice.password, alice.wrong_code()])
    assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "wrong_code")


def told(staff, person):
    """What the outbox has for them."""
    return staff.query("SELECT kind, outcome, reason FROM counterfoil.event WHERE account_id = %s AND notify ORDER BY id",
                       (staff.account_id(person),))


def test_R044_a_code_works_once_and_its_owner_is_told_of_the_second_time_once(staff):
    alice = staff.hire()
    answers = alice.answers
    assert sign_in(staff, alice, answers)["auth"] == "SUCCESS"
    for _ in range(2):
        done = sign_in(staff, alice, answers)
        assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "code_replayed")
    assert told(staff, alice).count(("login_code", "denied", "code_replayed")) == 1


def test_R074_the_third_wrong_code_behind_the_right_password_is_told_once(staff):
    alice = staff.hire()
    for _ in range(4):
        assert sign_in(staff, alice, [alice.password, alice.wrong_code()])["auth"] == "AUTH_ERR"
    assert told(staff, alice).count(("codes_failing", "ok", "password_right")) == 1


def test_R058_a_revoked_authenticator_is_dead_at_the_next_sign_in(staff):
    alice = staff.hire()
    assert sign_in(staff, alice)["auth"] == "SUCCESS"
    staff.forget_step(alice)
    staff.installation.counterfoil("factors", "revoke", "--realm", "staff", alice.login, "all")
    done = sign_in(staff, alice)
    assert done["auth"] != "SUCCESS" and done.entry["result"] != "allow"


def test_a_recovery_code_works_once(staff):
    alice = staff.hire()
    answers = [alice.password, alice.recovery_codes[0]]
    assert sign_in(staff, alice, answers)["auth"] == "SUCCESS"
    assert sign_in(staff, alice, answers)["auth"] == "AUTH_ERR"
    assert sign_in(staff, alice, [alice.password, alice.recovery_codes[1].lower()])["auth"] == "SUCCESS"


def test_a_combined_answer_is_enough(staff):
    alice = staff.hire()
    done = sign_in(staff, alice, [alice.password + alice.code()], line="factors=combined")
    assert done["auth"] == "SUCCESS" and len(done.prompts) == 1
    done = sign_in(staff, alice, [alice.password + alice.recovery_codes[0]], line="factors=combined")
    assert done["auth"] == "SUCCESS"


def test_a_locked_account_is_refused_with_the_right_password_and_code(staff):
    alice = staff.hire()
    staff.lock(alice)
    done = sign_in(staff, alice)
    assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "locked") and done.told == []
    staff.configure(account="status")
    done = staff.run("acct", user=alice.login)
    assert done["acct"] == "PERM_DENIED" and done.entry["reason"] == "locked"
    staff.configure()


def test_nobody_is_told_apart_from_a_wrong_password(staff):
    alice = staff.hire()
    unknown = staff.run("auth", user="nobody-here", answers=[alice.password, "123456"])
    wrong = sign_in(staff, alice, ["wrong", "123456"])
    assert unknown.prompts == wrong.prompts and unknown.told == wrong.told
    assert unknown["auth"] == "USER_UNKNOWN" and unknown.entry["reason"] == "unknown_login"


@pytest.mark.parametrize("name", ["-x", "+x", "a/b", "../x", "a b", "Ünïcode", "x" * 256, "%n%s", "'; DROP SCHEMA counterfoil; --"])
def test_odd_names_are_nobodys(staff, name):
    done = staff.run("auth", user=name, answers=["some password", "123456"])
    assert done["auth"] == "USER_UNKNOWN" and name not in done.entry.text


def test_a_database_that_is_away_refuses_everybody_in_time(staff):
    alice = staff.hire()
    with staff.database_stopped():
        done = sign_in(staff, alice, options=["--state"])
        assert (done["auth"], done.entry.priority, done.entry["result"]) == ("AUTHINFO_UNAVAIL", "ERR", "unavailable")
        assert done.told == ["error Authentication service unavailable"] and done.state == "state same"
        assert int(done.entry["ms"]) < 10000
        staff.configure(fail="ignore_unavailable")
        assert sign_in(staff, alice).entry["result"] == "ignore"
        staff.configure()
    assert sign_in(staff, alice)["auth"] == "SUCCESS"


def test_the_code_alone_is_enough_where_the_host_has_checked_a_key(staff):
    alice = staff.hire()
    done = sign_in(staff, alice, [alice.code()], line="factors=otp")
    assert done["auth"] == "SUCCESS"
    done = sign_in(staff, alice, [alice.wrong_code()], line="factors=otp")
    assert done["auth"] == "AUTH_ERR"
    assert staff.run("auth", user="nobody-here", answers=["123456"], line="factors=otp")["auth"] == "USER_UNKNOWN"


def test_the_password_alone_is_enough_only_where_the_service_says_so(staff):
    bob = staff.hire(enrolled=False)
    assert sign_in(staff, bob, [bob.password], line="factors=password")["auth"] == "SUCCESS"
    done = sign_in(staff, bob, [bob.password, "123456"])
    assert (done["auth"], done.entry["reason"]) == ("CRED_INSUFFICIENT", "not_enrolled")
    assert done.told == ["error No second factor registered. Please contact your administrator."]
    done = sign_in(staff, bob, ["wrong", "123456"])
    assert (done["auth"], done.told) == ("AUTH_ERR", [])
    done = sign_in(staff, bob, ["123456"], line="factors=otp")
    assert (done["auth"], done.told) == ("AUTH_ERR", [])


def test_a_password_that_must_change_is_changed_at_the_login(staff):
    alice = staff.hire()
    staff.installation.counterfoil("account", "set-password", "--realm", "staff", "--password-stdin", alice.login,
                                   input="the operator's choice\n")
    fresh = "twelve lanterns on the quay"
    done = staff.run("auth", "acct", "chauthtok", "acct", user=alice.login, options=["--flags", "expired"],
                     answers=["the operator's choice", alice.code(), "the operator's choice", fresh, fresh])
    assert done.results == {"auth": "SUCCESS", "acct": "SUCCESS", "chauthtok": "SUCCESS"}
    assert "acct 12" in done.lines
    alice.password = fresh
    staff.forget_step(alice)
    assert sign_in(staff, alice)["auth"] == "SUCCESS"


def test_the_one_password_policy_holds_here_too(staff):
    alice = staff.hire()
    done = staff.run("chauthtok", user=alice.login, answers=[*alice.answers, "short", "short"])
    assert done["chauthtok"] == "AUTHTOK_ERR" and done.told == ["error This password is too short: at least 12 characters."]
    staff.forget_step(alice)
    done = staff.run("chauthtok", user=alice.login, answers=["wrong", alice.code(), "a long new password", "a long new password"])
    assert done["chauthtok"] == "AUTH_ERR"
    assert sign_in(staff, alice)["auth"] == "SUCCESS"


def test_unknown_and_unenrolled_are_found_before_the_prompt_where_the_policy_says_so(staff):
    bob = staff.hire(enrolled=False)
    alice = staff.hire()
    staff.configure(unknown_user="ignore", unenrolled="ignore", unenrolled_until="2999-01-01")
    for name, reason in (("nobody-here", "unknown_user"), (bob.login, "not_enrolled")):
        done = staff.run("auth", user=name, answers=["x", "123456"])
        assert done.prompts == [] and (done.entry["result"], done.entry["reason"]) == ("ignore", reason)
    assert sign_in(staff, alice)["auth"] == "SUCCESS"
    staff.configure()


def test_a_decoy_counts_for_nobody(staff):
    alice = staff.hire()
    attempts = len(staff.events("login_password"))
    junk = ["--answer-hex", (b"\b\n\r\x7fINCORRECT" * 2)[:9].hex()]
    for _ in range(6):
        done = staff.run("auth", user=alice.login, answers=[junk, junk], service="sshd")
        assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "sshd_junk")
    new = staff.query("SELECT reason, account_id FROM counterfoil.event WHERE kind = 'login_password' ORDER BY id OFFSET %s",
                      (attempts,))
    assert {row for row in new} == {("unknown_login", None)}
    assert sign_in(staff, alice)["auth"] == "SUCCESS"


# --- the helper's own configuration -----------------------------------------------------------------------------------

def test_without_a_good_configuration_of_the_helper_nobody_gets_in(staff):
    alice = staff.hire()
    spoils = {
        "there is no such file": lambda: staff.helper_conf.unlink(),
        "mode 0620": lambda: staff.helper_conf.chmod(0o620),
        "lacks the key url": lambda: staff.write_helper_conf({("database", "url"): None}),
        "there is no key": lambda: staff.write_helper_conf({("database", "nonsense"): 1}),
        "pam-helper.conf:": lambda: staff.write_helper_conf({("helper", "parallel"): 0}),
        "keyring": lambda: staff.write_helper_conf({("keys", "keyring"): "/nonexistent/keyring"}),
    }
    if os.geteuid() == 0:
        spoils["owned by user id 65534"] = lambda: os.chown(staff.helper_conf, 65534, 65534)
    staff.configure(fail="ignore_unavailable")
    for detail, spoil in spoils.items():
        staff.write_helper_conf()
        spoil()
        done = sign_in(staff, alice)
        assert done["auth"] == "SERVICE_ERR", detail
        assert done.entry.priority == "CRIT" and detail in done.entry["detail"], done.entry
    staff.configure()
    staff.write_helper_conf()
    assert sign_in(staff, alice)["auth"] == "SUCCESS"


def test_the_hosts_keyring_opens_nothing_of_a_customers(staff):
    text = (staff.directory / "keyring").read_text()
    assert "staff" in text and "store" not in text and "service" not in text


def test_a_storm_of_logins_waits_its_turn(staff):
    """With one slot taken for good, nobody verifies; given back, everybody does."""
    import fcntl
    import struct
    alice = staff.hire()
    staff.write_helper_conf({("helper", "parallel"): 1})
    staff.configure(timeout_total=1, fail="ignore_unavailable")
    slots = staff.directory / "run/slots"
    with open(slots, "r+b") as held:
        fcntl.fcntl(held, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))     # F_OFD_SETLK
        done = itself(lambda: sign_in(staff, alice))
        assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "overloaded")
        assert len([event for event in staff.events() if event[3] == done.entry["request_id"]]) == 0
    staff.configure()
    assert sign_in(staff, alice)["auth"] == "SUCCESS"
    staff.write_helper_conf()


def test_the_helper_does_nothing_when_somebody_else_starts_it(staff):
    import subprocess
    helper = worlds.installed("pam-helper")
    for arguments, given in (([], b""), (["--help"], b""), (["--config"], b"x"), ([], b"\0\0\0\x04CFQ1")):
        done = subprocess.run([helper, *arguments], input=given, capture_output=True, timeout=20, check=False)
        assert done.returncode == 64 and done.stdout == b"" and b"started by pam_counterfoil.so" in done.stderr


def test_training_that_is_overdue_refuses_until_it_is_recorded(staff):
    alice = staff.hire()
    staff.configure(account="status", training="require")
    staff.query("INSERT INTO counterfoil.training (account_id, due_at) VALUES (%s, now() - interval '1 day')",
                (staff.account_id(alice),))
    done = staff.run("auth", "acct", user=alice.login, answers=alice.answers)
    assert (done["auth"], done["acct"]) == ("SUCCESS", "PERM_DENIED") and "overdue" in done.told[-1]
    staff.query("UPDATE counterfoil.training SET due_at = now() + interval '1 year'")
    assert staff.run("acct", user=alice.login)["acct"] == "SUCCESS"
    staff.configure()


def test_a_session_is_in_the_trail_and_begins_without_it_as_well(staff):
    alice = staff.hire()
    done = staff.run("auth", "open", "close", user=alice.login, answers=alice.answers)
    assert [[event[0] for event in staff.events() if event[3] == entry["request_id"]] for entry in done.log[1:]] == [
        ["session_opened"], ["session_closed"]]
    staff.forget_step(alice)
    staff.configure(account="status")
    with staff.database_stopped():
        done = staff.run("open", "close", user=alice.login)
        assert (done["open"], done["close"]) == ("SUCCESS", "SUCCESS")
        assert [entry["reason"] for entry in done.log] == ["not_in_trail"] * 2
    staff.configure()


# --- names, and a database that is there and of no use -----------------------------------------------------------------

@pytest.mark.parametrize("alter", [str.upper, lambda login: " " + login, lambda login: login + " ", str.title])
def test_a_name_that_is_another_user_of_the_host_is_not_let_in_by_the_factors_of_this_one(staff, alter):
    """The system tells names by their bytes: Alice is not alice, whatever a directory of logins makes of them."""
    alice = staff.hire()
    done = staff.run("auth", user=alter(alice.login), answers=alice.answers)
    assert done["auth"] == "USER_UNKNOWN"
    assert sign_in(staff, alice)["auth"] == "SUCCESS"


def test_a_user_of_the_host_alone_is_nobody_and_named_in_the_log(staff):
    done = staff.run("auth", user="daemon", answers=["some password", "123456"])
    assert (done["auth"], done.entry["user"]) == ("USER_UNKNOWN", "daemon")


@pytest.mark.parametrize("spoil", ["LOCK TABLE counterfoil.account IN ACCESS EXCLUSIVE MODE", None])
def test_a_database_that_is_locked_or_read_only_is_an_outage_and_over_when_it_is_over(staff, spoil):
    alice = staff.hire()
    staff.configure(timeout_total=3)
    name = staff.installation.database
    with contextlib.closing(psycopg2.connect(staff.postgres.url(name))) as holder:
        if spoil:
            holder.cursor().execute(spoil)
        else:
            staff.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        done = sign_in(staff, alice)
        staff.postgres.query("postgres", f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert (done["auth"], done.entry["result"]) == ("AUTHINFO_UNAVAIL", "unavailable")
    assert int(done.entry["ms"]) < 10000
    staff.configure()
    assert sign_in(staff, alice)["auth"] == "SUCCESS"
