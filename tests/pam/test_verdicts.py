"""Every way in which a call can end: the return code of the contract, the line in the log, what the person sees."""

import re
import time

import pytest

import pam_world

GOOD = ("seven lanterns", "123456")

# the helper's answer and what else it says -> auth code, priority, result, reason, what the person is told
TABLE = [
    ("allow", {}, "SUCCESS", "INFO", "allow", "granted", None),
    ("deny", {"reason": "wrong_password"}, "AUTH_ERR", "NOTICE", "deny", "wrong_password", None),
    ("deny", {"reason": "wrong_code", "password_right": 1}, "AUTH_ERR", "NOTICE", "deny", "wrong_code", None),
    ("deny", {"reason": "code_replayed", "password_right": 1}, "AUTH_ERR", "NOTICE", "deny", "code_replayed", None),
    ("unknown_user", {"reason": "unknown_login"}, "USER_UNKNOWN", "NOTICE", "deny", "unknown_login", None),
    ("not_enrolled", {"password_right": 1, "reason": "not_enrolled"}, "CRED_INSUFFICIENT", "NOTICE", "deny",
     "not_enrolled", "error No second factor registered. Please contact your administrator."),
    ("not_enrolled", {"password_right": 0, "reason": "not_enrolled"}, "AUTH_ERR", "NOTICE", "deny", "not_enrolled", None),
    ("throttled", {"reason": "throttled"}, "AUTH_ERR", "NOTICE", "deny", "throttled", None),
    ("locked", {"reason": "locked"}, "AUTH_ERR", "NOTICE", "deny", "locked",
     "error This account is locked. Please contact your administrator."),
    ("unavailable", {"reason": "unavailable"}, "AUTHINFO_UNAVAIL", "ERR", "unavailable", "unavailable",
     "error Authentication service unavailable"),
    ("unusable", {"reason": "certificate"}, "AUTHINFO_UNAVAIL", "CRIT", "unavailable", "certificate",
     "error Authentication service unavailable"),
    ("refused", {"reason": "key_refused"}, "SERVICE_ERR", "CRIT", "error", "key_refused",
     "error Authentication is not configured on this host"),
    ("misconfigured", {"reason": "misconfigured", "detail": "pam-helper.conf:3: no"}, "SERVICE_ERR", "CRIT", "error",
     "misconfigured", None),
    ("no_memory", {"reason": "no_memory"}, "BUF_ERR", "CRIT", "error", "no_memory", None),
    ("internal", {"reason": "internal"}, "SYSTEM_ERR", "CRIT", "error", "internal", None),
    ("not_own_account", {"reason": "not_own_account"}, "PERM_DENIED", "NOTICE", "deny", "not_own_account", None),
    ("enroll_started", {"reason": "enroll_started"}, "AUTH_ERR", "NOTICE", "deny", "enroll_started", None),
]


@pytest.mark.parametrize("answer, says, code, priority, result, reason, told", TABLE)
def test_each_answer_has_its_code_its_line_and_its_words(desk, answer, says, code, priority, result, reason, told):
    done = desk.helper(answer, **says).run("auth", answers=GOOD)
    assert done["auth"] == code and done.agrees()
    assert done.prompts == ["prompt off Password: ", "prompt off Verification code: "]
    assert (done.entry.priority, done.entry["result"], done.entry["reason"]) == (priority, result, reason)
    assert done.told == ([told] if told else [])
    assert len(desk.asked()) == 1


def test_every_answer_that_a_helper_may_give_is_in_the_table():
    assert {row[0] for row in TABLE} | {"expired", "change_required", "password_refused"} == set(pam_world.ANSWERS)


@pytest.mark.parametrize("answer", [0, 12, 13, 14, 17, 98, 99, 100, 101, 120, 121, 123, 130, 255, 0x5AFD, 0x5AFF, 0xFFFF])
def test_no_other_number_lets_anybody_in(desk, answer):
    done = desk.helper(answer).run("auth", "acct", answers=GOOD)
    assert done["auth"] not in ("SUCCESS", "IGNORE")


@pytest.mark.parametrize("fault", ["short", "length-only", "magic", "id", "length", "text", "trailing", "twice", "user",
                                   "silent", "exit", "exit-after", "kill", "kill-after", "segv", "flood"])
