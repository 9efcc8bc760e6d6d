"""The story of README.md is run as it stands there: with curl and oathtool alone, a customer signs in with two factors."""

import os
import re
import subprocess
import time

import pytest
import world as worlds

# Notes the status of every reply; README's own commands stay as they are.
NOTING = "curl() { command curl -w '%{stderr}%{http_code}\\n' \"$@\" 2>>codes; }\n"


def story():
    """The commands of the section "A customer signs in"."""
    section = re.search(r"^## A customer signs in\n(.*?)^## ", (worlds.TOP / "README.md").read_text(), re.S | re.M)
    lines = [line[4:] for line in section.group(1).splitlines() if line.startswith("    ")]
    return "\n".join(line for line in lines if line != ". build/dev/env")


@pytest.fixture
def shell(fresh_world):
    """Run commands after README's own, in one shell; returns its output and the statuses of the replies."""
    fresh_world.start()
    environment = {**os.environ, "AUTHD_URL": fresh_world.authd.url, "AUTHD_CA": str(fresh_world.ca),
                   "API_KEY": fresh_world.api_key}

    def run(more=""):
        # A code is computed in one moment and checked in the next: not across the end of its half minute.
        worlds.wait_until(lambda: time.time() % worlds.PERIOD_S < 10, "a fresh half minute", worlds.PERIOD_S)
        done = subprocess.run(["bash", "-c", NOTING + story() + "\n" + more], cwd=fresh_world.directory,
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              check=False)
        codes = (fresh_world.directory / "codes").read_text().split()
        return done.stdout, codes
    return run


def test_the_story_of_the_readme_ends_with_a_session(shell):
    output, codes = shell()
    assert codes == ["201", "201", "200", "403", "200"], output
    assert '"session_token"' in output
    assert output.count('"recovery_codes"') == 1


def test_the_same_code_again_is_denied(shell):
    output, codes = shell("""
        challenge=$(call -d '{"login":"bob@example.com","password":"nine lamps on the long pier",
            "source":{"ip":"192.0.2.7","user_agent":"README"}}' "$AUTHD_URL/v1/logins" | value challenge)
        call -d "{\\"code\\":\\"$(oathtool --totp -b "$secret")\\"}" "$AUTHD_URL/v1/logins/$challenge/code" """)
    assert codes[-2:] == ["403", "403"], output
    assert "problems/denied" in output


def test_a_recovery_code_works_once(shell):
    output, codes = shell("""
        recovery=$(call -X POST "$AUTHD_URL/v1/accounts/$account/recovery-codes" |
            grep -o '[A-Z2-7]\\{4\\}\\(-[A-Z2-7]\\{4\\}\\)\\{5\\}' | head -n 1)
        for time in first second; do
            challenge=$(call -d '{"login":"bob@example.com","password":"nine lamps on the long pier",
                "source":{"ip":"192.0.2.7","user_agent":"README"}}' "$AUTHD_URL/v1/logins" | value challenge)
            call -d "{\\"code\\":\\"$recovery\\"}" "$AUTHD_URL/v1/logins/$challenge/code"
        done""")
    assert codes[-5:] == ["201", "403", "200", "403", "403"], output
