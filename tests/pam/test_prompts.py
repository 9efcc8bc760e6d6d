"""What is asked, what is taken for an answer, and what reaches the helper."""

import pytest

import pam_world

GOOD = ("seven lanterns", "123456")
RECOVERY = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX"
SSH = ["--env", "SSH_CONNECTION=203.0.113.7 50000 192.0.2.1 22"]
JUNK = b"\b\n\r\x7fINCORRECT"


def hexed(data):
    return ["--answer-hex", data.hex()]


def odd(kind):
    return ["--answer-odd", kind]


def test_password_and_code_are_asked_for_before_either_is_verified(desk):
    done = desk.run(answers=GOOD)
    assert done.prompts == ["prompt off Password: ", "prompt off Verification code: "]
    assert (desk.asked()[0]["password"], desk.asked()[0]["code"], desk.asked()[0]["user"]) == (*GOOD, "root")


def test_the_code_is_shown_under_sshd_and_only_there(desk):
    assert desk.run(answers=GOOD, service="sshd").prompts[1].startswith("prompt on ")
    assert desk.run(answers=GOOD, options=SSH).prompts[1].startswith("prompt on ")
    assert desk.run(answers=GOOD).prompts[1].startswith("prompt off ")
    desk.configure(echo_otp="off")
    assert desk.run(answers=GOOD, service="sshd").prompts[1].startswith("prompt off ")
    desk.configure(echo_otp="on")
    assert desk.run(answers=GOOD).prompts[1].startswith("prompt on ")


def test_prompts_are_the_operators_with_user_and_host(desk):
    desk.configure(prompt_password='"Password of %u: "', prompt_otp='"Code for %u@%h> "')
    done = desk.run(answers=GOOD)
    assert done.prompts[0] == "prompt off Password of root: "
    assert done.prompts[1].startswith("prompt off Code for root@") and done.prompts[1].endswith("> ")


@pytest.mark.parametrize("factors, answers, prompts, sent", [
    ("password", ["pw"], ["prompt off Password: "], ("3", "pw", "-")),
    ("otp", ["123456"], ["prompt off Verification code: "], ("2", "-", "123456")),
    ("combined", ["pw123456"], ["prompt off Password & verification code: "], ("1", "pw", "123456")),
    ("combined", ["pw " + RECOVERY], ["prompt off Password & verification code: "],
     ("1", "pw ", RECOVERY.replace("-", ""))),
    ("password+otp", ["pw", "123456"], ["prompt off Password: ", "prompt off Verification code: "], ("1", "pw", "123456")),
])
def test_each_choice_of_factors_asks_for_what_it_needs(desk, factors, answers, prompts, sent):
    done = desk.configure(factors=factors).run(answers=answers)
    assert done["auth"] == "SUCCESS" and done.prompts == prompts and done.entry["factors"] == factors
    assert (desk.asked()[0]["factors"], desk.asked()[0]["password"], desk.asked()[0]["code"]) == sent


@pytest.mark.parametrize("typed, sent", [("123456", "123456"), ("123 456", "123456"), ("123-456", "123456"),
                                         (" 123456 ", "123456"), (RECOVERY, RECOVERY.replace("-", "")),
                                         (RECOVERY.lower().replace("-", " "), RECOVERY.lower().replace("-", ""))])
def test_a_code_may_be_typed_in_groups(desk, typed, sent):
    assert desk.run(answers=["pw", typed])["auth"] == "SUCCESS"
    assert desk.asked()[0]["code"] == sent


@pytest.mark.parametrize("typed", ["12345", "1234567", "12-34-56", "12345a", "abcdef", "１２３４５６", RECOVERY[:-1],
                                   RECOVERY + "A", RECOVERY.replace("A", "1"), "-", "      "])
def test_what_has_the_shape_of_no_code_reaches_nobody(desk, typed):
    done = desk.run(answers=["pw", typed])
    assert done["auth"] == "AUTH_ERR" and desk.asked() == [] and done.entry["reason"] == "bad_input"


