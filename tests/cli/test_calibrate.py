"""counterfoil calibrate: what a hash costs here, and a cost that is never below OWASP's rows."""

import json
import subprocess

import pytest
import world as worlds


def calibrate(*arguments):
    return subprocess.run([str(worlds.installed("counterfoil")), "calibrate", *arguments], capture_output=True, text=True,
                          timeout=120, check=False)


def test_every_kernel_is_measured_and_the_proposal_is_no_weaker_than_owasp():
    done = calibrate("60000ms", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    kernels = {row["kernel"] for row in found["measured"]}
    assert "portable" in kernels
    assert len(found["measured"]) == 4 * len(kernels)
    assert all(row["alone_ms"] > 0 and row["paired_ms"] > 0 for row in found["measured"])
    # a minute is time for more memory than a stored hash may ask for, on any machine
    assert found["proposed"] == {"memory_kib": 1024 * 1024, "passes": 1}


def test_what_no_machine_carries_is_said_and_not_proposed():
    done = calibrate("100000/s")
    assert done.returncode == 0, done.stderr
    assert "Nothing at or above OWASP's rows is so cheap here" in done.stdout
    assert "argon2_memory_kib" not in done.stdout


@pytest.mark.parametrize("target", ["40", "0ms", "+1ms", "1.5s", "100001ms", "40/m", "99999999999999999999ms", "ms"])
def test_a_target_that_is_none_is_refused(target):
    done = calibrate(target)
    assert done.returncode == 64
    assert done.stdout == ""
    assert "as in 100ms" in done.stderr
