"""counterfoil enroll: a QR code that decodes, a code that confirms, recovery codes that are shown once."""

import re
import stat
import subprocess
import time

import pytest

import world as worlds
from qr_reader import decode, picture

RECOVERY = re.compile(r"\b(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}\b")
URI = re.compile(r"otpauth://totp/\S+")


def secret_of(uri):
    return re.search(r"secret=([A-Z2-7]+)", uri).group(1)


class Enrolling:
    """`counterfoil enroll` through pipes: read what it shows, type a code."""

    def __init__(self, cli, *arguments):
        self.process = cli.start("enroll", "--realm", "staff", *arguments)
        self.shown = ""

    def read_until(self, pattern):
        while not re.search(pattern, self.shown):
            line = self.process.stdout.readline()
            assert line, f"ended before {pattern}: {self.shown}{self.process.stderr.read()}"
            self.shown += line
        return re.search(pattern, self.shown).group(0)

    def type(self, *lines):
        out, err = self.process.communicate("".join(f"{line}\n" for line in lines), timeout=60)
        self.shown += out
        return self.process.returncode, out, err


def test_the_address_confirms_with_its_code_and_recovery_codes_come_once(cli):
    login = cli.add()
    enrolling = Enrolling(cli, login, "--uri")
    uri = enrolling.read_until(URI)
    assert "issuer=Lantern%20Shop%20staff" in uri and login in uri
    code = worlds.totp(secret_of(uri), time.time())
    status, out, err = enrolling.type(f"{code[:3]} {code[3:]}")
    assert status == 0, err
    assert len(set(RECOVERY.findall(out))) == 10
    assert cli.json("account", "show", login, "--realm", "staff")["second_factor"]


def test_the_qr_code_in_the_terminal_is_the_key_below_it(cli, tmp_path):
    enrolling = Enrolling(cli, cli.add())
    key = enrolling.read_until(r"\n  (?:[A-Z2-7]{4} ?){8}\n").replace(" ", "").strip()
    lines = [line for line in enrolling.shown.split("\n") if "\x1b[" in line]
    uri = decode(picture(lines, tmp_path / "terminal.png"))
    assert URI.fullmatch(uri) and secret_of(uri) == key
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines) <= 80
    status, _, err = enrolling.type(worlds.totp(key, time.time()))
    assert status == 0, err


def test_the_image_is_for_its_owner_alone_and_decodes(cli, tmp_path):
    png = tmp_path / "qr.png"
    enrolling = Enrolling(cli, cli.add(), "--png", str(png))
    shown = enrolling.read_until(r"qr\.png holds.*\n")
    assert "delete" in shown and not URI.search(enrolling.shown)
    assert stat.S_IMODE(png.stat().st_mode) == 0o600
    uri = decode(png)
    status, _, err = enrolling.type(worlds.totp(secret_of(uri), time.time()))
    assert status == 0, err
    assert png.exists()


def test_a_file_that_is_there_is_never_overwritten_nor_followed(cli, tmp_path):
    login, target = cli.add(), tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "link.png").symlink_to(tmp_path / "elsewhere")
    for path in (target, tmp_path / "link.png", tmp_path / "no/such/folder.png"):
        cli.refused(73, "enroll", "--realm", "staff", login, "--png", path)
    assert target.read_text() == "mine" and not (tmp_path / "elsewhere").exists()


def test_wrong_codes_bind_nothing_and_leave_no_seed(cli, place, tmp_path):
    login, png = cli.add(), tmp_path / "qr.png"
    enrolling = Enrolling(cli, login, "--png", str(png))
    enrolling.read_until("holds")
    seed = secret_of(decode(png))
    good = worlds.totp(seed, time.time())
    wrong = [f"{(int(good) + step) % 1000000:06d}" for step in (1, 2)]
    status, out, err = enrolling.type("12345", *wrong)
    assert status == 65 and not RECOVERY.search(out) and "6 digits" in err and "not its code" in err
    assert not png.exists()
    shown = cli.json("account", "show", login, "--realm", "staff")
    assert not shown["second_factor"]
    assert place.postgres.query(place.database, "SELECT count(*) FROM counterfoil.factor WHERE account_id = %s AND state IN "
                                "('pending', 'active')", (shown["id"],)) == [(0,)]


def test_no_code_binds_nothing(cli):
    login = cli.add()
    status, out, err = Enrolling(cli, login, "--uri").type()
    assert status == 66 and "not bound" in err and not RECOVERY.search(out)


def test_nothing_is_printed_into_the_database_when_standard_output_is_closed(cli):
    """The connection would take the free number: the key would go there, and nothing could be taken back any more."""
    login = cli.add()
    command = cli.command("enroll", "--realm", "staff", login, "--uri")
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], input="", stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, start_new_session=True, check=False)
    assert done.returncode != 0 and "database_error" not in done.stderr, done.stderr
    factors = cli.json("factors", "list", login, "--realm", "staff")["factors"]
    assert [factor["state"] for factor in factors] == ["revoked"], "what nobody saw is pending"