def test_recovery_codes_can_be_turned_off(desk):
    done = desk.configure(accept_recovery="no").run(answers=["pw", RECOVERY])
    assert done["auth"] == "AUTH_ERR" and desk.asked() == []


@pytest.mark.parametrize("typed", ["123456", "12345", "pw12345", "pw", "pw12345a"])
def test_a_combined_answer_without_both_parts_reaches_nobody(desk, typed):
    done = desk.configure(factors="combined").run(answers=[typed])
    assert done["auth"] == "AUTH_ERR" and desk.asked() == []


def test_a_long_password_that_looks_like_a_recovery_code_without_dashes_is_a_password_with_a_code(desk):
    typed = "correcthorsebatterystaple" + "234567"
    assert desk.configure(factors="combined").run(answers=[typed])["auth"] == "SUCCESS"
    assert (desk.asked()[0]["password"], desk.asked()[0]["code"]) == (typed[:-6], "234567")


# --- answers that are none ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("answers, code, reason", [
    ([], "CONV_ERR", "conversation"),
    ([odd("error")], "CONV_ERR", "conversation"),
    ([odd("again")], "CONV_ERR", "conversation"),
    (["pw", odd("error")], "CONV_ERR", "conversation"),
    ([odd("null")], "AUTH_ERR", "empty_answer"),
    ([odd("null-array")], "AUTH_ERR", "empty_answer"),
    ([""], "AUTH_ERR", "empty_answer"),
    (["pw", ""], "AUTH_ERR", "empty_answer"),
    (["pw", odd("null")], "AUTH_ERR", "empty_answer"),
    (["x" * 513, "123456"], "AUTH_ERR", "bad_input"),
    (["pw", "1" * 513], "AUTH_ERR", "bad_input"),
    ([hexed(b"a\x1b[2Jb"), "123456"], "AUTH_ERR", "bad_input"),
    ([hexed(b"a\x7f"), "123456"], "AUTH_ERR", "bad_input"),
    ([hexed(b"\xff\xfe"), "123456"], "AUTH_ERR", "bad_input"),
    ([hexed(b"\xc0\xaf"), "123456"], "AUTH_ERR", "bad_input"),
    ([hexed(b"\xed\xa0\x80"), "123456"], "AUTH_ERR", "bad_input"),
])
def test_an_answer_that_is_none_is_refused_and_reaches_nobody(desk, answers, code, reason):
    done = desk.run(answers=answers, options=["--state"])
    assert done["auth"] == code and desk.asked() == []
    assert done.entry["reason"] == reason and done.state == "state same"
    assert done.entry.priority == ("WARNING" if code == "CONV_ERR" else "NOTICE")


@pytest.mark.parametrize("length", [1, 511, 512])
def test_a_password_of_up_to_512_bytes_arrives_whole(desk, length):
    assert desk.run(answers=["x" * length, "123456"])["auth"] == "SUCCESS"
    assert desk.asked()[0]["password"] == "x" * length


def test_a_password_in_any_script_arrives_as_it_was_typed(desk):
    typed = "пароль 密码 🔑 e\u0301"
    assert desk.run(answers=[typed, "123456"])["auth"] == "SUCCESS"
    assert desk.asked()[0]["password"] == typed


# --- more than one attempt ------------------------------------------------------------------------------------------

def test_one_attempt_a_call_is_the_rule_and_three_the_most(desk):
    desk.helper("deny")
    done = desk.run(answers=GOOD * 4)
    assert done["auth"] == "AUTH_ERR" and len(desk.asked()) == 1
    done = desk.configure(attempts=3).run(answers=GOOD * 4, line="debug")
    assert done["auth"] == "MAXTRIES" and len(desk.asked()) == 3 and done.entry["reason"] == "tries_used_up"
    assert done.entry["tries"] == "3"


def test_an_outage_is_no_reason_to_ask_again(desk):
    done = desk.configure(attempts=3).helper("unavailable").run(answers=GOOD * 3)
    assert done["auth"] == "AUTHINFO_UNAVAIL" and len(done.prompts) == 2


