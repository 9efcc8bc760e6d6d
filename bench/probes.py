"""probes: small requests, one after another with a rest between, while something else goes on; and how long each took."""
import contextlib
import http.client
import threading
import time

import bench_code_step
import load


class Probe(threading.Thread):
    """ASK() again and again, REST_S apart, until stop().  ASK gives the milliseconds that it took, or None where it did not
    get what it wanted."""

    def __init__(self, ask, rest_s):
        super().__init__(daemon=True)
        self.ask, self.rest_s, self.over = ask, rest_s, threading.Event()
        self.times_ms, self.failed, self.error = [], 0, None

    def run(self):
        try:
            while True:
                took_ms = self.ask()
                if took_ms is None:
                    self.failed += 1
                else:
                    self.times_ms.append(took_ms)
                if self.over.wait(self.rest_s):
                    return
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.error = error      # stop() raises it in the thread that measures

    def stop(self):
        self.over.set()
        self.join()
        if self.error is not None:
            raise self.error


@contextlib.contextmanager
def asking(**asks):
    """Probes {name: (ask, rest_s)} for as long as the block takes."""
    probes = {name: Probe(*ask) for name, ask in asks.items()}
    for probe in probes.values():
        probe.start()
    try:
        yield probes
    finally:
        for probe in probes.values():
            probe.stop()


def timed(call):
    """What CALL() gives, and the milliseconds that it took."""
    start = time.monotonic()
    result = call()
    return result, 1000 * (time.monotonic() - start)


def percentile(times, percent):
    if not times:
        raise load.worlds.WorldError("nothing was answered, so there are no times")
    times = sorted(times)
    return times[len(times) * percent // 100]


def health(made):
    """One look at health, connection and all."""
    host, port = made.authd.management_url.removeprefix("http://").split(":")

    def look():
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
        return status

    def ask():
        status, took_ms = timed(look)
        if status != 200:
            raise load.worlds.WorldError(f"health answered {status}")
        return took_ms

    return ask


def code_step(made, batch=250, fresh_s=20):
    """One code step, granted, over a connection that is kept; the codes are made in time."""
    api, left, made_at = made.api(), [], [0.0]

    def ask():
        if not left or time.monotonic() - made_at[0] > fresh_s:
            left[:], made_at[0] = bench_code_step.prepare(made, batch), time.monotonic()
        *_, challenge, code = left.pop()
        reply, took_ms = timed(lambda: api.post(bench_code_step.path(challenge), {"code": code}))
        if reply.status_code != 200:
            raise load.worlds.WorldError(f"a code step was answered {reply.status_code}: {reply.text}")
        return took_ms

    ask()       # so that the first one measured has its codes and its connection
    return ask


def login(made, accounts, first_network):
    """One honest login, each time of another account and from another network; a 503 is no success."""
    api, count = made.api(), [first_network]

    def ask():
        count[0] += 1
        account = accounts[count[0] % len(accounts)]
        reply, took_ms = timed(lambda: api.login(account.login, account.password, ip=load.address(count[0])))
        if reply.status_code not in (200, 503):
            raise load.worlds.WorldError(f"an honest login was answered {reply.status_code}: {reply.text}")
        return took_ms if reply.status_code == 200 else None

    ask()
    return ask
