"""load: a world to measure in, and the load on it.

    world()      one PostgreSQL, one authd, the installed programs, nothing in debug, gone at the end
    wrk()        requests over keep-alive connections through TLS
    sql_of()     the statements that authd sends for a request, with what they carry, as PostgreSQL saw them
    pgbench()    the same statements without authd
    spent()      who used the processors"""
import collections
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/support"))

import world as worlds  # noqa: E402

CONNECTIONS = 8
Counted = collections.namedtuple("Counted", "served refused other errors seconds p50_ms p99_ms")


@contextlib.contextmanager
def world(changes=None):
    """Durable, like a real one; PostgreSQL logs no statement, for that costs more than some of them."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="counterfoil-bench-"))
    cluster = worlds.Cluster(directory)
    cluster.postgres.durable = True
    made = None
    try:
        cluster.start()
        server_set(cluster.postgres, log_statement="none")
        # World is more patient, for tests: None leaves a setting as it is shipped
        shipped = {("log", "level"): "info", ("database", "connect_timeout_s"): None, **dict.fromkeys(worlds.PATIENCE)}
        made = worlds.World(cluster, "bench", {**shipped, **(changes or {})}).start(real_clock=True)
        yield made
    finally:
        for authd in made.authds if made else []:
            authd.stop()
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def server_set(postgres, **settings):
    for name, value in settings.items():
        postgres.query("postgres", f"ALTER SYSTEM SET {name} = %s", (value,))
    postgres.query("postgres", "SELECT pg_reload_conf()")
    for name, value in settings.items():
        worlds.wait_until(lambda name=name, value=value: postgres.query("postgres", f"SHOW {name}") == [(value,)],
                          f"{name} to be {value}")


def server_restart(postgres, **settings):
    """With settings that PostgreSQL takes at its start only."""
    for name, value in settings.items():
        postgres.query("postgres", f"ALTER SYSTEM SET {name} = %s", (value,))
    postgres.stop()
    postgres.start()


def accounts(made, count):
    return [made.create_account(f"customer-{number}@example.com") for number in range(count)]


def address(number):
    """Each a network of its own: no source is ever throttled, or stands behind itself."""
    return f"2001:db8:{number:x}::7"


def login_body(account, number):
    return {"login": account.login, "password": account.password, "source": {"ip": address(number), "user_agent": "bench"}}


def start_wrk(made, path, bodies, seconds, connections=CONNECTIONS, rest_ms=0):
    """wrk under way: hand it to counted().  BODIES are lines of JSON; each connection rests REST_MS before a request."""
    lines = made.directory / f"bodies{path.replace('/', '-')}"
    lines.write_text("".join(body + "\n" for body in bodies), encoding="utf-8")
    return subprocess.Popen(
        ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "20s",
         "-s", str(HERE / "load.lua"), "-H", f"Authorization: Bearer {made.api_key}", made.authd.url + path, "--", str(lines),
         *([str(rest_ms)] if rest_ms else [])],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def counted(process, timeout_s=60):
    out, _ = process.communicate(timeout=timeout_s)
    match = re.search(r"^counted (.*)$", out, re.MULTILINE)
    if process.returncode != 0 or not match:
        raise worlds.WorldError(f"wrk ended with {process.returncode}:\n{out}")
    numbers = match.group(1).split()
    return Counted(*(int(n) for n in numbers[:4]), *(float(n) for n in numbers[4:]))


def wrk(made, path, bodies, seconds, connections=CONNECTIONS):
    return counted(start_wrk(made, path, bodies, seconds, connections))


def sql_of(made, request):
    """[(statement, [parameter or None])] that authd sent because of REQUEST(), which runs once before, so that all is
    prepared."""
    request()
    server_set(made.postgres, log_statement="all", log_parameter_max_length="-1")
    try:
        mark = made.postgres.log_mark()
        request()
        lines = [text for role, text in made.postgres.log_since(mark) if role == "counterfoil_authd"]
    finally:
        server_set(made.postgres, log_statement="none", log_parameter_max_length="0")
    found = []
    for line in lines:
        if match := re.match(r"LOG:\s+execute \S+: (.*)", line):
            found.append((match.group(1), []))
        elif match := re.match(r"DETAIL:\s+parameters: (.*)", line):
            found[-1][1].extend(None if value == "NULL" else value[1:-1].replace("''", "'") for value in re.findall(
                r"\$\d+ = (NULL|'(?:[^']|'')*')", match.group(1)))
    return found


def pgbench(made, calls, seconds, connections=CONNECTIONS):
    """Rounds a second of CALLS, prepared, as authd's own role over the same way."""
    return pgbench_counted(made, calls, seconds, connections)[0]


