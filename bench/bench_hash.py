"""bench_hash: bench_hash.c, its rounds made into ratios: each the median, over the rounds, of what two ways took in the
same round."""
import os
import pathlib
import statistics
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
OBJ = pathlib.Path(os.environ.get("COUNTERFOIL_TEST_OBJ", TOP / "build/dev/obj"))
SECONDS = 6         # of processor time a cost

BARS = {  # on AVX-512; with AVX2 only; against libsodium
    "m19456t2": ("3.0", "2.3", "1.3"),
    "m47104t1": ("5.0", "3.5", "1.3"),
    "m65536t3": ("3.0", "2.7", "1.3"),
}


def measure(seconds=SECONDS):
    """{cost: {way: [microseconds of each round]}} and the name of the engine."""
    subprocess.run(["make", "-C", str(OBJ), "-s", "bench/bench_hash"], check=True)
    done = subprocess.run([str(OBJ / "bench/bench_hash"), str(seconds)], check=True, capture_output=True, text=True,
                          timeout=300)
    head, *lines = done.stdout.splitlines()
    found = {}
    for line in lines:
        memory, passes, way, _, us = line.split()
        found.setdefault(f"m{memory}t{passes}", {}).setdefault(way, []).append(float(us))
    return found, head.split()[1]


def at_once(seconds, threads):
    """{way: [microseconds of processor time of a hash]} at the first cost, with THREADS of them running all the time."""
    done = subprocess.run([str(OBJ / "bench/bench_hash"), str(seconds), str(threads)], check=True, capture_output=True,
                          text=True, timeout=300)
    found = {}
    for line in done.stdout.splitlines()[1:]:
        _, _, way, _, us = line.split()
        found.setdefault(way, []).append(float(us))
    return found


def ratio(slow, fast):
    return statistics.median(a / b for a, b in zip(slow, fast))


def ratios_of(cost, ways, engine):
    best, avx2, sodium = BARS[cost]
    bar = best if engine == "avx512" else avx2
    yield f"hash.paired_vs_libargon2.{cost}", ratio(ways["libargon2"], ways[f"{engine}_paired"]), bar
    for kernel in ("avx512", "avx2", "portable"):
        if f"{kernel}_paired" in ways:
            yield (f"hash.paired_{kernel}_vs_libargon2.{cost}", ratio(ways["libargon2"], ways[f"{kernel}_paired"]),
                   {"avx512": best, "avx2": avx2}.get(kernel, ""))
            yield f"hash.single_{kernel}_vs_libargon2.{cost}", ratio(ways["libargon2"], ways[f"{kernel}_single"]), ""
    yield f"hash.single_vs_libsodium.{cost}", ratio(ways["libsodium"], ways[f"{engine}_single"]), sodium
    yield f"hash.paired_vs_single.{cost}", ratio(ways[f"{engine}_single"], ways[f"{engine}_paired"]), ""


def run():
    found, engine = measure()
    ratios = [row for cost, ways in found.items() for row in ratios_of(cost, ways, engine)]
    details = [("cost", "way", "best ms", "median ms", "hashes/s and core", "rounds")]
    for cost, ways in found.items():
        for way, times in ways.items():
            median = statistics.median(times)
            details.append((cost, way, f"{min(times) / 1000:.2f}", f"{median / 1000:.2f}", f"{1e6 / median:.1f}",
                            str(len(times))))
    return ratios, details