# --- other modules' answers -----------------------------------------------------------------------------------------

def behind_another(desk, line):
    """A stack in which a module before ours has asked for the password."""
    return [f"auth required {desk.module} conf={desk.conf} factors=password forward_pass",
            f"auth required {desk.module} conf={desk.conf} {line}"]


def test_use_first_pass_takes_the_password_of_the_module_before_and_never_asks(desk):
    done = desk.run(answers=["from before", "123456"], stack=behind_another(desk, "use_first_pass"))
    assert done["auth"] == "SUCCESS"
    assert done.prompts == ["prompt off Password: ", "prompt off Verification code: "]
    assert (desk.asked()[1]["password"], desk.asked()[1]["code"]) == ("from before", "123456")
    done = desk.run(answers=GOOD, line="use_first_pass")
    assert done["auth"] == "AUTH_ERR" and done.prompts == [] and done.entry["reason"] == "no_first_pass"


def test_a_combined_answer_of_the_module_before_is_split(desk):
    done = desk.run(answers=["from before123456"], stack=behind_another(desk, "use_first_pass factors=combined"))
    assert done["auth"] == "SUCCESS" and len(done.prompts) == 1
    assert (desk.asked()[1]["password"], desk.asked()[1]["code"]) == ("from before", "123456")


def test_try_first_pass_asks_where_nobody_has_and_when_it_was_wrong(desk):
    done = desk.run(answers=["from before", "123456"], stack=behind_another(desk, "try_first_pass"))
    assert done["auth"] == "SUCCESS" and desk.asked()[1]["password"] == "from before"
    assert desk.run(answers=GOOD, line="try_first_pass")["auth"] == "SUCCESS"
    desk.configure('[service "second"]', "attempts = 2").helper("deny")
    desk.run(answers=["from before", "111111", "typed", "222222"], stack=behind_another(desk, "try_first_pass profile=second"))
    assert [request["password"] for request in desk.asked()[1:]] == ["from before", "typed"]


def test_only_forward_pass_hands_the_password_on_and_never_a_code(desk):
    reader = f"auth optional {desk.module} conf={desk.conf} use_first_pass factors=password"
    for line, answers, seen in [("", GOOD, None), ("forward_pass", GOOD, "seven lanterns"),
                                ("forward_pass factors=combined", ["pw123456"], "pw"),
                                ("forward_pass factors=password", ["pw"], "pw")]:
        desk.run(answers=answers, stack=[f"auth required {desk.module} conf={desk.conf} {line}", reader])
        assert [request["password"] for request in desk.asked()[1:]] == ([seen] if seen else [])


# --- sshd -----------------------------------------------------------------------------------------------------------

def test_a_blind_conversation_is_found_out_before_anybody_is_asked(desk):
    done = desk.run(service="sshd", options=["--blind", "seven lanterns"])
    assert done["auth"] == "CONV_ERR" and desk.asked() == []
    assert (done.entry.priority, done.entry["reason"]) == ("WARNING", "blind_conversation")
    assert "KbdInteractiveAuthentication yes" in done.entry["detail"]
    # a prompt that sshd answers because it is hidden: the same answer twice gives it away
    done = desk.configure(echo_otp="off").run(service="sshd", options=["--blind", "seven lanterns"])
    assert done["auth"] == "CONV_ERR" and desk.asked() == []
    done = desk.configure(factors="otp").run(service="sshd", options=["--blind", "123456"])
    assert done["auth"] == "CONV_ERR" and desk.asked() == []


@pytest.mark.parametrize("echo", ["auto", "off"])
def test_a_blind_conversation_may_be_taken_as_password_and_code_in_one(desk, echo):
    desk.configure(blind_conversation="combined", echo_otp=echo)
    done = desk.run(service="sshd", options=["--blind", "seven lanterns123456"])
    assert done["auth"] == "SUCCESS"
    assert (desk.asked()[0]["password"], desk.asked()[0]["code"]) == GOOD
    done = desk.run(service="sshd", options=["--blind", "seven lanterns"])
    assert done["auth"] == "AUTH_ERR" and desk.asked() == []


