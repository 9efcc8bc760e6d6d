"""Each way in which a call can end, a thousand times: the process of the application is left as it was.

The ways are the rows of the table of return codes (pam_module/answer.c), which the manual has too."""

import concurrent.futures
import re

import pytest

import pam_world
import world as worlds

TIMES = 1000
GOOD = ("seven lanterns", "123456")
JUNK = ["--answer-hex", (b"\b\n\r\x7fINCORRECT" * 2)[:14].hex()]
NEW = ("another password", "another password")
PERMIT = "required pam_permit.so"


def said(answer, **settings):
    """The helper gives this answer; SETTINGS of pam.conf."""
    return {"helper": {"answer": answer}, "conf": settings}


def fault(name):
    return {"helper": {"answer": "allow", "fault": name}}


# result and reason of the log -> how the call comes to end so
OUTCOMES = {
    ("allow", "granted"): said("allow"),
    ("deny", "denied"): said("deny"),
    ("deny", "unknown_user"): said("unknown_user"),
    ("deny", "not_enrolled"): {"helper": {"answer": "not_enrolled", "password_right": 1}},
    ("deny", "throttled"): said("throttled"),
    ("unavailable", "unavailable"): said("unavailable"),
    ("unavailable", "unusable"): said("unusable"),
    ("error", "host_refused"): said("refused"),
    ("error", "misconfigured"): {"conf": {"nonsense": 1}},
    ("error", "no_memory"): said("no_memory"),
    ("error", "internal"): said("internal"),
    ("deny", "locked"): said("locked"),
    ("deny", "expired"): said("expired"),
    ("change", "password_change_required"): said("change_required"),
    ("deny", "password_refused"): said("password_refused"),
    ("deny", "not_own_account"): said("not_own_account"),
    ("deny", "enroll_started"): said("enroll_started"),
    ("deny", "empty_answer"): {"answers": ["", "123456"]},
    ("deny", "bad_input"): {"answers": ["x" * 513, "123456"]},
    ("deny", "no_first_pass"): {"line": "use_first_pass"},
    ("deny", "no_publickey"): {"conf": {"require_ssh_publickey": "yes"}},
    ("error", "conversation"): {"answers": []},
    ("error", "blind_conversation"): {"service": "sshd", "options": ["--blind", "seven lanterns"]},
    ("unavailable", "helper_broken"): fault("segv"),
    ("unavailable", "helper_timeout"): {**fault("hang-half"), "environment": pam_world.HURRY},
    ("deny", "tries_used_up"): {"conf": {"attempts": 2}, "answers": ["", "123456", "", "123456"]},
    ("deny", "no_second_factor"): {"operation": "acct", "conf": {"account": "require_mfa"}},
    ("deny", "training_due"): {"operation": "acct", "conf": {"account": "status", "training": "require"},
                               "helper": {"answer": "allow", "training_due": 1}},
    ("deny", "sshd_junk"): {"service": "sshd", "answers": [JUNK, JUNK]},
    ("ignore", "exempt"): {"conf": {"exempt_users": "root"}},
    ("ignore", "unknown_user"): said("unknown_user", unknown_user="ignore"),
    ("ignore", "not_enrolled"): {"helper": {"answer": "allow", "enrolled": 0},
                                 "conf": {"unenrolled": "ignore", "unenrolled_until": "2999-01-01"}},
    ("ignore", "unavailable"): said("unavailable", fail="ignore_unavailable"),
    ("ignore", "not_expired"): {"operation": "chauthtok", "options": ["--flags", "expired"]},
    ("deny", "new_unequal"): {"operation": "chauthtok", "answers": [*GOOD, "one", "another"]},
    # a stack that goes on behind a wrong old password
    ("deny", "not_proven"): {"helper": {"answer": "deny", "reason": "wrong_password"}, "operation": "chauthtok",
                             "control": "[default=ignore]"},
    ("off", "off"): {"operation": "acct"},
    ("recorded", "session"): {"operation": "open", "conf": {"account": "status"}},
}
MORE = {
    "an allow of a helper that is killed": (("unavailable", "helper_broken"), fault("kill")),
    "an allow of a helper that ends badly": (("unavailable", "helper_broken"), fault("exit-after")),
    "an allow in a malformed reply": (("unavailable", "helper_broken"), fault("text")),
}


def prepare(directory, reason, operation="auth", helper=None, conf=None, control="required", line="", **options):
    """An application that ends so, and what to run it with."""
    desk = pam_world.Application(directory)
    desk.configure(**{"timeout_total": 30, **(conf or {})}).helper(**{"answer": "allow", "reason": reason, **(helper or {})})
    kinds = {"auth": "auth", "acct": "account", "open": "session", "chauthtok": "password"}
    options["stack"] = [f"{kinds[operation]} {control} {desk.module} conf={desk.conf} {line}", f"{kinds[operation]} {PERMIT}"]
    options["options"] = [*options.get("options", []), "--quiet", "--repeat", str(TIMES), "--state"]
    return desk, operation, {"answers": GOOD, **options}


def end_so_often(directory, way, setting):
    """What is not as it should be after TIMES calls; None: all is."""
    desk, operation, options = prepare(directory, way[1], **setting)
    done = desk.run(operation, **options)
    ended = sum(re.search(rf" result={way[0]} pam=\w+ reason={way[1]} ", entry.text) is not None for entry in done.log)
    return None if (done.state, ended) == ("state same", TIMES + 1) else (way, ended, done.state, done.log[:2])


def test_a_thousand_calls_of_each_outcome_leave_the_host_as_it_was(tmp_path):
    every = [(*item, str(number)) for number, item in enumerate([*OUTCOMES.items(), *MORE.values()])]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = list(pool.map(lambda item: end_so_often(tmp_path / item[2], *item[:2]), every))
    assert [found for found in wrong if found] == []


def test_these_are_all_the_rows_of_the_table():
    rows = [line.split() for line in worlds.run(pam_world.BUILT / "pam_tables", "answers").splitlines()]
    assert sorted((row[0], row[-1]) for row in rows) == sorted(OUTCOMES)


def test_a_wait_that_is_hurried_is_as_long_by_the_clock_of_the_module(desk):
    desk.configure(timeout_total=30).helper("allow", fault="hang-half")
    done = desk.run("auth", answers=GOOD, environment=pam_world.HURRY)
    assert (done["auth"], done.entry["reason"]) == ("AUTHINFO_UNAVAIL", "helper_timeout")
    assert int(done.entry["ms"]) >= 30000


@pytest.mark.parametrize("answer", ["allow", "deny"])
def test_all_six_functions_one_after_the_other_do_too(desk, answer):
    desk.helper(answer)
    done = desk.run("auth", "setcred", "acct", "open", "close", "chauthtok", answers=[*GOOD, *GOOD, *NEW],
                    options=["--quiet", "--repeat", "170", "--state"])
    assert done.state == "state same" and len(done.log) >= 171 * 5


def test_a_thousand_broken_conversations_do_too(desk):
    for answers in ([["--answer-odd", "null"]], ["pw", ["--answer-odd", "error"]]):
        done = desk.run("auth", answers=answers, options=["--quiet", "--repeat", "1000", "--state"])
        assert done.state == "state same"
    assert desk.asked() == []
