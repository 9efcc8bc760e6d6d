"""The first authenticator at a login: unenrolled = enroll, through libpam with the real module, helper and database."""

import subprocess

import pytest

import pam_world
from enrolling import NEAR, NO_CODE, OPEN, PAIR, RECOVERY, code_of, enroll, factors, meanwhile, pair, remember


@pytest.fixture
def host(staff):
    """The host, open for people from 192.0.2.0/24."""
    staff.configure(**OPEN)
    yield staff
    staff.configure()


@pytest.fixture
def bob(staff):
    return staff.hire(enrolled=False)


# --- the way it is meant ----------------------------------------------------------------------------------------------

def test_the_password_a_code_and_two_codes_in_a_row_enrol_and_sign_in(host, bob):
    code = host.issue(bob)
    done = enroll(host, bob, [NO_CODE, code.lower(), *PAIR, ""], "auth", options=[*NEAR, "--state"])
    shown = "\n".join(done.lines)
    assert done["auth"] == "SUCCESS" and done.state == "state same"
    assert [prompt.split(" ", 2)[2] for prompt in done.prompts] == [
        "Password: ", "Verification code: ", "Enrolment code: ", "Give your authenticator app this key:",
        "When it shows another one, type that code: ",
        "You are enrolled.  Each of these recovery codes opens the account once, without the app:"]
    assert (done.entry["result"], done.entry["reason"], done.entry.priority) == ("allow", "enrolled", "INFO")
    assert len(set(RECOVERY.findall(shown))) == 10 and "\x1b" not in shown
    assert factors(host, bob) == ["active"]
    remember(bob, shown)
    for secret in (code, bob.password, bob.seed, bob.recovery_codes[0]):
        assert secret not in done.entry.text
    trail = [event[:3] for event in host.events() if event[3] == done.entry["request_id"]]
    assert trail == [("factor_bound", "ok", "first"), ("login_code", "granted", "enrolled")]
    assert ("enroll_code_issued", "ok", None) in [event[:3] for event in host.events()]

    host.forget_step(bob)
    assert host.run("auth", user=bob.login, answers=bob.answers)["auth"] == "SUCCESS"
    assert host.run("auth", user=bob.login, answers=[bob.password, bob.recovery_codes[0]])["auth"] == "SUCCESS"
    assert enroll(host, bob, [code])["auth"] == "AUTH_ERR"        # the code was for one authenticator


def test_the_code_may_be_typed_where_a_code_is_asked_for(host, bob):
    done = enroll(host, bob, [host.issue(bob), *PAIR, ""])
    assert done["auth"] == "SUCCESS" and not any("Enrolment" in prompt for prompt in done.prompts)


def test_behind_an_ssh_key_it_is_open_from_everywhere(host, bob):
    ssh = ["--env", "SSH_CONNECTION=198.51.100.9 1 192.0.2.1 22", "--env", "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA\n"]
    done = enroll(host, bob, [host.issue(bob), *PAIR, ""], service="sshd", options=ssh)
    assert done["auth"] == "SUCCESS" and done.prompts[1].startswith("prompt on")


def test_a_password_and_code_in_one_answer_will_do(host, bob):
    done = host.talk([bob.password + host.issue(bob), *PAIR, ""], user=bob.login, options=NEAR, line="factors=combined")
    assert done["auth"] == "SUCCESS"


def test_silence_does_not_hide_the_key(host, bob):
    done = enroll(host, bob, [host.issue(bob), *PAIR, ""], options=[*NEAR, "--flags", "silent"])
    assert done["auth"] == "SUCCESS" and done.told == []


def test_a_password_that_must_change_still_must(host, bob):
    host.installation.counterfoil("account", "set-password", "--realm", "staff", "--password-stdin", bob.login,
                                  input="the operator's choice\n")
    bob.password = "the operator's choice"
    done = enroll(host, bob, [host.issue(bob), *PAIR, ""], "auth", "acct")
    assert (done["auth"], done["acct"]) == ("SUCCESS", "NEW_AUTHTOK_REQD")


def test_the_two_codes_are_used_up(host, bob):
    typed = []

    def noted(answer):
        return lambda shown: typed.append(answer(shown)) or typed[-1]
    assert enroll(host, bob, [host.issue(bob), *map(noted, PAIR), ""])["auth"] == "SUCCESS"
    for code in typed:
        assert host.run("auth", user=bob.login, answers=[bob.password, code])["auth"] == "AUTH_ERR"


