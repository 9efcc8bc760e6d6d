"""counterfoil blocklist: lists of words and hashes become one small file, and what is on it is refused."""

import hashlib
import json
import os
import re
import resource
import stat
import subprocess

import pexpect
import pytest
import world as worlds
from conftest import Cli

DEFAULT = worlds.ROOT / "share/counterfoil/blocklist"


def sha1(password):
    return hashlib.sha1(password.encode()).hexdigest().upper()


@pytest.fixture
def strict(cluster):
    """An installation with a list of its own: build(lines) makes it."""
    made = cluster.installation("strict")
    cli = Cli(made)

    def build(lines):
        words = made.directory / "words"
        words.write_text("".join(f"{line}\n" for line in lines))
        cli.good("blocklist", "build", "--output", made.directory / "blocklist", words)
        made.write_configuration({"api": 0, "pages": 0, "management": 0},
                                 changes={("passwords", "blocklist"): made.directory / "blocklist"})
    cli.build = build
    try:
        yield cli
    finally:
        cluster.drop(made)


def add(cli, password, login=None):
    login = login or f"guessed-{worlds.secrets.token_hex(4)}"
    return cli.run("account", "add", "--realm", "staff", login, "--password-stdin", text=password + "\n")


def test_R008_words_in_any_case_and_hashes_as_typed_are_refused_and_their_likes_are_taken(strict):
    strict.build(["Correct Horse Battery", sha1("eleven herons over still water") + ":4711", sha1("Two Herons On A Roof").lower()])
    for password in ("Correct Horse Battery", "correct horse battery", "CORRECT HORSE BATTERY",
                     "eleven herons over still water", "Two Herons On A Roof"):
        done = add(strict, password)
        assert done.returncode == 65 and "common" in done.stderr, password
        assert password not in done.stderr
    for password in ("correct horse battery!", "Xcorrect horse battery", "two herons on a roof"):
        assert add(strict, password).returncode == 0, password


def test_what_is_counted_and_what_is_left_out(cli, tmp_path):
    words = tmp_path / "words"
    words.write_bytes(b"good enough word\r\nshort\n\nGOOD ENOUGH WORD\nlatin-1 caf\xe9 word\nnul \x00 inside word\n"
                      + b"x" * 10_000 + b"\n" + "zw\u00f6lf Gr\u00fc\u00dfe\n".encode() + sha1("hash").encode() + b":x\n"
                      + sha1("hash").encode() + b"\nlast line without an end")
    report = json.loads(cli.good("blocklist", "build", words, "--output", tmp_path / "list", "--json", config=False))
    assert report["lines"] == 11
    # good enough word, zwölf Grüße, the odd hash as a word, the hash, the last line
    assert report["entries"] == 5 and report["skipped"] == 5
    assert report["bytes"] == (tmp_path / "list").stat().st_size
    assert stat.S_IMODE((tmp_path / "list").stat().st_mode) == 0o644
    assert json.loads(cli.good("blocklist", "check", tmp_path / "list", "--json", config=False))["entries"] == 5


def test_two_bytes_an_entry_whatever_the_size(cli, tmp_path):
    lines = "".join(f"{hashlib.sha1(str(number).encode()).hexdigest()}:1\n" for number in range(200_000))
    report = json.loads(cli.good("blocklist", "build", "-", "--output", tmp_path / "list", "--json", config=False, text=lines))
    assert report["entries"] == 200_000 and report["bytes"] <= 2 * 200_000


def test_a_line_without_end_takes_no_memory(cli, tmp_path):
    """256 MB of one line, in a process that may have 128."""
    big = tmp_path / "big"
    with open(big, "wb") as out:
        out.truncate(256 << 20)
        out.seek(0, os.SEEK_END)
        out.write(b"\nand then a good line\n")
    done = subprocess.run(cli.command("blocklist", "build", big, "--output", tmp_path / "list", "--json", config=False),
                          capture_output=True, text=True, check=False, timeout=120,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (128 << 20, 128 << 20)))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["entries"] == 1


def test_a_terminal_sees_how_far_it_is(cli, tmp_path):
    words = tmp_path / "words"
    words.write_text("".join(f"line number {number}\n" for number in range(600_000)))
    command = cli.command("blocklist", "build", words, "--output", tmp_path / "list", config=False)
    shown = pexpect.spawn(command[0], command[1:], timeout=60, encoding="utf-8", dimensions=(20, 120))
    shown.expect(r"reading +\[#* *\] +\d+ %")
    rest = shown.read()
    shown.close()
    assert shown.exitstatus == 0 and "600000 entries" in rest


def test_what_goes_wrong_leaves_the_old_list(cli, tmp_path):
    words, target = tmp_path / "words", tmp_path / "list"
    words.write_text("a word that is long\n")
    cli.good("blocklist", "build", words, "--output", target, config=False)
    before = target.read_bytes()
    empty = tmp_path / "empty"
    empty.write_text("short\n")
    cli.refused(65, "blocklist", "build", empty, "--output", target, config=False)
    cli.refused(66, "blocklist", "build", words, tmp_path / "absent", "--output", target, config=False)
    cli.refused(66, "blocklist", "build", tmp_path, "--output", target, config=False)
    cli.refused(73, "blocklist", "build", words, "--output", tmp_path / "no/folder/list", config=False)
    cli.refused(64, "blocklist", "build", words, config=False)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "list", "words"]


def test_a_damaged_list_is_told(cli, tmp_path):
    words, target = tmp_path / "words", tmp_path / "list"
    words.write_text("".join(f"line number {number}\n" for number in range(3000)))
    cli.good("blocklist", "build", words, "--output", target, config=False)
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 4
    target.write_bytes(data)
    assert "damaged" in cli.refused(65, "blocklist", "check", target, config=False)
    cli.refused(66, "blocklist", "check", tmp_path / "absent", config=False)
    cli.refused(65, "blocklist", "check", words, config=False)


@pytest.mark.parametrize("password", [
    "password12345678", "PasswordPassword", "qwertyuiopasdfgh", "iloveyouiloveyou", "aaaaaaaaaaaaaaaa", "1234567890123456",
    "letmein123456789", "monkeymonkeymonkey", "abcdefghijklmnop",
    "1qaz2wsx3edc4rfv", "counterrevolutionaries"])
def test_R007_the_list_that_is_installed_refuses_what_everybody_tries(cli, password):
    done = add(cli, password)
    assert done.returncode == 65 and "common" in done.stderr, password


def test_the_documentation_tells_how_many_the_installed_list_has(cli):
    entries = cli.json("blocklist", "check", DEFAULT, config=False)["entries"]
    told = re.search(r"([\d,]+) entries", (worlds.TOP / "docs/operations.md").read_text()).group(1)
    assert abs(int(told.replace(",", "")) - entries) < entries // 100, (told, entries)
