"""bench_introspect: sessions looked up through TLS and authd, against pgbench making the same SQL call over as many
connections.  The two take turns, and each round gives a ratio, so that what else the machine does weighs on both.

All of it shares the processors: the load with its end of TLS, authd, PostgreSQL.  So the rates have a limit that no authd
could pass, and beside them stands what each used of a processor for a look-up:
    by_processor_time_vs_pgbench        what a call through pgbench took over all of that: the rates, had nobody else used
                                        the machine
    with_authd_for_nothing_vs_pgbench   that limit: what a call through pgbench took over what PostgreSQL and the load took
    cpu_vs_pgbench                      the same over what PostgreSQL and authd took: the load on a machine of its own"""
import json
import statistics

import load

ROUNDS, SECONDS = 3, 3
PATH = "/v1/sessions/introspect"


def session(made):
    account = made.create_account()
    return {"token": made.api().login(account.login, account.password).json()["session_token"]}


def one_round(made, body, calls):
    """(a second through HTTP, a second through pgbench, p99, what each used for a look-up, what a call of pgbench used)."""
    marks = [load.spent(made)]
    http = load.wrk(made, PATH, [json.dumps(body)], SECONDS)
    if http.refused or http.other or http.errors:
        raise load.worlds.WorldError(f"not every look-up was answered: {http}")
    marks.append(load.spent(made))
    rate = load.pgbench(made, calls, SECONDS)
    marks.append(load.spent(made))
    sql = load.spent_each(marks[1], marks[2], rate * SECONDS)
    return (http.served / http.seconds, rate, http.p99_ms, load.spent_each(marks[0], marks[1], http.served),
            sql.postgresql + sql.load)


def measure(made):
    body = session(made)
    calls = load.sql_of(made, lambda: made.api().post(PATH, body))
    return calls, [one_round(made, body, calls) for _ in range(ROUNDS)]


def run():
    with load.world() as made:
        calls, rounds = measure(made)
    ratios = [("introspect.rate_vs_pgbench", statistics.median(http / sql for http, sql, *_ in rounds), "0.8"),
              ("introspect.by_processor_time_vs_pgbench", statistics.median(sql / sum(each) for *_, each, sql in rounds), ""),
              ("introspect.with_authd_for_nothing_vs_pgbench",
               statistics.median(sql / (each.postgresql + each.load) for *_, each, sql in rounds), ""),
              ("introspect.cpu_vs_pgbench",
               statistics.median(sql / (each.postgresql + each.authd) for *_, each, sql in rounds), "")]
    details = [("round", "connections", "SQL calls each", "HTTP a second", "HTTP p99 ms", "pgbench a second", "authd us",
                "PostgreSQL us", "load us", "pgbench and PostgreSQL us")]
    for number, (http, sql, p99, each, call) in enumerate(rounds, 1):
        details.append((str(number), str(load.CONNECTIONS), str(len(calls)), f"{http:.0f}", f"{p99:.2f}", f"{sql:.0f}",
                        f"{1000 * each.authd:.0f}", f"{1000 * each.postgresql:.0f}", f"{1000 * each.load:.0f}",
                        f"{1000 * call:.0f}"))
    return ratios, details