def test_an_allow_counts_only_whole_and_from_a_helper_that_ended_in_order(desk, fault):
    desk.configure(fail="ignore_unavailable")
    done = desk.helper("allow", fault=fault).run("auth", answers=GOOD, options=["--state"])
    assert done["auth"] == "AUTHINFO_UNAVAIL"
    assert (done.entry.priority, done.entry["reason"]) == ("CRIT", "helper_broken")
    assert done.state == "state same"


@pytest.mark.parametrize("fault", ["hang", "hang-after"])
def test_a_helper_that_hangs_is_killed_at_the_deadline_and_not_ignored(desk, fault):
    desk.configure(timeout_total=1, fail="ignore_unavailable")
    done = desk.helper("allow", fault=fault).run("auth", answers=GOOD, options=["--state"])
    assert done["auth"] == "AUTHINFO_UNAVAIL"
    assert (done.entry.priority, done.entry["reason"]) == ("CRIT", "helper_timeout")
    assert done.state == "state same"
    assert 900 <= int(done.entry["ms"])


@pytest.mark.parametrize("answer, code", [("unavailable", "IGNORE"), ("unusable", "AUTHINFO_UNAVAIL"),
                                          ("refused", "SERVICE_ERR"), ("misconfigured", "SERVICE_ERR"),
                                          ("internal", "SYSTEM_ERR"), ("deny", "AUTH_ERR")])
def test_only_an_outage_of_the_back_end_can_be_ignored(desk, answer, code):
    desk.configure(fail="ignore_unavailable").helper(answer)
    permit = ["auth required {m} conf={c}", "auth required pam_permit.so"]
    stack = [line.format(m=desk.module, c=desk.conf) for line in permit]
    done = desk.run("auth", answers=GOOD, stack=stack)
    # libpam hides an ignored module's code behind the others'
    assert done["auth"] == ("SUCCESS" if code == "IGNORE" else code)
    assert done.entry["result"] == ("ignore" if code == "IGNORE" else done.entry["result"])


def test_helpful_words_come_only_after_the_right_password(desk):
    desk.configure(reveal="helpful")
    done = desk.helper("deny", reason="code_replayed", password_right=1).run("auth", answers=GOOD)
    assert done.told == ["error This code was used already: take the next one."]
    done = desk.helper("deny", reason="code_replayed").run("auth", answers=GOOD)
    assert done.told == [] and done["auth"] == "AUTH_ERR"
    for retry_after_s, minutes in ((0, 1), (60, 1), (61, 2), (3600, 60)):
        desk.helper("throttled", reason="throttled", password_right=1, retry_after_s=retry_after_s)
        done = desk.run("auth", answers=GOOD)
        assert done["auth"] == "MAXTRIES" and done.told == [f"error Too many attempts, retry in {minutes} min"]
    done = desk.helper("throttled", reason="throttled").run("auth", answers=GOOD)
    assert done["auth"] == "AUTH_ERR" and done.told == []


def test_silence_is_kept_but_prompts_are_not(desk):
    done = desk.helper("unavailable").run("auth", answers=GOOD, options=["--flags", "silent"])
    assert done.told == [] and len(done.prompts) == 2


def test_a_password_that_must_change_is_told_in_the_account_phase(desk):
    done = desk.helper("allow", must_change=1).run("auth", "acct", answers=GOOD)
    assert (done["auth"], done["acct"]) == ("SUCCESS", "NEW_AUTHTOK_REQD")
    assert done.log[1]["reason"] == "password_change_required"


ACCOUNT = [("allow", "SUCCESS"), ("deny", "PERM_DENIED"), ("unknown_user", "USER_UNKNOWN"), ("locked", "PERM_DENIED"),
           ("expired", "ACCT_EXPIRED"), ("change_required", "NEW_AUTHTOK_REQD"), ("unavailable", "AUTHINFO_UNAVAIL"),
           ("unusable", "AUTHINFO_UNAVAIL"), ("refused", "SERVICE_ERR"), ("misconfigured", "SERVICE_ERR"),
           ("no_memory", "BUF_ERR"), ("internal", "SYSTEM_ERR"), ("throttled", "PERM_DENIED"),
           ("not_own_account", "PERM_DENIED")]


@pytest.mark.parametrize("answer, code", ACCOUNT)
def test_the_account_phase_asks_for_the_state_and_never_prompts(desk, answer, code):
    done = desk.configure(account="status").helper(answer).run("acct", options=["--answer", "x"])
    assert done["acct"] == code and done.prompts == []
    assert done.entry["event"] == "account"
    assert desk.asked()[0]["operation"] == "3"