def test_what_is_pending_is_confirmed_later_and_once(cli):
    login = cli.add()
    pending = cli.json("enroll", login, "--realm", "staff", "--no-confirm", "--name", "desk")
    assert secret_of(pending["otpauth_uri"]) == pending["secret"]
    assert not cli.json("account", "show", login, "--realm", "staff")["second_factor"]
    code = worlds.totp(pending["secret"], time.time())
    codes = cli.json("enroll", login, "--realm", "staff", "--confirm", pending["factor_id"], text=code + "\n")
    assert len(codes["recovery_codes"]) == 10
    cli.refused(73, "enroll", login, "--realm", "staff", "--confirm", pending["factor_id"], text=code + "\n")
    cli.refused(67, "enroll", cli.add(), "--realm", "staff", "--confirm", pending["factor_id"], text=code + "\n")


def test_a_locked_account_binds_nothing(cli):
    login = cli.add()
    cli.good("account", "lock", login, "--realm", "staff")
    cli.refused(73, "enroll", "--realm", "staff", login)


def test_a_new_set_of_recovery_codes_replaces_the_old(cli):
    login = cli.add()
    cli.refused(73, "recovery-codes", "--realm", "staff", login)
    pending = cli.json("enroll", login, "--realm", "staff", "--no-confirm")
    first = cli.json("enroll", login, "--realm", "staff", "--confirm", pending["factor_id"],
                     text=worlds.totp(pending["secret"], time.time()) + "\n")["recovery_codes"]
    second = cli.json("recovery-codes", login, "--realm", "staff")["recovery_codes"]
    assert len(second) == 10 and not set(first) & set(second)
    assert len(RECOVERY.findall(cli.good("recovery-codes", login, "--realm", "staff"))) == 10
    cli.refused(67, "recovery-codes", "--realm", "staff", "nobody")


def test_a_person_at_a_terminal_types_the_code(cli):
    login = cli.add()
    shown = cli.terminal("enroll", "--realm", "staff", login)
    shown.expect(r"\r\n  ((?:[A-Z2-7]{4} ?){8})\r\n")
    key = shown.match.group(1).replace(" ", "")
    shown.expect("The code that it shows: ")
    shown.sendline(worlds.totp(key, time.time()))
    shown.expect("The authenticator is bound")
    assert len(RECOVERY.findall(shown.read())) == 10
    shown.close()
    assert shown.exitstatus == 0


@pytest.mark.parametrize("name", ["x" * 65, "bell\x07"])
def test_a_name_has_bounds(cli, name):
    cli.refused(65, "enroll", "--realm", "staff", cli.add(), "--name", name)


# --- a code for an enrolment at a sign-in -----------------------------------------------------------------------------

def test_a_code_for_a_sign_in_is_shown_once_and_the_newest_counts(cli, place):
    login = cli.add()
    issued = cli.json("enroll", "--realm", "staff", "--code", login)
    assert RECOVERY.fullmatch(issued["code"]) and issued["expires_at"]
    shown = cli.good("enroll", "--realm", "staff", "--code", login)
    assert len(RECOVERY.findall(shown)) == 1 and issued["code"] not in shown and "until" in shown
    account = cli.json("account", "show", login, "--realm", "staff")
    tickets = place.postgres.query(place.database, "SELECT purpose, extract(epoch FROM expires_at - created_at)::int "
                                   "FROM counterfoil.ticket WHERE account_id = %s", (account["id"],))
    assert tickets == [("enroll", 86400)] and not account["second_factor"]


def test_a_code_is_for_active_staff_without_an_authenticator(cli):
    login = cli.add()
    cli.refused(64, "enroll", "--code", login)
    for option in (["--uri"], ["--no-confirm"], ["--name", "x"], ["--png", "/tmp/x"]):
        cli.refused(64, "enroll", "--realm", "staff", "--code", *option, login)
    cli.refused(67, "enroll", "--realm", "staff", "--code", "nobody")
    cli.good("account", "lock", login, "--realm", "staff")
    cli.refused(73, "enroll", "--realm", "staff", "--code", login)
    cli.good("account", "unlock", login, "--realm", "staff")
    pending = cli.json("enroll", login, "--realm", "staff", "--no-confirm")
    cli.good("enroll", "--realm", "staff", "--code", login)
    cli.json("enroll", login, "--realm", "staff", "--confirm", pending["factor_id"],
             text=worlds.totp(pending["secret"], time.time()) + "\n")
    cli.refused(73, "enroll", "--realm", "staff", "--code", login)