def pgbench_counted(made, calls, seconds, connections=CONNECTIONS, fresh=None, first="", database=None):
    """The same, and how many rounds.  FRESH: {value: expression} for what is another one each time; FIRST: commands of
    pgbench that come before the calls, with a variable n that is 0 at first.  What a call gives, the next ones know as
    variables."""
    variables, script = ["-D", "n=0"], first
    for number, (statement, parameters) in enumerate(calls):
        for place, value in enumerate(parameters, 1):
            name = f"v{number}_{place}"
            put = "NULL" if value is None else (fresh or {}).get(value, f":{name}")
            statement = re.sub(rf"\${place}(?!\d)", lambda _, put=put: put, statement)
            if put == f":{name}":
                variables += ["-D", f"{name}={value}"]
        script += statement + (" \\gset\n" if number + 1 < len(calls) else ";\n")
    path = made.directory / "pgbench.sql"
    path.write_text(script, encoding="utf-8")
    role = "counterfoil_authd"
    out = worlds.run(made.postgres.bin / "pgbench", "-n", "-M", "prepared", "-c", connections, "-j", min(2, connections),
                     "-T", seconds, "-f", path, *variables, made.postgres.url(database or made.installation.database, role,
                     worlds.Installation.PASSWORDS[role]), env={**os.environ, "LC_ALL": "C"})
    if not re.search(r"number of failed transactions: 0 ", out):
        raise worlds.WorldError(f"pgbench failed:\n{out}")
    rounds = int(re.search(r"actually processed: (\d+)", out).group(1))
    return float(re.search(r"^tps = ([\d.]+)", out, re.MULTILINE).group(1)), rounds


def program(name):
    """A program of bench/, made when it is asked for."""
    subprocess.run(["make", "-C", str(worlds.OBJ), "-s", f"bench/{name}"], check=True, stdout=subprocess.DEVNULL)
    return worlds.OBJ / "bench" / name


def ticks(path):
    """(user and system time, that of children waited for, nice value) of a process or thread, the times in seconds."""
    fields = pathlib.Path(path, "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    user, system, child_user, child_system = (int(fields[i]) / os.sysconf("SC_CLK_TCK") for i in range(11, 15))
    return user + system, child_user + child_system, int(fields[16])


def cpu_seconds(made):
    """What authd used so far, in seconds of processor time."""
    return ticks(f"/proc/{made.authd.process.pid}")[0]


Spent = collections.namedtuple("Spent", "slots authd postgresql load")


def spent(made):
    """Processor time so far: of authd's hash slots, which alone run at a lower priority, of the rest of it, of
    PostgreSQL, and of the processes that were started here and have ended: the load."""
    process = f"/proc/{made.authd.process.pid}"
    others = ticks(process)[2]
    slots = sum(time for time, _, nice in map(ticks, pathlib.Path(process, "task").iterdir()) if nice > others)
    postmaster = made.postgres.pid()
    own, gone, _ = ticks(f"/proc/{postmaster}")
    children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()
    living = 0.0
    for pid in children:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):        # ended meanwhile
            living += ticks(f"/proc/{pid}")[0]
    times = os.times()
    return Spent(slots, cpu_seconds(made) - slots, own + gone + living,
                 times.children_user + times.children_system)


def spent_each(before, after, count):
    """Milliseconds of each of COUNT."""
    return Spent(*(1000 * (b - a) / max(count, 1) for a, b in zip(before, after)))


def memory_peak_kib(made):
    """The most that authd ever had resident."""
    status = pathlib.Path(f"/proc/{made.authd.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE).group(1))
