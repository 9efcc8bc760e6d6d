"""conftest.py: the command line as an operator types it, over an installation of its own."""

import json
import os
import secrets
import subprocess

import pexpect
import pytest
import world as worlds

PASSWORD = "eleven herons over still water"


class Cli:
    """Runs `counterfoil --config ...`; every run keeps standard output and error apart."""

    def __init__(self, place):
        self.place = place
        self.program = worlds.installed("counterfoil")

    def command(self, *arguments, config=True):
        head = [str(self.program)] + (["--config", str(self.place.configuration)] if config else [])
        return head + [str(argument) for argument in arguments]

    def run(self, *arguments, config=True, text=None, **options):
        # No terminal: what would be asked for is refused instead of waited for.
        return subprocess.run(self.command(*arguments, config=config), input=text or "", capture_output=True, text=True,
                              timeout=60, start_new_session=True, check=False, **options)

    def good(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments, **options):
        return json.loads(self.good(*arguments, "--json", **options))

    def refused(self, code, *arguments, **options):
        """Ends with CODE, says why in one line on standard error, shows nothing on standard output."""
        done = self.run(*arguments, **options)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.stdout == ""
        assert done.stderr.startswith("counterfoil: "), done.stderr
        return done.stderr

    def start(self, *arguments, **options):
        """A process to talk to through pipes."""
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True, **options)

    def terminal(self, *arguments):
        """A process on a terminal of its own."""
        command = self.command(*arguments)
        return pexpect.spawn(command[0], command[1:], timeout=60, encoding="utf-8", dimensions=(80, 200))

    def add(self, login=None, realm="staff"):
        login = login or f"person-{secrets.token_hex(6)}"
        self.good("account", "add", "--realm", realm, login, "--password-stdin", text=PASSWORD + "\n")
        return login


@pytest.fixture(scope="module")
def place(cluster):
    """Database, keyring and configuration for the tests of one file; nothing runs."""
    made = cluster.installation("cli")
    try:
        yield made
    finally:
        cluster.drop(made)


@pytest.fixture(scope="module")
def cli(place):
    return Cli(place)


@pytest.fixture
def lonely(tmp_path):
    """The command with a configuration whose database does not answer."""
    class Place:
        configuration = worlds.write_private(tmp_path / "authd.conf", (
            f"[database]\nurl = host=127.0.0.1 port={worlds.free_port()} dbname=none\n"
            f"[keys]\nkeyring = {tmp_path}/keyring\n"))
    worlds.write_private(tmp_path / "keyring", "".join(
        f"{realm} {purpose} 1 {secrets.token_hex(32)}\n"
        for realm in ("store", "staff", "service") for purpose in ("digest", "seal")), 0o400)
    return Cli(Place)


@pytest.fixture(scope="session")
def commands():
    """Every command's words, as --help lists them."""
    out = subprocess.run([str(worlds.installed("counterfoil")), "--help"], capture_output=True, text=True, check=True,
                         env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    listed = out.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    words = []
    for line in listed:
        left = line[2:].split("  ")[0].split()
        words.append([word for word in left if word.replace("-", "").isalpha() and word.islower()])
    assert len(words) > 15
    return words
