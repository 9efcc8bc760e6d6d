"""bench_overload: four times the logins that can be hashed.  What is served goes on, the rest is an honest no, health is
looked at all the while, and memory stays under its bound.

The pace: each connection rests a second after a reply.  At four times the capacity C a login served waited the deadline of
two seconds and one refused waited not at all, so 2C connections wait, 4C rest: 6C of them.  What was offered is in the
table.  All logins and sources are distinct, so that no limit but the slots' applies."""
import http.client
import os
import threading
import time

import bench_login
import load

QUIET_S, OVERLOAD_S, CROWD_S = 5, 15, 4
CROWD = 200
REST_MS = 1000
PROBE_S = 0.02
MEMORY_KIB, BASE_KIB = 19456, 64 * 1024     # what an account of the world costs, and what all else may take
SLOTS = os.cpu_count()


def probe(made):
    """Milliseconds of one look at health, connection and all."""
    host, port = made.authd.management_url.removeprefix("http://").split(":")
    start = time.monotonic()
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.request("GET", "/healthz")
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise load.worlds.WorldError(f"health answered {status}")
    return 1000 * (time.monotonic() - start)


def probes(made, over):
    """What probe() took, sorted, until the event OVER."""
    times = [probe(made)]
    while not over.wait(PROBE_S):
        times.append(probe(made))
    return sorted(times)


def quiet(made):
    over = threading.Event()
    timer = threading.Timer(QUIET_S, over.set)
    timer.start()
    return probes(made, over)


def overload(made, lines, capacity):
    """What wrk counted, and the probes meanwhile."""
    over, counted = threading.Event(), []
    process = load.start_wrk(made, "/v1/logins", lines, OVERLOAD_S, round(6 * capacity), REST_MS)

    def finish():
        try:
            counted.append(load.counted(process))
        finally:
            over.set()

    waiter = threading.Thread(target=finish)
    waiter.start()
    times = probes(made, over)
    waiter.join()
    return counted[0], times


def p99(times):
    return times[len(times) * 99 // 100]


def run():
    with load.world({("hashing", "slots"): SLOTS}) as made:
        lines = bench_login.bodies(load.accounts(made, bench_login.ACCOUNTS))
        calm = quiet(made)
        before = load.wrk(made, "/v1/logins", lines, QUIET_S)
        capacity = before.served / before.seconds
        crowd = load.wrk(made, "/v1/logins", lines, CROWD_S, CROWD)
        peak_kib = load.memory_peak_kib(made)
        got, busy = overload(made, lines, capacity)
        end_kib = load.memory_peak_kib(made)
    bound_kib = SLOTS * 2 * MEMORY_KIB + BASE_KIB
    refusals = got.refused + got.other + got.errors
    ratios = [("overload.health_p99_vs_quiet", p99(busy) / p99(calm), "at most 20, or 50 ms"),
              ("overload.served_vs_quiet", got.served / got.seconds / capacity, ""),
              ("overload.honest_503_share", got.refused / max(refusals, 1), ""),
              ("memory.peak_vs_bound", peak_kib / bound_kib, "at most 1")]
    answered = got.served + got.refused + got.other
    details = [("what", "measured"),
               ("capacity, logins a second", f"{capacity:.1f}"),
               ("offered, times the capacity", f"{answered / got.seconds / capacity:.1f}"),
               ("connections", str(round(6 * capacity))),
               ("served, a second", f"{got.served / got.seconds:.1f}"),
               ("503 with Retry-After, a second", f"{got.refused / got.seconds:.1f}"),
               ("other answers; errors of connections", f"{got.other}; {got.errors}"),
               ("health p99 quiet, ms", f"{p99(calm):.2f} of {len(calm)}"),
               ("health p99 in overload, ms", f"{p99(busy):.2f} of {len(busy)}"),
               ("health worst in overload, ms", f"{busy[-1]:.2f}"),
               (f"logins served of {CROWD} at once, a second", f"{crowd.served / crowd.seconds:.1f}"),
               (f"peak memory with {CROWD} at once, KiB", f"{peak_kib:,} of {bound_kib:,}"),
               ("peak memory after overload, KiB", f"{end_kib:,}")]
    return ratios, details
