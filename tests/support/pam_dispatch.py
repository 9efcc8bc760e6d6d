"""pam_dispatch.py: what libpam makes of a stack, given what each module returns.

A model of Linux-PAM's dispatch, small enough to read.  tests/pam/test_stacks.py holds it against the real libpam."""

import re

# <security/_pam_types.h>, in the words of pam.d(5)
CODES = ("success open_err symbol_err service_err system_err buf_err perm_denied auth_err cred_insufficient authinfo_unavail "
         "user_unknown maxtries new_authtok_reqd acct_expired session_err cred_unavail cred_expired cred_err no_module_data "
         "conv_err authtok_err authtok_recover_err authtok_lock_busy authtok_disable_aging try_again ignore abort "
         "authtok_expired module_unknown bad_item conv_again incomplete").split()
KEYWORDS = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}
MUST_FAIL = "perm_denied"


class Module:
    """One line of a stack."""

    def __init__(self, control, name, arguments=()):
        self.name = name.rsplit("/", 1)[-1].removesuffix(".so")
        self.arguments = list(arguments)
        if control.startswith("["):
            self.control = dict(part.split("=") for part in control[1:-1].split())
        else:
            self.control = KEYWORDS[control]

    def action(self, code):
        return self.control.get(code, self.control.get("default", "bad"))

    def __repr__(self):
        return self.name


def parse(text, include):
    """{type: [Module]}; INCLUDE gives the text of an @include."""
    stacks = {"auth": [], "account": [], "session": [], "password": []}
    for line in text.replace("\\\n", " ").splitlines():
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        if line.startswith("@include"):
            for kind, modules in parse(include(line.split()[1]), include).items():
                stacks[kind] += modules
            continue
        match = re.fullmatch(r"-?(auth|account|session|password)\s+(\[[^\]]*\]|\w+)\s+(\S+)\s*(.*)", line)
        if match is None:
            raise ValueError(f"not a line of pam.d: {line}")
        stacks[match[1]].append(Module(match[2], match[3], match[4].split()))
    return stacks


def dispatch(modules, returns):
    """The code of the whole stack; RETURNS[i] is what module i returns if it is asked."""
    status, impression, i = MUST_FAIL, None, 0
    while i < len(modules):
        code = returns[i]
        action = modules[i].action(code)
        if action in ("ok", "done"):
            if impression is None or (impression is True and status == "success"):
                impression, status = True, code
            if impression is True and action == "done":
                break
        elif action in ("bad", "die"):
            if impression is not False:
                impression, status = False, MUST_FAIL if code == "ignore" else code
            if action == "die":
                break
        elif action == "reset":
            status, impression = MUST_FAIL, None
        elif action != "ignore":
            i += int(action)
            if i >= len(modules):               # a jump past the end
                impression, status = False, MUST_FAIL
        i += 1
    return MUST_FAIL if status == "success" and impression is not True else status
