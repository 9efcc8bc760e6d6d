"""counterfoil account: what an operator does to an account, and what nobody may see meanwhile."""

import pathlib
import subprocess

import pexpect
import pytest
from conftest import PASSWORD


def test_an_account_is_added_shown_locked_and_unlocked(cli):
    made = cli.json("account", "add", "--realm", "staff", "  Alice.Example ", "--password-stdin", "--external-id", "e-17",
                    text=PASSWORD + "\n")
    assert made["login"] == "alice.example" and made["realm"] == "staff" and made["external_id"] == "e-17"
    assert made["has_password"] and not made["second_factor"] and made["state"] == "active"
    assert cli.json("account", "show", "ALICE.EXAMPLE", "--realm", "staff") == made
    assert cli.json("account", "lock", "alice.example", "--realm", "staff", "--reason", "left")["state"] == "locked"
    assert cli.json("account", "lock", "alice.example", "--realm", "staff")["state"] == "locked"
    assert cli.json("account", "unlock", "alice.example", "--realm", "staff")["state"] == "active"
    assert "active" in cli.good("account", "show", "alice.example", "--realm", "staff")


def test_realms_are_apart(cli):
    login = cli.add(realm="staff")
    assert "--realm staff" in cli.refused(67, "account", "show", login)
    cli.add(login, realm="store")
    assert cli.json("account", "show", login)["id"] != cli.json("account", "show", login, "--realm", "staff")["id"]


def test_a_login_that_is_taken_is_73(cli):
    login = cli.add()
    assert "already" in cli.refused(73, "account", "add", "--realm", "staff", login.upper(), "--password-stdin",
                                    text=PASSWORD + "\n")


@pytest.mark.parametrize("login", ["with space", "x" * 255, "bell\x07", "a\u202eb", "\u00a0"])
def test_a_login_without_a_canonical_form_is_65(cli, login):
    cli.refused(65, "account", "add", login, "--no-password")


@pytest.mark.parametrize("text, code", [("seven77\n", 65), ("x" * 1025 + "\n", 65), ("a\x07bcdefghijklmnop\n", 65), ("", 66),
                                        ("\n", 66), ("n" * 300 + "\n", 65)])
def test_a_password_that_is_not_taken_says_which_rule_and_never_the_password(cli, text, code):
    said = cli.refused(code, "account", "add", "nobody-yet", "--realm", "staff", "--password-stdin", text=text)
    assert text.strip() == "" or text.strip() not in said
    cli.refused(67, "account", "show", "nobody-yet", "--realm", "staff")


def test_a_password_that_is_not_text_is_65(cli):
    done = subprocess.run(cli.command("account", "add", "latin-one", "--password-stdin"), input=b"caf\xe9 caf\xe9 caf\xe9\n",
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 65 and b"UTF-8" in done.stderr


def test_only_the_first_line_of_standard_input_is_the_password(cli, fresh_world):
    fresh_world.start()
    fresh_world.counterfoil("account", "add", "lines@example.com", "--password-stdin", input=PASSWORD + "\nnot this\n")
    assert fresh_world.api().login("lines@example.com", PASSWORD).status_code == 200


def test_an_account_without_a_password_gets_one_later(cli):
    assert not cli.json("account", "add", "later", "--no-password")["has_password"]
    assert "must change" in cli.good("account", "set-password", "later", "--password-stdin", text=PASSWORD + "\n")
    shown = cli.json("account", "show", "later")
    assert shown["has_password"] and shown["must_change"]
    cli.good("account", "set-password", "later", "--password-stdin", "--permanent", text=PASSWORD + " two\n")
    assert not cli.json("account", "show", "later")["must_change"]


def test_what_does_not_exist_is_67(cli):
    for verb in ("show", "lock", "unlock"):
        cli.refused(67, "account", verb, "no-such-person")
    cli.refused(67, "account", "set-password", "no-such-person", "--password-stdin", text=PASSWORD + "\n")


def test_locking_ends_a_sign_in_on_a_running_service(world):
    account = world.customer()
    assert world.sign_in(account).status_code == 200
    world.counterfoil("account", "lock", account.login, "--reason", "taken over")
    assert world.api().login(account.login, account.password).status_code == 403
    assert "challenge" not in world.api().login(account.login, account.password).json()
    world.counterfoil("account", "unlock", account.login)
    assert "challenge" in world.api().login(account.login, account.password).json()


# --- the terminal ---------------------------------------------------------------------------------------------------

def test_the_terminal_asks_twice_and_shows_nothing(cli):
    typed = cli.terminal("account", "add", "typed", "--realm", "staff")
    typed.expect("New password for typed: ")
    typed.sendline(PASSWORD)
    typed.expect("The same again: ")
    typed.sendline(PASSWORD)
    typed.expect("active")
    typed.read()
    typed.close()
    assert typed.exitstatus == 0
    assert cli.json("account", "show", "typed", "--realm", "staff")["has_password"]


def test_two_that_differ_are_asked_for_again_three_times_and_nothing_is_changed(cli):
    typed = cli.terminal("account", "add", "differing", "--realm", "staff")
    seen = ""
    for _ in range(3):
        for question, answer in (("New password for differing: ", PASSWORD), ("The same again: ", PASSWORD + "!")):
            typed.expect(question)
            seen += typed.before
            typed.sendline(answer)
    seen += typed.read()
    typed.close()
    assert typed.exitstatus == 65 and "differ" in seen and PASSWORD not in seen
    cli.refused(67, "account", "show", "differing", "--realm", "staff")


def test_without_a_terminal_it_says_how_else(cli):
    assert "--password-stdin" in cli.refused(66, "account", "add", "unattended")


@pytest.mark.parametrize("key, number", [("\x03", 2), ("\x1c", 3)])
def test_a_terminal_echoes_again_after_an_interruption(cli, key, number):
    shell = pexpect.spawn("/bin/sh", ["-i"], timeout=60, encoding="utf-8", dimensions=(50, 300),
                          env={"PS1": "", "PATH": "/usr/bin:/bin"})
    shell.sendline(" ".join(cli.command("account", "add", "interrupted")))
    shell.expect("New password for interrupted: ")
    shell.send(key)
    shell.sendline("echo status=$?")
    shell.expect(rf"status={128 + number}")
    shell.sendline("stty -a | grep -o -- '-\\?echo ' | tr -d ' ' | sed 's/^/now:/'")
    shell.expect("now:(-?echo)")
    assert shell.match.group(1) == "echo"
    shell.close(force=True)
    cli.refused(67, "account", "show", "interrupted")


def test_the_end_of_the_terminal_is_no_password(cli):
    typed = cli.terminal("account", "add", "ended")
    typed.expect("New password for ended: ")
    typed.sendeof()
    typed.expect("The same again: ")
    typed.sendeof()
    typed.read()
    typed.close()
    assert typed.exitstatus == 66


def test_no_option_takes_a_password_and_none_is_in_the_list_of_processes(cli, commands):
    for words in commands:
        text = cli.good(*words, "--help", config=False)
        assert "--password " not in text and "--password=" not in text
    waiting = cli.start("account", "add", "watched", "--password-stdin")
    try:
        waiting.stdin.write(PASSWORD)           # no newline yet: it waits for the rest
        waiting.stdin.flush()
        for name in ("cmdline", "environ"):
            assert PASSWORD.encode() not in pathlib.Path(f"/proc/{waiting.pid}/{name}").read_bytes()
        assert waiting.poll() is None
    finally:
        waiting.communicate("\n", timeout=60)
    assert waiting.returncode == 0
