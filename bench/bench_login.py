"""bench_login: sign-ins with a password a second, through TLS, authd and PostgreSQL, against what the slots could do if a
login were the hash alone: slots / the best time of a hash in the same run.  Every account and every source is another, so
that no limit applies.

The load and PostgreSQL share the processors with the slots, and hashes that run at once share the memory, so the rate has a
limit that no authd could pass.  The table has what each used of a processor for a login:
    by_processor_time_vs_bound        a hash alone / all of that: the rate, had nobody else used the machine
    with_authd_for_nothing_vs_bound   that limit: slots / (a hash while as many run as there are slots + PostgreSQL + the load)
    with_least_sql_vs_bound           slots / (a hash while as many run + the rest of authd + the load + the least SQL): what no
                                      SQL could pass that commits as often, for the least is a row by key in each of the calls
    hash_at_once_vs_alone             what running at once alone leaves of it
    besides_hash_share                what authd used beside its slots, as a part of the hash"""
import json
import os
import statistics

import bench_hash
import load

SECONDS, WARM_SECONDS, HASH_SECONDS, LEAST_SECONDS = 10, 2, 1, 5
ACCOUNTS, SOURCES = 64, 4096
COST = "m19456t2"
CALLS = 2               # a login makes them, and each commits
SLOTS = os.cpu_count()


def best_hash_ms():
    """The shortest median of all ways at the cost of the world's accounts: alone, and as many at once as there are slots."""
    found, _ = bench_hash.measure(HASH_SECONDS)
    return tuple(min(statistics.median(times) for times in ways.values()) / 1000
                 for ways in (found[COST], bench_hash.at_once(HASH_SECONDS, SLOTS)))


def bodies(accounts):
    return [json.dumps(load.login_body(accounts[number % len(accounts)], number)) for number in range(SOURCES)]


def least_sql_ms(made):
    """What PostgreSQL uses for a login if each of its calls writes one short row, by key, and commits.  As many at once as
    it takes: they share the writing to the disk."""
    made.query("CREATE TABLE least (key integer PRIMARY KEY, uses bigint NOT NULL) WITH (fillfactor = 50)")
    made.query("INSERT INTO least SELECT n, 0 FROM generate_series(1, %s) n", (SOURCES,))
    made.query("GRANT SELECT, UPDATE ON least TO counterfoil_authd")
    calls = CALLS * [("UPDATE least SET uses = uses + 1 WHERE key = $1::integer RETURNING uses", ["key"])]
    options = {"fresh": {"key": ":n"}, "first": f"\\set n random(1, {SOURCES})\n"}
    load.pgbench_counted(made, calls, WARM_SECONDS, **options)
    before = load.spent(made)
    _, rounds = load.pgbench_counted(made, calls, LEAST_SECONDS, **options)
    return load.spent_each(before, load.spent(made), rounds).postgresql


def measure():
    with load.world({("hashing", "slots"): SLOTS}) as made:
        lines = bodies(load.accounts(made, ACCOUNTS))
        load.wrk(made, "/v1/logins", lines, WARM_SECONDS)       # each connection of PostgreSQL makes its plans once
        before = load.spent(made)
        got = load.wrk(made, "/v1/logins", lines, SECONDS)
        each = load.spent_each(before, load.spent(made), got.served)
        least_ms = least_sql_ms(made)
    if got.other or got.errors:
        raise load.worlds.WorldError(f"not every login was answered: {got}")
    return got, each, least_ms


def run():
    alone_ms, at_once_ms = best_hash_ms()
    got, each, least_ms = measure()
    rate, bound = got.served / got.seconds, 1000 * SLOTS / alone_ms
    ratios = [("login.rate_vs_hash_bound", rate / bound, "0.93"),
              ("login.by_processor_time_vs_bound", alone_ms / sum(each), ""),
              ("login.with_authd_for_nothing_vs_bound", alone_ms / (at_once_ms + each.postgresql + each.load), ""),
              ("login.with_least_sql_vs_bound", alone_ms / (at_once_ms + each.authd + each.load + least_ms), ""),
              ("login.hash_at_once_vs_alone", alone_ms / at_once_ms, ""),
              ("login.besides_hash_share", each.authd / each.slots, "at most 0.03")]
    details = [("what", "measured"),
               ("slots; connections", f"{SLOTS}; {load.CONNECTIONS}"),
               ("a hash alone, ms", f"{alone_ms:.2f}"),
               (f"a hash while {SLOTS} run, ms", f"{at_once_ms:.2f}"),
               ("bound a second", f"{bound:.1f}"),
               ("logins a second", f"{rate:.1f}"),
               ("refused", str(got.refused)),
               ("p50 ms; p99 ms", f"{got.p50_ms:.1f}; {got.p99_ms:.1f}"),
               ("processor for a login, ms: authd's slots", f"{each.slots:.2f}"),
               ("the rest of authd", f"{each.authd:.2f}"),
               ("PostgreSQL, two calls", f"{each.postgresql:.2f}"),
               ("the least SQL, two rows by key", f"{least_ms:.2f}"),
               ("the load and its end of TLS", f"{each.load:.2f}")]
    return ratios, details