@pytest.mark.parametrize("length", [1, 2, 5, 8, 13, 30])
def test_sshds_junk_password_is_known_and_counts_for_nobody(desk, length):
    junk = (JUNK * 4)[:length]
    done = desk.run(service="sshd", answers=[hexed(junk), hexed((JUNK * 4)[:6])])
    assert done["auth"] == "AUTH_ERR" and (done.entry.priority, done.entry["reason"]) == ("INFO", "sshd_junk")
    asked = desk.asked()
    assert len(asked) == 1 and asked[0]["operation"] == "2"        # a decoy: the same work, and nobody's attempt
    assert (asked[0]["password"], asked[0]["code"]) == ("-", "-")


@pytest.mark.parametrize("answer", ["allow", "deny", "unknown_user", "throttled", "not_enrolled"])
def test_a_decoy_never_lets_anybody_in(desk, answer):
    done = desk.helper(answer).run(answers=[hexed(JUNK), hexed(JUNK[:6])], service="sshd")
    assert done["auth"] == "AUTH_ERR"


def test_the_address_is_the_numeric_one_that_sshd_tells(desk):
    def rhost(connection=None, item=None):
        options = ["--env", f"SSH_CONNECTION={connection} 1 192.0.2.1 22"] if connection else []
        options += ["--item", f"rhost={item}"] if item else []
        done = desk.run(answers=GOOD, options=options)
        assert done.entry.fields.get("rhost", "-") == desk.asked()[0]["rhost"]
        return desk.asked()[0]["rhost"]
    assert rhost("203.0.113.7", "lying.example") == "203.0.113.7"
    assert rhost("2001:db8::1") == "2001:db8::1"
    assert rhost("::ffff:203.0.113.7") == "203.0.113.7"
    assert rhost("fe80::1%eth0") == "fe80::1"
    assert rhost(None, "203.0.113.9") == "203.0.113.9"
    assert rhost(None, "lying.example") == "-"
    assert rhost("UNKNOWN", "1.2.3.4.5") == "-"
    assert rhost(None, "x" * 300) == "-"
    assert rhost(None, "127.1") == "-"


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleExa"


def test_a_key_can_be_required_and_its_name_is_sent_along(desk):
    desk.configure(require_ssh_publickey="yes", factors="otp")
    done = desk.run(service="sshd", answers=["123456"])
    assert done["auth"] == "AUTH_ERR" and done.prompts == [] and done.entry["reason"] == "no_publickey"
    for info in ("password", "keyboard-interactive", "publickey", "xpublickey ssh-ed25519 A", " publickey x"):
        assert desk.run(service="sshd", answers=["123456"], options=["--env", f"SSH_AUTH_INFO_0={info}"])["auth"] == "AUTH_ERR"
    for info in (f"publickey {KEY}", f"password\npublickey {KEY}", f"publickey {KEY}\n"):
        done = desk.run(service="sshd", answers=["123456"], options=["--env", f"SSH_AUTH_INFO_0={info}"])
        assert done["auth"] == "SUCCESS" and desk.asked()[0]["ssh_key"] == KEY
    # only sshd's word counts
    assert desk.run(answers=["123456"], options=["--env", f"SSH_AUTH_INFO_0=publickey {KEY}"])["auth"] == "AUTH_ERR"


ALLOW, DENY, UNAVAILABLE = (str(pam_world.ANSWERS[name]) for name in ("allow", "deny", "unavailable"))


