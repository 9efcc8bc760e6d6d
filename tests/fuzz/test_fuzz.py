"""Every fuzz target takes its corpus and a few seconds of changed inputs, always the same ones, without breaking: a fast
target ends with their number, so that a faster machine tries no others.  ./dev check builds them with clang
(build/dev/log/fuzz-build.log); ./dev fuzz SECONDS runs them for longer and from other seeds."""

import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "build/fuzz/tests/fuzz"
TARGETS = sorted(path.stem for path in HERE.glob("fuzz_*.c") if "LLVMFuzzerTestOneInput" in path.read_text())
SECONDS = 2
RUNS = 200000


def run(target, found, artifacts, seconds=SECONDS, **environment):
    """FOUND is a folder for inputs that are new."""
    corpus = HERE / "corpus" / target
    program = BUILT / target
    assert list(corpus.iterdir()), f"{corpus} is empty"
    assert program.exists(), "it was not built: see build/dev/log/fuzz-build.log"
    return subprocess.run([program, "-seed=1", f"-max_total_time={seconds}", f"-runs={RUNS}", "-timeout=10",
                           "-rss_limit_mb=1024", f"-artifact_prefix={artifacts}", found, corpus],
                          env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          errors="replace", timeout=300)


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_breaks(target, tmp_path):
    done = run(target, tmp_path, f"{BUILT}/{target}-")
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("check", ["id", "user", "end"])
def test_a_pam_module_without_this_check_of_the_helper_would_be_found_out(check, tmp_path):
    """The judge itself: a system that hides what the check looks at is as good as a module without the check."""
    done = run("fuzz_pam_call", tmp_path, f"{tmp_path}/", 100, COUNTERFOIL_FUZZ_LIE=check)
    assert done.returncode != 0 and "not so: code != PAM_SUCCESS ||" in done.stdout


def test_every_target_is_built_by_make():
    fragment = (HERE / "fragment.am").read_text()
    assert len(TARGETS) >= 12
    for target in TARGETS:
        assert f"\ttests/fuzz/{target}" in fragment, f"{target} is not among the fuzzers of fragment.am"
