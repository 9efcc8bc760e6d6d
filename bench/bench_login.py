"""bench_login: sign-ins with a password a second, through TLS, authd and PostgreSQL, against what the slots could do if a
login were the hash alone: slots / the best time of a hash in the same run.  Every account and every source is another, so
that no limit applies.  The load and PostgreSQL share the processors with the slots; what authd itself used of them for a
login is in the table, against the hash."""
import json
import os
import statistics

import bench_hash
import load

SECONDS, HASH_SECONDS = 10, 1
ACCOUNTS, SOURCES = 64, 4096
COST = "m19456t2"
SLOTS = os.cpu_count()


def best_hash_ms():
    """The shortest median of all ways at the cost of the world's accounts."""
    found, _ = bench_hash.measure(HASH_SECONDS)
    return min(statistics.median(times) for times in found[COST].values()) / 1000


def bodies(accounts):
    return [json.dumps(load.login_body(accounts[number % len(accounts)], number)) for number in range(SOURCES)]


def run():
    hash_ms = best_hash_ms()
    with load.world({("hashing", "slots"): SLOTS}) as made:
        lines = bodies(load.accounts(made, ACCOUNTS))
        before = load.cpu_seconds(made)
        got = load.wrk(made, "/v1/logins", lines, SECONDS)
        cpu_ms = 1000 * (load.cpu_seconds(made) - before) / max(got.served, 1)
    if got.other or got.errors:
        raise load.worlds.WorldError(f"not every login was answered: {got}")
    rate, bound = got.served / got.seconds, 1000 * SLOTS / hash_ms
    ratios = [("login.rate_vs_hash_bound", rate / bound, "0.93")]
    details = [("slots", "connections", "best hash ms", "bound a second", "logins a second", "refused", "p50 ms", "p99 ms",
                "authd's CPU ms a login"),
               (str(SLOTS), str(load.CONNECTIONS), f"{hash_ms:.2f}", f"{bound:.1f}", f"{rate:.1f}", str(got.refused),
                f"{got.p50_ms:.1f}", f"{got.p99_ms:.1f}", f"{cpu_ms:.2f}")]
    return ratios, details
