"""Every fuzz target takes its corpus and a few seconds of changed inputs, always the same ones, without breaking.
./dev check builds them with clang (build/dev/log/fuzz-build.log); ./dev fuzz SECONDS runs them for longer."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "build/fuzz/tests/fuzz"
TARGETS = sorted(path.stem for path in HERE.glob("fuzz_*.c") if "LLVMFuzzerTestOneInput" in path.read_text())
SECONDS = 2


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_breaks(target, tmp_path):
    corpus = HERE / "corpus" / target
    program = BUILT / target
    assert list(corpus.iterdir()), f"{corpus} is empty"
    assert program.exists(), "it was not built: see build/dev/log/fuzz-build.log"
    done = subprocess.run([program, "-seed=1", f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=1024",
                           f"-artifact_prefix={BUILT}/{target}-", tmp_path, corpus],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


def test_every_target_is_built_by_make():
    fragment = (HERE / "fragment.am").read_text()
    assert len(TARGETS) >= 12
    for target in TARGETS:
        assert f"\ttests/fuzz/{target}" in fragment, f"{target} is not among the fuzzers of fragment.am"