# --- where it is not open it is as "deny" -----------------------------------------------------------------------------

SHUT = {
    "from elsewhere": ({}, ["--item", "rhost=198.51.100.9"], ""),
    "from nowhere": ({}, [], ""),
    "from a mere name": ({}, ["--item", "rhost=near.example"], ""),
    "with a key that is not sshd's": ({}, ["--env", "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"], ""),
    "behind sshd without a key": ({}, ["--env", "SSH_CONNECTION=198.51.100.9 1 192.0.2.1 22", "--env", "SSH_AUTH_INFO_0=password"],
                                  ""),
    "without networks": ({"enroll_cidrs": None}, NEAR, ""),
    "not wanted": ({"unenrolled": "deny"}, NEAR, ""),
    "at no terminal": ({"enroll_cidrs": "127.0.0.0/8"}, ["--item", "tty=/dev/pts/0"], ""),
    "in a network of the other kind": ({"enroll_cidrs": "::/0"}, NEAR, ""),
}


@pytest.mark.parametrize("why", SHUT)
def test_where_it_is_not_open_nobody_is_asked_more(host, bob, why):
    changes, options, line = SHUT[why]
    host.configure(**{"unenrolled": "enroll", "enroll_cidrs": "192.0.2.0/24", **changes})
    done = enroll(host, bob, [host.issue(bob), *PAIR], options=options, line=line)
    assert (done["auth"], done.entry["reason"]) == ("CRED_INSUFFICIENT", "not_enrolled")
    assert len(done.prompts) == 2 and factors(host, bob) == []


def test_a_wrong_password_an_unknown_user_and_a_code_alone_open_nothing(host, bob):
    code = host.issue(bob)
    for user, answers, line in ((bob.login, ["wrong", code], ""), ("nobody-here", [bob.password, code], ""),
                                (bob.login, [code], "factors=otp")):
        done = host.talk([*answers, *PAIR], user=user, options=NEAR, line=line)
        assert done["auth"] in ("AUTH_ERR", "USER_UNKNOWN") and len(done.prompts) == len(answers) and done.told == []
    assert factors(host, bob) == []


def test_nobody_enrols_in_somebody_elses_name(host, bob, me):
    host.configure(unenrolled="enroll", enroll_cidrs="192.0.2.0/24", identity="caller")
    host.installation.counterfoil("account", "add", "--realm", "staff", "--password-stdin", me, input=bob.password + "\n")
    caller = type(bob)(me, bob.password)
    code = host.issue(caller)
    done = host.talk([bob.password, code, *PAIR], user=bob.login, options=NEAR)
    assert done["auth"] == "CRED_INSUFFICIENT" and len(done.prompts) == 2 and factors(host, caller) == []


# --- wrong codes ------------------------------------------------------------------------------------------------------

def test_a_wrong_code_of_the_operator_counts_and_tells_nothing(host, bob):
    code, wrong = host.issue(bob), "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"
    for answers in ([wrong], [NO_CODE, wrong], [wrong], [NO_CODE, wrong], [wrong]):
        done = enroll(host, bob, [*answers, *PAIR])
        assert (done["auth"], done.entry["reason"], done.told) == ("AUTH_ERR", "wrong_enroll_code", [])
    done = enroll(host, bob, [code, *PAIR])
    assert (done["auth"], done.entry["reason"], done.told) == ("AUTH_ERR", "throttled", [])
    assert factors(host, bob) == []


def test_what_is_no_code_is_not_asked_about(host, bob):
    for typed in (NO_CODE, "hello", "A" * 513):
        done = enroll(host, bob, [NO_CODE, typed])
        assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "bad_input")


WRONG_PAIRS = {"the same code twice": (0, 0), "the wrong way round": (0, 1), "not in a row": (2, 0), "too old": (4, 3),
               "of the future": (-3, -4)}


def test_only_two_codes_in_a_row_bind(host, bob):
    code = host.issue(bob)
    for name, steps in WRONG_PAIRS.items():
        done = enroll(host, bob, [code, *(3 * pair(*steps))])
        assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "wrong_code"), name
        assert sum("one after the other" in prompt for prompt in done.prompts) == 2 and factors(host, bob) == ["pending"]
    done = enroll(host, bob, [code, "123456", "654321", *PAIR, ""])       # a slip is no reason to begin again
    assert done["auth"] == "SUCCESS" and factors(host, bob) == ["active"]


# --- who goes away ----------------------------------------------------------------------------------------------------

