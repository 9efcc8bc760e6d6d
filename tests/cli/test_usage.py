"""Help, options and wrong command lines."""

import pathlib
import subprocess

import pytest


def test_help_lists_the_commands_and_each_explains_itself(cli, commands):
    for words in commands:
        out = cli.good(*words, "--help", config=False)
        assert out.startswith("Usage: counterfoil"), words
        assert " ".join(words) in out.splitlines()[0]
        assert "--help" in out


def test_a_group_lists_its_own_commands_only(cli):
    out = cli.good("account", "--help", config=False)
    assert "account add" in out and "client create" not in out


def test_version_is_told_anywhere(cli):
    for arguments in (["--version"], ["-V"], ["db", "status", "--version"]):
        assert cli.good(*arguments, config=False).startswith("counterfoil 0.")


@pytest.mark.parametrize("arguments", [
    [], ["frobnicate"], ["account"], ["account", "frobnicate"], ["account", "show"], ["account", "show", "a", "b"],
    ["account", "show", ""], ["account", "show", "x" * 1025], ["account", "show", "x", "--realm", "service"],
    ["account", "show", "x", "--realm", ""], ["account", "show", "x", "--realm", "store", "--realm", "staff"],
    ["account", "add", "x", "--no-password", "--password-stdin"],
    ["client", "create", "n"], ["client", "create", "n", "--scopes", "login,fly"],
    ["client", "create", "n", "--scopes", "login,"], ["client", "create", "n", "--scopes", "login," * 40],
    ["client", "create", "n", "--scopes", "login", "--expires-in", "0"],
    ["client", "create", "n", "--scopes", "login", "--expires-in", "3651"],
    ["client", "create", "n", "--scopes", "login", "--expires-in", "1d"],
    ["client", "create", "n", "--scopes", "login", "--expires-in", "-1"],
    ["enroll", "x", "--png", "a", "--uri"], ["enroll", "x", "--json"], ["enroll", "x", "--confirm", "no-uuid"],
    ["enroll", "x", "--confirm", "00000000-0000-4000-8000-000000000000", "--uri"],
    ["keys", "extract", "everything", "/nowhere"], ["keys", "add", "none"],
    ["--database-user", "a b", "account", "show", "x"], ["--database-user", "x" * 64, "account", "show", "x"],
    ["db", "migrate", "--database", "x" * 4097], ["db", "migrate", "now"],
])
def test_a_wrong_command_line_is_64_and_says_what_is_wrong(cli, arguments):
    cli.refused(64, *arguments)


@pytest.mark.parametrize("arguments", [["--frobnicate"], ["account", "show", "x", "--frobnicate"], ["--config"],
                                       ["account", "show", "--png", "x", "y"], ["db", "status", "--json=yes"]])
def test_an_unknown_option_is_64(cli, arguments):
    done = cli.run(*arguments, config=False)
    assert done.returncode == 64 and done.stdout == "" and "counterfoil: " in done.stderr


def test_what_comes_from_outside_is_printable_when_it_comes_back(cli):
    said = cli.refused(64, "\x1b[31mred\x07")
    assert "\x1b" not in said and "\x07" not in said and "?[31mred?" in said


def test_output_that_cannot_be_written_is_74_not_success(cli):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(cli.command("--help"), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 74 and "could not be written" in done.stderr


def test_options_are_known_before_and_behind_the_words(cli, place):
    login = cli.add()
    conf = str(place.configuration)
    for arguments in (["--config", conf, "account", "show", "--realm", "staff", login],
                      ["account", "show", login, "--realm", "staff", "--config", conf],
                      ["account", "show", "--realm=staff", "-c", conf, "--", login]):
        assert login in cli.good(*arguments, config=False)


@pytest.mark.parametrize("text, said", [
    ("[database]\nurl = x\n[keys]\nkeyring = /x\nbogus = 1\n", "authd.conf:5"),
    ("[bogus]\n", "no section [bogus]"),
    ("[database]\nurl = x\n", "lacks the key keyring"),
    ("[database]\nurl = x\n[keys]\nkeyring = /nowhere/keyring\n", "/nowhere/keyring"),
])
def test_a_wrong_configuration_is_78_with_file_and_line(cli, tmp_path, text, said):
    conf = tmp_path / "authd.conf"
    conf.write_text(text)
    conf.chmod(0o600)
    assert said in cli.refused(78, "--config", conf, "account", "show", "x", config=False)


def test_a_configuration_that_others_may_write_is_refused(cli, place, tmp_path):
    conf = tmp_path / "authd.conf"
    conf.write_bytes(pathlib.Path(place.configuration).read_bytes())
    conf.chmod(0o666)
    assert "chmod" in cli.refused(78, "--config", conf, "account", "show", "x", config=False)
    assert "no such file" in cli.refused(78, "--config", tmp_path / "absent", "account", "show", "x", config=False)


def test_a_database_that_is_away_is_69_and_says_where_to_look(lonely):
    for arguments in (["account", "show", "x"], ["client", "list"], ["client", "revoke", "10" * 8], ["db", "status"],
                      ["db", "migrate"]):
        done = lonely.run(*arguments)
        assert done.returncode == 69, f"{arguments}: {done.returncode} {done.stderr}"
        assert done.stdout == "" and "counterfoil: " in done.stderr
