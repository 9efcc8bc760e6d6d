"""enrolling.py: the dialogue in which somebody binds a first authenticator at a login: what is shown, and what is typed."""

import re
import time

import world as worlds

KEY = re.compile(r"^  ((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})$", re.MULTILINE)
RECOVERY = re.compile(r"\b(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}\b")
PAGE = re.compile(r"^  (https://\S+/enroll#[A-Za-z0-9_-]{43})$", re.MULTILINE)
NEAR = ["--item", "rhost=192.0.2.7"]
OPEN = {"unenrolled": "enroll", "enroll_cidrs": "2001:db8::/32 192.0.2.0/24"}
NO_CODE = "000000"


def key_in(shown):
    return KEY.findall(shown)[-1].replace(" ", "")


def code_of(ago_steps):
    """What the authenticator shows that was given the key on the screen."""
    return lambda shown: worlds.totp(key_in(shown), time.time() - ago_steps * worlds.PERIOD_S)


def pair(ago_steps=1, then_ago_steps=0):
    """Two codes, by default in a row, both of the time at which the first was typed, however long the second took."""
    typed_at = []

    def first(shown):
        typed_at.append(time.time())
        return worlds.totp(key_in(shown), typed_at[-1] - ago_steps * worlds.PERIOD_S)

    def second(shown):
        return worlds.totp(key_in(shown), typed_at[-1] - then_ago_steps * worlds.PERIOD_S)
    return first, second


PAIR = pair()


def enroll(host, person, answers, *operations, options=tuple(NEAR), **others):
    return host.talk([person.password, *answers], *operations, user=person.login, options=options, **others)


def meanwhile(action, answer):
    """ANSWER, a text or a function of what was shown, after ACTION()."""
    def made(shown):
        action()
        return answer(shown) if callable(answer) else answer
    return made


def factors(staff, person):
    return [row[0] for row in staff.query("SELECT state FROM counterfoil.factor WHERE account_id = %s ORDER BY created_at",
                                          (staff.account_id(person),))]


def remember(person, shown):
    person.seed = key_in(shown)
    person.recovery_codes = RECOVERY.findall(shown)