ODD = {"an error": (["error"], "CONV_ERR"), "nothing": (["null"], "AUTH_ERR"), "an empty line": ("", "AUTH_ERR")}


@pytest.mark.parametrize("kind", ODD)
def test_who_goes_away_at_a_prompt_is_not_in_and_has_nothing_bound(host, bob, kind):
    odd, code = ODD[kind]
    answers = [NO_CODE, host.issue(bob), *PAIR]
    for given in range(1, len(answers)):
        done = enroll(host, bob, [*answers[:given], odd], options=[*NEAR, "--state"])
        assert (done["auth"], done.state) == (code, "state same"), given
        assert factors(host, bob) == (["pending"] if given > 1 else [])
    left, = host.query("SELECT extract(epoch FROM pending_until - now()) FROM counterfoil.factor WHERE account_id = %s",
                       (host.account_id(bob),))
    assert 540 < left[0] <= 600
    assert enroll(host, bob, [*answers, ""])["auth"] == "SUCCESS"         # and begins anew with the same code


def test_who_goes_away_at_the_recovery_codes_is_enrolled_and_not_in(host, bob):
    done = enroll(host, bob, [host.issue(bob), *PAIR, ["error"]])
    assert done["auth"] == "CONV_ERR" and factors(host, bob) == ["active"]
    remember(bob, "\n".join(done.lines))
    host.forget_step(bob)
    assert host.run("auth", user=bob.login, answers=bob.answers)["auth"] == "SUCCESS"


# --- what happens meanwhile -------------------------------------------------------------------------------------------