def test_a_ticket_is_tried_before_the_prompt_and_whatever_is_no_ticket_s_allow_leads_to_the_prompt(desk):
    """Operation 12 of the wire; 2: let in by a ticket."""
    desk.configure('[service "sshd"]', "offline = ticket", "factors = otp", "account = status", backend="authd")
    key = ["--env", f"SSH_AUTH_INFO_0=publickey {KEY}"]
    desk.helper("deny", ticket=ALLOW, offline=2, look=UNAVAILABLE)
    done = desk.run("auth", "acct", service="sshd", answers=["123456"], options=key)
    assert (done["auth"], done["acct"], done.prompts) == ("SUCCESS", "SUCCESS", []) and "no code is asked for" in done.told[0]
    assert (done.log[0]["offline"], done.log[0].priority) == ("ticket", "ALERT")
    assert [asked["operation"] for asked in desk.asked()] == ["12", "3"]
    for script in ({"ticket": ALLOW}, {"ticket": ALLOW, "offline": 1}, {"ticket": DENY, "offline": 2}, {"ticket": UNAVAILABLE}):
        desk.helper("deny", **script)
        done = desk.run(service="sshd", answers=["123456"], options=key)
        assert (done["auth"], len(done.prompts)) == ("AUTH_ERR", 1), script
        assert [asked["operation"] for asked in desk.asked()] == ["12", "1"], script
    desk.helper("deny", ticket=ALLOW, offline=2)
    done = desk.run(service="sshd", answers=["123456"])
    assert done["auth"] == "AUTH_ERR" and [asked["operation"] for asked in desk.asked()] == ["1"], "without a key there is none"


# --- who ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["nobody-here", "-x", "+x", "a/b", "../x", "a b", "ünïcode", "ROOT", "x" * 256, "%n%s",
                                  'a"b', "a\\b", "secret=1 result=allow"])
def test_a_name_that_nobody_has_gets_the_same_prompts_and_stays_out_of_the_log(desk, name):
    desk.helper("unknown_user", reason="unknown_login", user_digest="sha256:0123456789ab")
    done = desk.run(user=name, answers=GOOD)
    assert done["auth"] == "USER_UNKNOWN" and len(done.prompts) == 2
    assert desk.asked()[0]["operation"] == "1"
    assert "user" not in done.entry.fields and done.entry["user_digest"] == "sha256:0123456789ab"
    assert name not in done.entry.text


@pytest.mark.parametrize("name", [b"\x1b[31m", b"a\nb", b"\xff", b"x" * 257, b"x" * 4000])
def test_a_name_that_no_account_can_have_gets_the_same_prompts_and_a_decoy(desk, name):
    done = desk.run(user=name, answers=GOOD)
    assert done["auth"] == "USER_UNKNOWN" and len(done.prompts) == 2
    assert desk.asked()[0]["operation"] == "2" and desk.asked()[0]["password"] == "-"


def test_unknown_users_can_be_left_to_other_modules_without_a_prompt(desk):
    desk.configure(unknown_user="ignore").helper("deny", look=2)
    stack = [f"auth required {desk.module} conf={desk.conf}", "auth required pam_permit.so"]
    done = desk.run(answers=GOOD, stack=stack)
    assert done["auth"] == "SUCCESS" and done.prompts == [] and done.entry["result"] == "ignore"
    # whoever is known, or cannot be looked up, is asked
    for look in (0x5AFE, 5, 6, 8):
        done = desk.helper("deny", look=look).run(answers=GOOD, stack=stack)
        assert done["auth"] == "AUTH_ERR" and len(done.prompts) == 2


def test_the_unenrolled_pass_until_their_day_and_no_longer(desk):
    stack = [f"auth required {desk.module} conf={desk.conf}", "auth required pam_permit.so"]

    def run(until, **script):
        desk.configure(unenrolled="ignore", unenrolled_until=until).helper("not_enrolled", password_right=1, **script)
        return desk.run(answers=GOOD, stack=stack)
    done = run("2999-12-31", look=0x5AFE, enrolled=0)
    assert done["auth"] == "SUCCESS" and done.prompts == [] and done.entry.priority == "WARNING"
    assert done.told and "second factor" in done.told[0]
    assert run("2999-12-31", look=0x5AFE, enrolled=1)["auth"] == "CRED_INSUFFICIENT"
    assert run("2020-01-01", look=0x5AFE, enrolled=0)["auth"] == "CRED_INSUFFICIENT"
    for look in (1, 2, 5, 6, 11, 12):
        assert run("2999-12-31", look=look, enrolled=0)["auth"] == "CRED_INSUFFICIENT"


