"""bench_overload: four times the logins that can be hashed, for half a minute.  What is served goes on, the rest is an honest
no, health and code steps are looked at all the while, and memory stays under its bound with a thousand logins at once.

The pace: each connection rests a second after a reply.  At four times the capacity C a login served waited the deadline of
two seconds and one refused waited not at all, so 2C connections wait, 4C rest: 6C of them.  What was offered is in the
table.  All logins and sources are distinct, so that no limit but the slots' applies.  How long a login took that was served
comes from a few honest customers beside that load, one login after another, for wrk does not tell its replies apart."""
import os
import time

import bench_login
import load
import probes

QUIET_S, OVERLOAD_S, CROWD_S = 5, 30, 4
CROWD = 1000
REST_MS = 1000
PROBE_S, CUSTOMER_S = 0.02, 0.2
CUSTOMERS = 6
MEMORY_KIB, BASE_KIB = 19456, 64 * 1024     # what an account of the world costs, and what all else may take
SLOTS = os.cpu_count()


def watched(made, accounts, work, customers=0):
    """What WORK() gives, and the probes meanwhile."""
    asks = {"health": (probes.health(made), PROBE_S), "code": (probes.code_step(made), PROBE_S)}
    for number in range(customers):
        asks[f"customer{number}"] = (probes.login(made, accounts, 0x2000 + 0x400 * number), CUSTOMER_S)
    with probes.asking(**asks) as found:
        result = work()
    return result, found


def p99_of(name, calm, busy):
    """A ratio with its bar, and the lines for the table."""
    before, after = (probes.percentile(found[name].times_ms, 99) for found in (calm, busy))
    what = {"health": "health", "code": "code steps"}[name]
    ratio = (f"overload.{'health' if name == 'health' else 'code_step'}_p99_vs_quiet", after / before,
             f"at most 20, or 50 ms: {after:.1f} ms")
    return ratio, [(f"{what} p99 quiet, ms", f"{before:.2f} of {len(calm[name].times_ms)}"),
                   (f"{what} p99 in overload, ms", f"{after:.2f} of {len(busy[name].times_ms)}"),
                   (f"{what} worst in overload, ms", f"{max(busy[name].times_ms):.2f}")]


def run():
    with load.world({("hashing", "slots"): SLOTS}) as made:
        accounts = load.accounts(made, bench_login.ACCOUNTS)
        lines = bench_login.bodies(accounts)
        _, calm = watched(made, accounts, lambda: time.sleep(QUIET_S))
        before = load.wrk(made, "/v1/logins", lines, QUIET_S)
        capacity = before.served / before.seconds
        crowd = load.wrk(made, "/v1/logins", lines, CROWD_S, CROWD)
        peak_kib = load.memory_peak_kib(made)
        got, busy = watched(made, accounts, lambda: load.counted(load.start_wrk(
            made, "/v1/logins", lines, OVERLOAD_S, round(6 * capacity), REST_MS)), CUSTOMERS)
        end_kib = load.memory_peak_kib(made)
    bound_kib = SLOTS * 2 * MEMORY_KIB + BASE_KIB
    refusals = got.refused + got.other + got.errors
    customers = [probe for name, probe in busy.items() if name.startswith("customer")]
    served_ms = [ms for probe in customers for ms in probe.times_ms]
    health, health_rows = p99_of("health", calm, busy)
    code, code_rows = p99_of("code", calm, busy)
    ratios = [health, code,
              ("overload.served_vs_quiet", got.served / got.seconds / capacity, ""),
              ("overload.honest_503_share", got.refused / max(refusals, 1), "1"),
              ("memory.peak_vs_bound", peak_kib / bound_kib, "at most 1")]
    answered = got.served + got.refused + got.other
    details = [("what", "measured"),
               ("capacity, logins a second", f"{capacity:.1f}"),
               ("offered, times the capacity", f"{answered / got.seconds / capacity:.1f}"),
               ("connections", str(round(6 * capacity))),
               ("served, a second", f"{got.served / got.seconds:.1f}"),
               ("p50 of a served login, ms", f"{probes.percentile(served_ms, 50):.0f} of {len(served_ms)}"),
               ("p99 of a served login, ms", f"{probes.percentile(served_ms, 99):.0f}"),
               ("503 with Retry-After, a second", f"{got.refused / got.seconds:.1f}"),
               ("other answers; errors of connections", f"{got.other}; {got.errors}"),
               *health_rows, *code_rows,
               (f"logins served of {CROWD} at once, a second", f"{crowd.served / crowd.seconds:.1f}"),
               (f"other answers; errors, with {CROWD} at once", f"{crowd.other}; {crowd.errors}"),
               (f"peak memory with {CROWD} at once, KiB", f"{peak_kib:,} of {bound_kib:,}"),
               ("peak memory after overload, KiB", f"{end_kib:,}")]
    return ratios, details
