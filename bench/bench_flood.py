"""bench_flood: one network guesses at ten times what can be hashed; customers from elsewhere sign in now and then.  Do they
get in, and how long does it take against the same customers on a quiet machine?

The network is an IPv6 /48, as anybody can rent: every guess comes from a /64 of its own and is for a login of its own, so
that no budget of a source or an account stops it, only the order in the queue.  The customers come one at a time each."""
import json
import os
import time

import bench_login
import load
import probes

QUIET_S, FLOOD_S = 10, 20
REST_MS = 1000
CUSTOMERS, CUSTOMER_S = 3, 0.15
GUESSES = 16384
SLOTS = os.cpu_count()


def guess(number):
    return json.dumps({"login": f"nobody-{number}@example.com", "password": "not the password at all",
                       "source": {"ip": f"2001:db8:ffff:{number:x}::7", "user_agent": "bench"}})


def customers(made, accounts, work, first):
    """What WORK() gives, and [milliseconds] of the logins that were granted meanwhile, and how many were not."""
    with probes.asking(**{f"customer{number}": (probes.login(made, accounts, first + 0x400 * number), CUSTOMER_S)
                          for number in range(CUSTOMERS)}) as found:
        result = work()
    return (result, [ms for probe in found.values() for ms in probe.times_ms],
            sum(probe.failed for probe in found.values()))


def run():
    with load.world({("hashing", "slots"): SLOTS}) as made:
        accounts = load.accounts(made, bench_login.ACCOUNTS)
        before = load.wrk(made, "/v1/logins", bench_login.bodies(accounts), QUIET_S // 2)
        capacity = before.served / before.seconds
        _, calm, _ = customers(made, accounts, lambda: time.sleep(QUIET_S), 0x2000)
        flood = [guess(number) for number in range(GUESSES)]
        got, busy, failed = customers(made, accounts, lambda: load.counted(load.start_wrk(
            made, "/v1/logins", flood, FLOOD_S, round(10 * capacity), REST_MS)), 0x4000)
    quiet, busier = probes.percentile(calm, 99), probes.percentile(busy, 99)
    ratios = [("flood.honest_success", len(busy) / max(len(busy) + failed, 1), "1"),
              ("flood.honest_p99_vs_quiet", busier / quiet, "at most 2")]
    answered = got.served + got.refused + got.other
    details = [("what", "measured"),
               ("capacity, logins a second", f"{capacity:.1f}"),
               ("guesses a second, times the capacity", f"{answered / got.seconds / capacity:.1f}"),
               ("guesses hashed a second, of the capacity", f"{got.other / got.seconds / capacity:.2f}"),
               ("guesses refused with 503 and Retry-After, a second", f"{got.refused / got.seconds:.1f}"),
               ("errors of connections", str(got.errors)),
               ("honest logins, quiet: p50, p99 ms", f"{probes.percentile(calm, 50):.1f}, {quiet:.1f} of {len(calm)}"),
               ("honest logins, flood: p50, p99 ms", f"{probes.percentile(busy, 50):.1f}, {busier:.1f} of {len(busy)}"),
               ("honest logins, flood: refused", str(failed))]
    return ratios, details
