"""What the module leaves behind in its host: nothing.  And what the host's surroundings can do to it: nothing."""

import os
import re
import subprocess

import pytest

import pam_world
import world as worlds

GOOD = ("seven lanterns", "123456")

@pytest.mark.parametrize("options", [["--close-standard"], ["--ignore-children"]])
def test_an_odd_host_is_served_as_well(desk, options):
    done = desk.run("auth", answers=GOOD, options=[*options, "--state"])
    assert done["auth"] == "SUCCESS" and done.state == "state same"
    done = desk.helper("deny").run("auth", answers=GOOD, options=[*options, "--state"])
    assert done["auth"] == "AUTH_ERR" and done.state == "state same"


def test_a_host_that_forks_behind_pam_start_is_served_in_its_child(desk):
    done = desk.run("auth", "acct", answers=GOOD, options=["--fork"])
    assert done.results == {"auth": "SUCCESS", "acct": "SUCCESS"} and len(desk.asked()) == 1
    assert desk.helper("deny").run("auth", answers=GOOD, options=["--fork"])["auth"] == "AUTH_ERR"


HOSTILE = {
    "PGHOST": "203.0.113.1", "PGPORT": "1", "PGSERVICE": "evil", "PGSERVICEFILE": "/tmp/evil", "PGOPTIONS": "-c x=y",
    "PGPASSFILE": "/tmp/evil", "PGSSLMODE": "disable", "http_proxy": "http://203.0.113.1:1", "https_proxy": "http://203.0.113.1:1",
    "HTTPS_PROXY": "http://203.0.113.1:1", "ALL_PROXY": "http://203.0.113.1:1", "SSL_CERT_FILE": "/tmp/evil",
    "SSL_CERT_DIR": "/tmp", "OPENSSL_CONF": "/tmp/evil", "GNUTLS_SYSTEM_PRIORITY_FILE": "/tmp/evil",
    "MALLOC_PERTURB_": "165", "TZ": ":/tmp/evil", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TMPDIR": "/nonexistent",
    "HOME": "/tmp/evil", "LOGNAME": "mallory", "USER": "mallory", "LD_BIND_NOW": "1", "COUNTERFOIL_TEST_CLOCK": "/tmp/evil",
    "SSH_CONNECTION": "203.0.113.9 1 2 3", "SSH_AUTH_INFO_0": "publickey ssh-rsa AAAA", "PATH": "/tmp", "IFS": "x", "BASH_ENV": "/tmp/evil",
}


def test_the_environment_decides_nothing_and_reaches_nobody(desk):
    desk.helper("allow", fault="inherited")
    done = desk.run("auth", answers=GOOD, environment=HOSTILE)
    assert done["auth"] == "SUCCESS" and desk.asked()[0]["rhost"] == "-" and desk.asked()[0]["ssh_key"] == "-"
    inherited = (desk.directory / "inherited.txt").read_text().splitlines()
    assert [line for line in inherited if line.startswith("environment")] == []
    desk.configure(require_ssh_publickey="yes")
    assert desk.run("auth", answers=GOOD, environment=HOSTILE)["auth"] == "AUTH_ERR"


def test_the_real_helper_is_not_moved_by_the_environment(staff):
    alice = staff.hire()
    assert staff.run("auth", user=alice.login, answers=alice.answers, environment=HOSTILE)["auth"] == "SUCCESS"


def test_the_helper_inherits_one_socket_and_nothing_else(desk):
    desk.helper("allow", fault="inherited")
    secret = os.open(desk.conf, os.O_RDONLY)
    os.set_inheritable(secret, True)
    done = desk.run("auth", answers=GOOD)
    os.close(secret)
    inherited = (desk.directory / "inherited.txt").read_text()
    assert done["auth"] == "SUCCESS"
    assert re.fullmatch(r"descriptor 0 socket:\[\d+\]\ndescriptor 1 /dev/null\ndescriptor 2 /dev/null\ndirectory /\n", inherited)


def test_neither_password_nor_code_stays_in_the_memory_of_the_host(desk):
    for answer, extra in (("allow", {}), ("deny", {}), ("allow", {"fault": "text"}), ("allow", {"fault": "kill"})):
        desk.helper(answer, **extra)
        for line in ("", "forward_pass", "factors=combined forward_pass"):
            out = scan(desk, line, "chestnut-canary-7341", "739154")
            assert out == {"before": True, "after": False}, (answer, extra, line)


def scan(desk, line, password, code):
    """Run a login in a program that looks through its own memory for what was typed, while it has it and at the end."""
    combined = "combined" in line
    desk.stack("scan", [f"auth required {desk.module} conf={desk.conf} {line}"])
    done = subprocess.run([pam_world.BUILT / "memory_canary", desk.directory, "scan", "combined" if combined else "apart"],
                          input=f"{password}\n{code}\n", capture_output=True, text=True, timeout=60, check=True,
                          env={"LD_PRELOAD": str(pam_world.CAPTURE)})
    found = dict(line.split() for line in done.stdout.splitlines())
    assert found["result"] in ("0", "7", "9"), done.stdout
    return {"before": found["during"] == "found", "after": found["after"] == "found"}


def test_the_module_can_be_loaded_and_unloaded_ten_thousand_times(desk):
    out = worlds.run(pam_world.BUILT / "load_often", desk.module, "10000", timeout=120)
    assert out == "loaded 10000 times, 6 functions, state same\n"