MEANWHILE = {
    "started by the operator": lambda host, bob: host.installation.counterfoil(
        "enroll", "--realm", "staff", "--no-confirm", "--json", bob.login),
    "locked": lambda host, bob: host.lock(bob),
    "a newer code": lambda host, bob: host.issue(bob),
    "a new password": lambda host, bob: host.installation.counterfoil(
        "account", "set-password", "--realm", "staff", "--password-stdin", bob.login, input="the operator's choice\n"),
    "ten minutes later": lambda host, bob: host.query(
        "UPDATE counterfoil.factor SET pending_until = now() WHERE account_id = %s", (host.account_id(bob),)),
    "a day later": lambda host, bob: host.query(
        "UPDATE counterfoil.ticket SET expires_at = now() WHERE account_id = %s", (host.account_id(bob),)),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_changes_under_the_dialogue_ends_it(host, bob, what):
    code = host.issue(bob)
    done = enroll(host, bob, [code, code_of(1), meanwhile(lambda: MEANWHILE[what](host, bob), code_of(0)), ""])
    assert (done["auth"], done.entry["reason"]) == ("AUTH_ERR", "enrollment_over"), done.log
    assert factors(host, bob) == ["pending"]


@pytest.mark.parametrize("right", [True, False])
def test_who_was_enrolled_meanwhile_signs_in_with_a_code_of_what_was_bound(host, bob, right):
    second = (lambda shown: bob.code()) if right else code_of(0)
    pairs = [code_of(1), meanwhile(lambda: host.enroll(bob), second)]
    done = enroll(host, bob, [host.issue(bob), *pairs, *([] if right else 2 * [code_of(1), code_of(0)])])
    assert (done["auth"], done.entry["reason"]) == (("SUCCESS", "granted") if right else ("AUTH_ERR", "wrong_code")), done.log
    assert factors(host, bob) == ["active"] and "recovery codes" not in "\n".join(done.lines)


def test_of_two_dialogues_at_once_the_one_that_began_last_binds_and_the_other_lets_nobody_in(host, bob):
    code, inner = host.issue(bob), []
    pairs = [code_of(1), meanwhile(lambda: inner.append(enroll(host, bob, [code, *PAIR, ""])), code_of(0))]
    done = enroll(host, bob, [code, *pairs, *(2 * [code_of(1), code_of(0)])])
    assert inner[0]["auth"] == "SUCCESS" and (done["auth"], factors(host, bob)) == ("AUTH_ERR", ["active"]), done.log
    remember(bob, "\n".join(inner[0].lines))
    host.forget_step(bob)
    assert host.run("auth", user=bob.login, answers=bob.answers)["auth"] == "SUCCESS"


def test_a_second_dialogue_that_is_given_up_ends_the_first_and_uses_up_nothing(host, bob):
    code, inner = host.issue(bob), []
    pairs = [code_of(1), meanwhile(lambda: inner.append(enroll(host, bob, [code, ["error"]])), code_of(0))]
    done = enroll(host, bob, [code, *pairs])
    assert (inner[0]["auth"], done["auth"], factors(host, bob)) == ("CONV_ERR", "AUTH_ERR", ["pending"]), done.log
    assert enroll(host, bob, [code, *PAIR, ""])["auth"] == "SUCCESS"


def test_a_database_that_goes_away_between_the_steps_lets_nobody_in(host, bob):
    host.configure(unenrolled="enroll", enroll_cidrs="192.0.2.0/24", fail="ignore_unavailable")
    code = host.issue(bob)
    for answers in ([NO_CODE, meanwhile(host.postgres.stop, code)], [code, code_of(1), meanwhile(host.postgres.stop, NO_CODE)]):
        done = enroll(host, bob, answers)
        host.postgres.start()
        assert (done["auth"], done.entry["reason"], done.entry.priority) == ("AUTHINFO_UNAVAIL", "unavailable", "ERR")
        assert "active" not in factors(host, bob)
    assert enroll(host, bob, [code, *PAIR, ""])["auth"] == "SUCCESS"


# --- a helper that does as it is told ---------------------------------------------------------------------------------

UNENROLLED = {"password_right": 1, "reason": "not_enrolled", "factor_id": "12345678-1234-4234-8234-123456789012",
              "enroll_key": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "start": 16, "confirm": 0x5AFE}
TYPED = ["pw", "ABCD-EFGH-IJKL-MNOP-QRST-UVWX", "123456", "654321"]


@pytest.mark.parametrize("spoilt, code", [
    ({}, "SUCCESS"), ({"start": 0x5AFE}, "AUTHINFO_UNAVAIL"), ({"enroll_key": None}, "AUTHINFO_UNAVAIL"),
    ({"factor_id": None}, "AUTHINFO_UNAVAIL"), ({"start": 3}, "CRED_INSUFFICIENT"), ({"start": 5}, "AUTHINFO_UNAVAIL"),
    ({"confirm": 16}, "AUTH_ERR"), ({"confirm": 1}, "AUTH_ERR"), ({"confirm": 0}, "AUTHINFO_UNAVAIL"),
    ({"confirm": 5}, "AUTHINFO_UNAVAIL"), ({"confirm": 7}, "SERVICE_ERR"), ({"confirm": 9}, "BUF_ERR"),
    ({"password_right": 0}, "AUTH_ERR"), ({"fault": "id"}, "AUTHINFO_UNAVAIL")])
def test_only_an_allow_to_the_two_codes_lets_in(desk, spoilt, code):
    desk.configure(unenrolled="enroll", enroll_cidrs="192.0.2.0/24", fail="ignore_unavailable")
    script = {key: value for key, value in {**UNENROLLED, **spoilt}.items() if value is not None}
    done = desk.helper("not_enrolled", **script).run("auth", answers=TYPED, options=[*NEAR, "--state"])
    assert (done["auth"], done.state) == (code, "state same"), done.log
    if code == "SUCCESS":
        assert "https://" not in "\n".join(done.lines)
        assert [request["operation"] for request in desk.asked()] == ["1", "10", "11"]


def test_neither_key_nor_codes_stay_in_the_memory_of_the_host(desk):
    desk.configure(unenrolled="enroll", enroll_cidrs="192.0.2.0/24")
    key = "CANARYKEYCANARYKEYABCDEFGHIJKLMN"
    for confirm in (0x5AFE, 1):
        desk.helper("not_enrolled", **{**UNENROLLED, "enroll_key": key, "confirm": confirm,
                                       "recovery_codes": "ZZZZ-EFGH-IJKL-MNOP-QRST-UVWX"})
        desk.stack("scan", [f"auth required {desk.module} conf={desk.conf}"])
        done = subprocess.run([pam_world.BUILT / "memory_canary", desk.directory, "scan", "enroll"], check=True, timeout=60,
                              input="chestnut-canary-7341\nABCD-EFGH-IJKL-MNOP-QRST-UVWX\n" + key + "\nCANA RYKE\n"
                              "ZZZZ-EFGH-IJKL-MNOP\n", capture_output=True, text=True, env={"LD_PRELOAD": str(pam_world.CAPTURE)})
        found = dict(line.split() for line in done.stdout.splitlines())
        assert found == {"during": "found", "result": "0" if confirm == 0x5AFE else "7", "after": "clean"}, confirm
