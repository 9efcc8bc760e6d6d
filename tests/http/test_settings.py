"""authd's command line and authd.conf: what is wrong is said clearly, with file and line, and nothing is served."""

import os
import subprocess

import pytest
import world as worlds

USAGE, CONFIG = 64, 78


@pytest.fixture(scope="module")
def installation(cluster):
    made = cluster.installation("settings")
    yield made
    cluster.drop(made)


def authd(*arguments, timeout=60):
    """(exit status, everything printed)"""
    done = subprocess.run([worlds.installed("authd"), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, check=False)
    return done.returncode, done.stdout


def check(path):
    return authd("--config", path, "--check")


@pytest.fixture
def written(installation, tmp_path):
    """Write authd.conf with changes and check it; returns (exit status, what was said, path)."""
    def write(changes=None, edit=lambda text: text, encoding="utf-8"):
        path = tmp_path / "authd.conf"
        installation.write_configuration({"api": 0, "pages": 0, "management": 0}, path, changes)
        text = edit(path.read_text())
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return (*check(path), path)
    return write


def test_a_configuration_in_order_is_said_to_be(written):
    status, said, _ = written()
    assert (status, said.strip().splitlines()[-1]) == (0, "The configuration is in order.")


WRONG = {
    "an unknown key": ("api", "lisen", "127.0.0.1:1", "lisen"),
    "an unknown section": ("apis", "listen", "127.0.0.1:1", "apis"),
    "no port": ("api", "listen", "127.0.0.1", "host:port"),
    "no host": ("api", "listen", ":8443", "host:port"),
    "a port beyond ports": ("api", "listen", "127.0.0.1:70000", "listen address"),
    "a port with letters": ("api", "listen", "127.0.0.1:https?", "listen address"),
    "a negative port": ("api", "listen", "127.0.0.1:-1", "listen address"),
    "IPv6 without brackets": ("api", "listen", "::1:8443", "host:port"),
    "an address that does not exist": ("api", "listen", "256.1.1.1:8443", "listen address"),
    "no address of this machine": ("api", "listen", "nowhere.invalid:8443", "listen address"),
    "an empty address": ("api", "listen", "", "listen must not be empty"),
    "a Unix socket for the API": ("api", "listen", "unix:/tmp/x", "[management]"),
    "an address too long": ("api", "listen", "a" * 257, "listen"),
    "the operator's probes for everybody": ("management", "listen", "0.0.0.0:0", "loopback"),
    "the operator's probes on every address": ("management", "listen", "[::]:0", "loopback"),
    "a relative Unix socket": ("management", "listen", "unix:x.sock", "unix:"),
    "a Unix socket too long": ("management", "listen", "unix:/" + "x" * 110, "unix:"),
    "no certificate": ("api", "certificate", None, "certificate is missing"),
    "no key": ("api", "key", None, "key is missing"),
    "a certificate that is not there": ("api", "certificate", "/nonexistent.pem", "/nonexistent.pem"),
    "a folder as certificate": ("api", "certificate", "/etc", "/etc"),
    "a device as key": ("api", "key", "/dev/zero", "/dev/zero"),
    "pages without an address for people": ("pages", "public_url", None, "public_url"),
    "pages over http": ("pages", "public_url", "http://auth.example", "https://"),
    "a slash at the end": ("pages", "public_url", "https://auth.example/", "slash"),
    "no host for people": ("pages", "public_url", "https://", "https://"),
    "a fragment": ("pages", "public_url", "https://auth.example#x", "https://"),
    "a way back without https": ("pages", "return_to", "http://shop.example/", "return_to"),
    "a proxy that is no address": ("pages", "proxies", "shop.example", "prox"),
    "a contact that is none": ("pages", "security_contact", "security@example.com", "security_contact"),
    "no such folder": ("pages", "directory", "/nonexistent", "/nonexistent"),
    "no such log": ("log", "target", "file", "target must be"),
    "no such level": ("log", "level", "verbose", "level must be"),
    "no such keyring": ("keys", "keyring", "/nonexistent", "/nonexistent"),
    "too few connections": ("api", "connections", "15", "connections"),
    "too many connections": ("api", "connections", "1000001", "connections"),
    "a number with letters": ("workers", "queue_length", "10k", "queue_length"),
    "a fraction": ("workers", "drain_s", "1.5", "drain_s"),
    "a hexadecimal number": ("workers", "drain_s", "0x10", "drain_s"),
    "an empty number": ("workers", "drain_s", "", "drain_s"),
    "a number beyond 64 bits": ("workers", "drain_s", "99999999999999999999", "drain_s"),
    "a negative number": ("workers", "quick", "-1", "quick"),
    "zero where none is allowed": ("workers", "request_deadline_s", "0", "request_deadline_s"),
}


@pytest.mark.parametrize("section, key, value, word", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_named(written, section, key, value, word):
    status, said, _ = written({(section, key): value})
    assert status == CONFIG, said
    assert word in said and "in order" not in said
    assert len(said.splitlines()) == 1, said


def test_the_line_of_a_wrong_setting_is_named(written):
    status, said, path = written(edit=lambda text: text + "[workers]\nqueue_length = many\n")
    line = len(path.read_text().splitlines())
    assert status == CONFIG and f"{path}:{line}" in said


BROKEN = {
    "a key twice": lambda text: text.replace("[api]\n", "[api]\nconnections = 20\nconnections = 30\n"),
    "a key before any section": lambda text: "listen = 127.0.0.1:1\n" + text,
    "a line that is neither": lambda text: text + "hello\n",
    "a line too long": lambda text: text + "[workers]\n# " + "x" * 5000 + "\n",
    "a NUL": lambda text: text.replace("[api]\n", "[api]\n# \0\n"),
    "a byte that is no UTF-8": lambda text: text.encode() + b"# \xff\n",
    "too large": lambda text: text + "#\n" * 40000,
    "nothing": lambda text: "",
}


@pytest.mark.parametrize("edit", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_by_name(written, edit):
    status, said, path = written(edit=edit)
    assert status == CONFIG, said
    assert str(path) in said and len(said.splitlines()) == 1


def test_a_file_that_others_could_have_written_is_refused(written, tmp_path):
    _, _, path = written()
    for mode in (0o622, 0o606, 0o620):
        path.chmod(mode)
        status, said = check(path)
        assert status == CONFIG and str(path) in said, oct(mode)
    path.chmod(0o640)
    assert check(path)[0] == 0
    link = tmp_path / "link.conf"
    link.symlink_to(path)
    assert check(link)[0] == CONFIG
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        assert check(path)[0] == CONFIG


@pytest.mark.parametrize("path", ["/nonexistent/authd.conf", "/etc", "/dev/null", "/dev/zero", "", "x" * 5000])
def test_what_is_no_file_is_refused(path):
    status, said = authd("--config", path, "--check")
    assert status == CONFIG and len(said.splitlines()) == 1, said


@pytest.mark.parametrize("arguments", [["--confg", "x"], ["-x"], ["--config"], ["extra"], ["--check", "extra"],
                                       ["--check=yes"], ["--"] + ["a"]])
def test_a_wrong_command_line_is_refused_and_help_is_pointed_at(arguments):
    status, said = authd(*arguments)
    assert status == USAGE and "authd --help" in said, said


def test_help_and_version_need_no_configuration():
    status, said = authd("--help")
    assert status == 0 and "Usage: authd" in said and "[workers] drain_s" in said
    status, said = authd("--version")
    assert status == 0 and said.startswith("authd (counterfoil) ")


def test_the_printed_configuration_is_one_that_is_read(written):
    """What --print-config says is a file that authd takes, put before what it says nothing of."""
    status, said = authd("--print-config")
    assert status == 0 and "[workers]" in said
    workers = "[workers]" + said.split("[workers]")[1].split("\n[")[0] + "\n"
    assert written(edit=lambda text: text + workers)[0] == 0
