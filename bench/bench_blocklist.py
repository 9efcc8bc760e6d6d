"""bench_blocklist: bench_blocklist.c over the list that is installed: what a look-up costs against its bound of 10
microseconds, and an entry against its bound of 2 bytes."""
import os
import pathlib
import statistics
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
OBJ = pathlib.Path(os.environ.get("COUNTERFOIL_TEST_OBJ", TOP / "build/dev/obj"))
BOUND_US, BOUND_BYTES = 10.0, 2.0


def run():
    subprocess.run(["make", "-C", str(OBJ), "-s", "bench/bench_blocklist", "cli/blocklist"], check=True)
    listed = OBJ / "cli/blocklist"
    out = subprocess.run([str(OBJ / "bench/bench_blocklist"), str(listed)], check=True, capture_output=True, text=True,
                         timeout=120).stdout.split()
    entries, rounds = int(out[0]), [int(ns) / 1000 for ns in out[1:]]
    median = statistics.median(rounds)
    size = listed.stat().st_size
    ratios = [("blocklist.bound_vs_lookup", BOUND_US / median, "1.0"),
              ("blocklist.bound_vs_bytes_an_entry", BOUND_BYTES * entries / size, "1.0")]
    details = [("entries", "bytes", "bytes an entry", "best us", "median us", "rounds"),
               (f"{entries:,}", f"{size:,}", f"{size / entries:.3f}", f"{min(rounds):.2f}", f"{median:.2f}", str(len(rounds)))]
    return ratios, details
