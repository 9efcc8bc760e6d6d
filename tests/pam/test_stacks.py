"""The shipped stacks: no single wrong or missing return code of any module lets anybody in."""

import random

import pytest

import pam_dispatch
import pam_world
import world as worlds

PACKAGING = worlds.TOP / "packaging/pam.d"
STACKS = sorted(path.name for path in PACKAGING.iterdir())

# What Debian 12 puts behind these names.
INCLUDES = {
    "common-account": "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
                      "account requisite pam_deny.so\naccount required pam_permit.so\n",
    "common-session": "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n"
                      "session required pam_unix.so\nsession optional pam_systemd.so\n",
}
INCLUDES["common-session-noninteractive"] = INCLUDES["common-session"]

# What each module says of an intruder who knows nothing, where everything works as it should.
INTRUDER = {"pam_counterfoil": "auth_err", "pam_unix": "auth_err", "pam_rootok": "auth_err", "pam_succeed_if": "auth_err",
            "pam_deny": "auth_err", "pam_permit": "success", "pam_nologin": "success", "pam_faildelay": "success",
            "pam_env": "success"}
LOCKED_OUT = {**INTRUDER, "pam_counterfoil": "perm_denied", "pam_unix": "success"}
# These two decide: that they say yes is no accident of a stack.
DECIDES = {"pam_counterfoil", "pam_rootok"}


def stack(name, kind):
    return pam_dispatch.parse((PACKAGING / name).read_text(), INCLUDES.__getitem__)[kind]


def told(modules, says):
    return [says[module.name] for module in modules]


@pytest.mark.parametrize("name", STACKS)
def test_no_single_wrong_code_lets_an_intruder_in(name):
    modules = stack(name, "auth")
    honest = told(modules, INTRUDER)
    assert pam_dispatch.dispatch(modules, honest) != "success"
    tried = 0
    for i, module in enumerate(modules):
        for code in pam_dispatch.CODES:         # open_err and module_unknown are a module that is not there
            if code == "success" and module.name in DECIDES:
                continue
            tried += 1
            assert pam_dispatch.dispatch(modules, honest[:i] + [code] + honest[i + 1:]) != "success", (module, code)
    assert tried > 25


@pytest.mark.parametrize("name", STACKS)
def test_without_our_yes_nobody_gets_in_whatever_else_is_right(name):
    modules = stack(name, "auth")
    right = {**INTRUDER, "pam_unix": "success", "pam_succeed_if": "success"}
    for code in pam_dispatch.CODES:
        result = pam_dispatch.dispatch(modules, told(modules, {**right, "pam_counterfoil": code}))
        # the console has another way in while the back end is away; sudo has another module that decides about the exempt
        other = {"login": "authinfo_unavail", "sudo": "ignore"}.get(name)
        assert (result == "success") == (code in ("success", other)), code


def test_in_an_outage_the_console_takes_group_terminal_and_password_together():
    modules = stack("login", "auth")
    away = {**INTRUDER, "pam_counterfoil": "authinfo_unavail"}
    for i, module in enumerate(modules):
        for code in pam_dispatch.CODES:
            if code == "success" and module.name == "pam_counterfoil":
                continue
            returns = told(modules, away)
            returns[i] = code
            assert pam_dispatch.dispatch(modules, returns) != "success", (module, code)


def test_the_console_with_break_glass_codes_takes_the_hosts_password_and_our_yes_together():
    """Whatever single code any of its modules returns: an outage, a wrong code, a wrong password let nobody in."""
    modules = stack("login-breakglass", "auth")
    right = {**INTRUDER, "pam_unix": "success", "pam_counterfoil": "success"}
    assert pam_dispatch.dispatch(modules, told(modules, right)) == "success"
    for password in pam_dispatch.CODES:
        for ours in pam_dispatch.CODES:
            result = pam_dispatch.dispatch(modules, told(modules, {**right, "pam_unix": password, "pam_counterfoil": ours}))
            assert (result == "success") == (password == ours == "success"), (password, ours)
    asked = [module.name for module in modules]
    assert asked.index("pam_unix") < asked.index("pam_counterfoil")
    assert modules[asked.index("pam_unix")].action("auth_err") == "die"        # no code is used up by a typo


@pytest.mark.parametrize("name", STACKS)
def test_who_is_refused_in_the_account_phase_stays_out(name):
    modules = stack(name, "account")
    honest = told(modules, LOCKED_OUT)
    for i, module in enumerate(modules):
        for code in pam_dispatch.CODES:
            if module.name != "pam_counterfoil":
                assert pam_dispatch.dispatch(modules, honest[:i] + [code] + honest[i + 1:]) != "success", (module, code)
    good = told(modules, {**LOCKED_OUT, "pam_counterfoil": "success"})
    assert pam_dispatch.dispatch(modules, good) == "success"
    due = told(modules, {**LOCKED_OUT, "pam_counterfoil": "new_authtok_reqd"})
    assert pam_dispatch.dispatch(modules, due) == "new_authtok_reqd"


@pytest.mark.parametrize("name", STACKS)
def test_the_module_is_never_sufficient_and_no_failure_of_it_is_passed_over(name):
    for kind in ("auth", "account", "password"):
        for module in stack(name, kind):
            if module.name == "pam_counterfoil":
                assert module.action("success") in ("ok", "2") and module.control["default"] in ("bad", "die")
                passed = {code for code in pam_dispatch.CODES if module.action(code) == "ignore"}
                assert passed <= {"ignore", "authinfo_unavail"}
                assert "authinfo_unavail" not in passed or name == "login"


def test_the_model_agrees_with_libpam(tmp_path):
    """A hundred and fifty stacks made by chance, each run by the real libpam with modules that return what they are told."""
    chance = random.Random(20261124)
    codes = [code for code in pam_dispatch.CODES if code not in ("module_unknown", "conv_again", "incomplete")]
    actions = ["ok", "done", "bad", "die", "ignore", "reset", "1", "2", "3"]

    def control():
        if chance.random() < 0.4:
            return chance.choice(list(pam_dispatch.KEYWORDS))
        words = {code: chance.choice(actions) for code in chance.sample(codes, 3) + ["success"]}
        return "[" + " ".join(f"{key}={value}" for key, value in {**words, "default": chance.choice(actions)}.items()) + "]"

    for _ in range(150):
        lines = [(control(), chance.choice(codes if chance.random() < 0.5 else ["success", "auth_err"]))
                 for _ in range(chance.randint(1, 7))]
        text = "".join(f"auth {word} pam_debug.so auth={code}\n" for word, code in lines)
        (tmp_path / "stack").write_text(text)
        modules = pam_dispatch.parse(text, None)["auth"]
        out = worlds.run(pam_world.BUILT / "pam_driver", "--confdir", tmp_path, "--service", "stack", "--user", "root", "auth")
        real = pam_dispatch.CODES[int(out.split()[-1])]
        assert pam_dispatch.dispatch(modules, [code for _, code in lines]) == real, text
