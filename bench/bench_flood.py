"""bench_flood: one network guesses at ten times what can be hashed; customers from elsewhere sign in now and then.  Do they
get in, and how long does it take against the same customers on a quiet machine?

The network is an IPv6 /48, as anybody can rent: every guess comes from a /64 of its own and is for a login of its own, so
that no budget of a source or an account stops it, only the order in the queue.  The customers come one at a time each.

Customers are looked at once the flood's connections are made, for a shop's back end keeps its own: what hundreds of
handshakes at once do to them is in the table.  The load shares the processors, so there is a limit that no authd could
pass: limit_p99_vs_quiet is the same customers while as many requests come over as many connections for a path that is not
there, which is answered as soon as its head is read."""
import contextlib
import json
import os
import time

import bench_login
import load
import probes

QUIET_S, SETTLE_S, FLOOD_S = 10, 4, 20
REST_MS = 250
CUSTOMERS, CUSTOMER_S = 3, 0.15
GUESSES = 16384
SLOTS = os.cpu_count()
QUEUED = 256            # what authd keeps waiting at most: connections that do not rest meanwhile


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


@contextlib.contextmanager
def flood(made, path, bodies, connections):
    """wrk under way for SETTLE_S and FLOOD_S; it ends with the block, by itself or not."""
    process = load.start_wrk(made, path, bodies, SETTLE_S + FLOOD_S, connections, REST_MS)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def under(made, accounts, path, bodies, connections, first):
    """The flood as it was counted; [milliseconds] while its connections were made; those afterwards, and how many of them
    were refused; what a processor did meanwhile, in seconds a second."""
    with flood(made, path, bodies, connections) as process:
        _, making, _ = customers(made, accounts, lambda: time.sleep(SETTLE_S), first)
        begun, before = time.monotonic(), load.spent(made)
        got, busy, failed = customers(made, accounts, lambda: load.counted(process), first + 0x1000)
    took = load.spent_each(before, load.spent(made), 1000 * (time.monotonic() - begun))
    return got, making, busy, failed, took


def times(found):
    return f"{probes.percentile(found, 50):.1f}, {probes.percentile(found, 99):.1f} of {len(found)}"


def run():
    with load.world({("hashing", "slots"): SLOTS, ("hashing", "queue_length"): QUEUED}) as made:
        accounts = load.accounts(made, bench_login.ACCOUNTS)
        before = load.wrk(made, "/v1/logins", bench_login.bodies(accounts), QUIET_S // 2)
        capacity = before.served / before.seconds
        _, calm, _ = customers(made, accounts, lambda: time.sleep(QUIET_S), 0x2000)
        bodies = [guess(number) for number in range(GUESSES)]
        got, making, busy, failed, took = under(made, accounts, "/v1/logins", bodies,
                                                QUEUED + round(10 * capacity * REST_MS / 1000), 0x4000)
        least, _, limit, _, least_took = under(made, accounts, "/v1/nothing", bodies,
                                               round(10 * capacity * REST_MS / 1000), 0x8000)
    quiet, busier = probes.percentile(calm, 99), probes.percentile(busy, 99)
    ratios = [("flood.honest_success", len(busy) / max(len(busy) + failed, 1), "1"),
              ("flood.honest_p99_vs_quiet", busier / quiet, "at most 2"),
              ("flood.limit_p99_vs_quiet", probes.percentile(limit, 99) / quiet, "")]
    answered = got.served + got.refused + got.other
    details = [("what", "measured"),
               ("capacity, logins a second", f"{capacity:.1f}"),
               ("guesses a second, times the capacity", f"{answered / got.seconds / capacity:.1f}"),
               ("guesses hashed a second, of the capacity", f"{got.other / got.seconds / capacity:.2f}"),
               ("guesses refused with 503 and Retry-After, a second", f"{got.refused / got.seconds:.1f}"),
               ("errors of connections", str(got.errors)),
               ("honest logins, quiet: p50, p99 ms", times(calm)),
               ("honest logins, flood: p50, p99 ms", times(busy)),
               ("honest logins, flood: refused", str(failed)),
               ("honest logins while its connections are made: p50, p99 ms", times(making)),
               ("processors in the flood: slots; the rest of authd; PostgreSQL", "; ".join(f"{s:.2f}" for s in took[:3])),
               ("limit: requests a second, times the capacity", f"{least.other / least.seconds / capacity:.1f}"),
               ("limit: honest logins, p50, p99 ms", times(limit)),
               ("limit: processors: slots; the rest of authd; PostgreSQL", "; ".join(f"{s:.2f}" for s in least_took[:3]))]
    return ratios, details