def test_the_exempt_are_named_one_by_one_and_the_result_is_no_success(desk, me):
    desk.configure(exempt_users=f"daemon {me}")
    done = desk.run(user=me, answers=GOOD)
    assert done["auth"] == "PERM_DENIED" and done.prompts == []     # libpam's word for a stack that decided nothing
    assert (done.entry["result"], done.entry["reason"]) == ("ignore", "exempt")
    done = desk.run(user="bin", answers=GOOD)
    assert len(done.prompts) == 2
    desk.configure(exempt_users="root2 roo oot")
    assert len(desk.run(user="root", answers=GOOD).prompts) == 2


def test_groups_exempt_their_members(desk):
    desk.configure(exempt_groups="no-such-group daemon")
    assert desk.run(user="daemon", answers=GOOD).entry["reason"] == "exempt"
    assert desk.run(user="root", answers=GOOD)["auth"] == "SUCCESS"
    assert desk.run(user="nobody-here", answers=GOOD)["auth"] == "SUCCESS"


def test_su_to_root_asks_for_the_factors_of_who_calls(desk, me):
    for service in ("su", "su-l"):
        desk.run(service=service, user="root", answers=GOOD)
        assert desk.asked()[0]["user"] == me
        desk.run(service=service, user="daemon", answers=GOOD)
        assert desk.asked()[0]["user"] == "daemon"
    done = desk.configure(identity="caller").run(user="daemon", answers=GOOD, options=["--item", "ruser=mallory"])
    assert desk.asked()[0]["user"] == me and done.entry["identity"] == "caller"
    desk.configure(identity="target").run(service="su", user="root", answers=GOOD)
    assert desk.asked()[0]["user"] == "root"


# --- a new password -------------------------------------------------------------------------------------------------

def test_a_new_password_needs_the_old_one_and_is_typed_twice(desk):
    done = desk.run("chauthtok", answers=["old one", "123456", "new one", "new one"])
    assert done["chauthtok"] == "SUCCESS"
    verify, change = desk.asked()
    assert (verify["operation"], verify["password"], verify["code"]) == ("1", "old one", "123456")
    assert (change["operation"], change["password"], change["new"]) == ("4", "old one", "new one")
    done = desk.run("chauthtok", answers=["old one", "123456", "new one", "new two"])
    assert done["chauthtok"] == "AUTHTOK_ERR" and len(desk.asked()) == 1
    done = desk.helper("deny").run("chauthtok", answers=["wrong", "123456", "new one", "new one"])
    assert done["chauthtok"] == "AUTH_ERR" and len(done.prompts) == 2


def test_the_policy_says_what_is_wrong_with_a_new_password(desk):
    done = desk.run("chauthtok", answers=["old", "123456", "short", "short"])
    desk.helper("password_refused", reason="too_short")
    stack = [f"password required {desk.module} conf={desk.conf}"]
    done = desk.run("chauthtok", answers=["old", "123456", "short", "short"], stack=stack)
    # the scripted helper refuses the proof as well, so this never gets to the second half
    assert done["chauthtok"] == "AUTHTOK_ERR" and len(done.prompts) == 2


def test_who_has_just_signed_in_with_a_code_is_not_asked_for_another(desk):
    desk.helper("allow", must_change=1)
    done = desk.run("auth", "acct", "chauthtok", "acct", answers=[*GOOD, "seven lanterns", "new one", "new one"],
                    options=["--flags", "expired"])
    assert done["chauthtok"] == "SUCCESS" and done["acct"] == "SUCCESS"
    assert done.prompts[2:] == ["prompt off Password: ", "prompt off New password: ", "prompt off New password again: "]


def test_a_password_that_need_not_change_is_left_alone_when_only_expired_ones_do(desk):
    done = desk.run("auth", "chauthtok", answers=GOOD, options=["--flags", "expired"])
    assert done["chauthtok"] != "SUCCESS" and len(done.prompts) == 2