def test_the_account_phase_is_off_unless_asked_for_and_then_asks_nobody(desk):
    done = desk.helper("deny").run("acct")
    assert done["acct"] == "SUCCESS" and desk.asked() == []
    assert (done.entry["result"], done.entry.priority) == ("off", "DEBUG")


def test_a_login_without_our_auth_phase_is_refused_where_a_second_factor_is_required(desk):
    desk.configure(account="require_mfa")
    done = desk.run("acct")
    assert done["acct"] == "PERM_DENIED" and done.entry["reason"] == "no_second_factor" and desk.asked() == []
    done = desk.run("auth", "acct", answers=GOOD)
    assert (done["auth"], done["acct"]) == ("SUCCESS", "SUCCESS") and len(desk.asked()) == 1
    done = desk.helper("deny").run("auth", "acct", answers=GOOD)
    assert (done["auth"], done["acct"]) == ("AUTH_ERR", "PERM_DENIED")


def test_another_name_in_the_same_handle_has_its_own_to_prove(desk):
    desk.configure(account="require_mfa")
    done = desk.run("auth", "user:daemon", "acct", answers=GOOD)
    assert (done["auth"], done["acct"]) == ("SUCCESS", "PERM_DENIED")


def test_a_failed_second_login_takes_back_what_the_first_left(desk):
    desk.configure(account="require_mfa", attempts=1)
    done = desk.run("auth", "auth", "acct", answers=[*GOOD, "", ""])
    assert (done["auth"], done["acct"]) == ("AUTH_ERR", "PERM_DENIED")


@pytest.mark.parametrize("service", ["cron", "crond", "atd", "systemd-user", "runuser", "runuser-l"])
def test_jobs_run_while_nobody_answers_unless_their_service_is_named(desk, service):
    desk.configure(account="status").helper("unavailable")
    assert desk.run("acct", service=service)["acct"] == "SUCCESS" and desk.asked() == []
    desk.configure(f'[service "{service}"]', "account = status")
    assert desk.run("acct", service=service)["acct"] == "AUTHINFO_UNAVAIL"


ALWAYS = {"setcred": "SUCCESS", "open": "SUCCESS", "close": "SUCCESS"}


@pytest.mark.parametrize("conf, code", [(None, "SERVICE_ERR"), ("[default]\nnonsense = 1\n", "SERVICE_ERR"),
                                        ("", "SUCCESS"), ("[default]\naccount = require_mfa\n", "SUCCESS")])
def test_all_six_functions_with_no_a_bad_an_empty_and_a_good_configuration(desk, conf, code):
    desk.configure(text=conf or "")
    if conf is None:
        desk.conf.unlink()
    # setcred first: behind a failed auth libpam answers in its place
    done = desk.run("setcred", "auth", "acct", "open", "close", "chauthtok", answers=[*GOOD, "old", "new", "new"])
    assert done.results == {**ALWAYS, "auth": code, "acct": code, "chauthtok": code}
    if code == "SERVICE_ERR":
        assert {entry.priority for entry in done.log} == {"CRIT"} and done.prompts == []


def test_a_session_names_the_person_and_whose_session_it_is(desk):
    done = desk.run("auth", "user:daemon", "open", "close", answers=GOOD)
    assert [entry["event"] for entry in done.log] == ["auth", "session_open", "session_close"]
    assert (done.log[1]["user"], done.log[1]["target"]) == ("root", "daemon")


@pytest.mark.parametrize("setting, days, code, words", [
    ("off", -1, "SUCCESS", None), ("remind", 30, "SUCCESS", None), ("remind", 13, "SUCCESS", "is due in 1[23] days"),
    ("remind", -1, "SUCCESS", "is overdue"), ("require", 30, "SUCCESS", None), ("require", 1, "SUCCESS", "is due in [01] days"),
    ("require", -1, "PERM_DENIED", "is overdue. Complete it"),
])
def test_training_that_is_due_is_remembered_and_then_insisted_on(desk, setting, days, code, words):
    desk.configure(account="status", training=setting)
    desk.helper("allow", training_due=int(time.time() + days * 86400))
    done = desk.run("acct")
    assert done["acct"] == code
    assert re.search(words, done.told[0]) if words else done.told == []
    if code != "SUCCESS":
        assert done.entry["reason"] == "training_due"
    # a sign-in of a moment ago does not spare it
    assert desk.run("auth", "acct", answers=GOOD)["acct"] == code
    assert desk.helper("unavailable").run("acct")["acct"] == ("AUTHINFO_UNAVAIL")
