"""world.py: a small world to test in, and the one that `./dev up` leaves running.

    Paths          where the built and the installed programs lie
    Certificates   a private authority and a server certificate for loopback
    Postgres       a private cluster on a free port; runs as user postgres when we are root
    Installation   a database with schema and roles, a keyring, an authd.conf
    Authd          one process of the service
    Api            the calling program: a requests session that holds the API key
    World          all of these together, with a clock that a test can move

Nothing here sleeps for a fixed time: it polls for the event, with a deadline."""

import base64
import contextlib
import functools
import hashlib
import hmac
import itertools
import json
import os
import pathlib
import pwd
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import psycopg2
import requests

TOP = pathlib.Path(__file__).resolve().parents[2]
OBJ = pathlib.Path(os.environ.get("COUNTERFOIL_TEST_OBJ", TOP / "build/dev/obj"))
ROOT = pathlib.Path(os.environ.get("COUNTERFOIL_TEST_ROOT", TOP / "build/root"))
SCOPES = ("login", "enroll", "accounts", "sessions", "events", "admin")
RUN_TIME_ROLES = ("counterfoil_authd", "counterfoil_pam", "counterfoil_admin", "counterfoil_auditor")
ROLES = ("counterfoil_owner",) + RUN_TIME_ROLES
PERIOD_S = 30
# A busy machine makes tests wait, it does not make authd refuse: what refuses is tested where it is set.  And what
# authd does by itself once in a minute comes between no two steps of a test.
PATIENCE = {("hashing", "deadline_ms"): 60000, ("workers", "queue_wait_ms"): 60000, ("maintenance", "interval_s"): 0,
            ("database", "statement_timeout_ms"): 20000}


class WorldError(Exception):
    """The world could not be built; says what to look at."""


# --- small things ---------------------------------------------------------------------------------------------------

def installed(name):
    """The path of an installed program: the tests run what an operator would run."""
    for folder in ("sbin", "bin", "libexec/counterfoil"):
        path = ROOT / folder / name
        if path.exists():
            return path
    raise WorldError(f"{name} is not installed under {ROOT}: ./dev build")


# Below the ports that the kernel gives to connections, so that none of those is in the way of a server that starts.
PORTS, PORTS_OF_A_PROCESS = range(12000, 32000), 100


@functools.cache
def own_ports():
    """A round of ports that no other process of tests is given while this one lives: the claim is an abstract socket,
    which ends with the process, however that ends."""
    firsts = list(PORTS[::PORTS_OF_A_PROCESS])
    random.SystemRandom().shuffle(firsts)
    for first in firsts:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0counterfoil-tests-ports-{first}")
        except OSError:
            claim.close()
            continue
        return claim, itertools.cycle(range(first, first + PORTS_OF_A_PROCESS))
    raise WorldError("all ports for tests are taken")


def free_port():
    """A port on which nobody listens, and which nobody is told again before a hundred others."""
    _, ports = own_ports()
    for port in itertools.islice(ports, PORTS_OF_A_PROCESS):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise WorldError("none of our ports is free")


def wait_until(happened, what, timeout_s=60.0, interval_s=0.02):
    """Poll until HAPPENED() is true and return what it returned."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = happened()
        if result:
            return result
        if time.monotonic() > deadline:
            raise WorldError(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(interval_s)


def run(*command, **options):
    """Run a program to its end; its output is in the error when it fails."""
    options.setdefault("timeout", 120)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode != 0:
        raise WorldError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def sanitized():
    """Were the programs under test built with a sanitizer?"""
    return b"__asan_init" in (OBJ / "authd/authd-testclock").read_bytes()


def write_private(path, text, mode=0o600):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
        out.write(text)
    return path


def totp(seed_base32, at_s):
    """RFC 6238 with the parameters that everybody uses; written from the RFC, independent of the product."""
    seed = base64.b32decode(seed_base32 + "=" * (-len(seed_base32) % 8), casefold=True)
    mac = hmac.new(seed, int(at_s // PERIOD_S).to_bytes(8, "big"), hashlib.sha1).digest()
    offset = mac[19] & 15
    return f"{(int.from_bytes(mac[offset:offset + 4], 'big') & 0x7FFFFFFF) % 1000000:06d}"


# --- certificates ---------------------------------------------------------------------------------------------------

class Certificates:
    """A private authority in DIRECTORY and what it signs.  Made once, kept while it has a month to live."""

    NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.ca = self.directory / "ca.pem"
        self.ca_key = self.directory / "ca.key"
        self.certificate = self.directory / "server.pem"
        self.key = self.directory / "server.key"

    def ensure(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self._fresh(self.ca) or not self._fresh(self.certificate):
            self._make_ca()
            self.issue("server", "localhost", self.NAMES + "\nextendedKeyUsage=serverAuth")
        return self

    @staticmethod
    def _fresh(path):
        return path.exists() and subprocess.run(
            ["openssl", "x509", "-checkend", str(30 * 86400), "-noout", "-in", str(path)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def _make_key(self, path):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        path.chmod(0o600)

    def _make_ca(self):
        self._make_key(self.ca_key)
        run("openssl", "req", "-x509", "-new", "-key", self.ca_key, "-sha256", "-days", "365", "-out", self.ca,
            "-subj", "/CN=Counterfoil development authority", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, common_name, extensions, days=365):
        """Write NAME.pem and NAME.key, signed by the authority; returns both paths."""
        key, request, extension_file, certificate = (
            self.directory / f"{name}.{suffix}" for suffix in ("key", "csr", "ext", "pem"))
        self._make_key(key)
        extension_file.write_text(extensions + "\n")
        run("openssl", "req", "-new", "-key", key, "-subj", f"/CN={common_name}", "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key, "-sha256",
            "-days", str(days), "-set_serial", str(uuid.uuid4().int >> 8), "-extfile", extension_file, "-out", certificate)
        request.unlink()
        extension_file.unlink()
        return certificate, key


# --- PostgreSQL -----------------------------------------------------------------------------------------------------

def postgresql_bin():
    """The newest server of 15 or later, wherever Debian put it."""
    found = []
    for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin"):
        with contextlib.suppress(ValueError):
            if (path / "initdb").exists() and int(path.parent.name) >= 15:
                found.append((int(path.parent.name), path))
    if not found:
        raise WorldError("no PostgreSQL 15 or newer in /usr/lib/postgresql: apt-get install postgresql")
    return max(found)[1]


class Postgres:
    """A cluster of our own in DIRECTORY: scram passwords, loopback TCP on a free port, and a Unix socket.

    PostgreSQL refuses to run as root, so for root it runs as user postgres, who must be able to reach DIRECTORY:
    place() finds such a folder.  DURABLE False trades safety at power loss for speed; a crash of the server itself
    is survived either way."""

    SETTINGS = {
        "listen_addresses": "127.0.0.1",
        "log_line_prefix": "%m [%p] %q%u@%d/%a ",
        "log_statement": "all",                 # a test counts the calls of a login
        "log_parameter_max_length": "0",        # but never what they carried
        "log_parameter_max_length_on_error": "0",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "lc_messages": "C",
    }

    def __init__(self, directory, durable=False):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.log = self.directory / "postgresql.log"
        self.durable = durable
        self.bin = postgresql_bin()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.port = None
        self.password = None
        self.sockets = None

    @classmethod
    def place(cls, wanted):
        """WANTED if the server's user can reach it, else a new folder under the system's temporary one."""
        wanted = pathlib.Path(wanted)
        wanted.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            return wanted
        reachable = subprocess.run(["test", "-x", str(wanted)], user="postgres", group="postgres", extra_groups=[],
                                   cwd="/", check=False).returncode == 0
        return wanted if reachable else pathlib.Path(tempfile.mkdtemp(prefix="counterfoil-pg-"))

    def _as_server(self, *command, **options):
        if self.user is not None:
            options |= {"user": self.user, "group": self.user, "extra_groups": []}
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/"}
        return run(*command, env=environment, cwd="/", **options)

    def create(self):
        """initdb, once; a second call finds the cluster that is there."""
        state = self.directory / "cluster.json"
        if state.exists() and (self.data / "PG_VERSION").exists():
            kept = json.loads(state.read_text())
            self.port, self.password, self.sockets = kept["port"], kept["password"], pathlib.Path(kept["sockets"])
            return self
        self.directory.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        self._make_sockets()
        self.log.touch()
        self.port = free_port()
        self.password = secrets.token_hex(16)
        password_file = write_private(self.directory / "superuser-password", self.password + "\n")
        for path in (self.directory, self.data, self.log, password_file):
            if self.user is not None:
                shutil.chown(path, self.user, self.user)
        self._as_server(self.bin / "initdb", "-D", self.data, "-U", "postgres", "--auth=scram-sha-256",
                        f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions",
                        *([] if self.durable else ["--no-sync"]))
        password_file.unlink()
        self._configure()
        self._remember()
        return self

    def _make_sockets(self):
        """The socket's path has a limit of 107 bytes, so it never lies under the source tree."""
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="cf-", dir="/tmp"))
        self.sockets.chmod(0o755)
        if self.user is not None:
            shutil.chown(self.sockets, self.user, self.user)

    def _remember(self):
        write_private(self.directory / "cluster.json", json.dumps(
            {"port": self.port, "password": self.password, "sockets": str(self.sockets)}))

    def _configure(self):
        settings = dict(self.SETTINGS, unix_socket_directories=str(self.sockets))
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as out:
            out.write("\n# counterfoil's private cluster\n" + lines)

    def pid(self):
        """The postmaster's pid, or None when it is not running."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            return pid if b"postgres" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() else None
        except (OSError, ValueError):
            return None

    def start(self):
        if self.pid() is not None:
            return self
        if not self.sockets.is_dir():
            self._make_sockets()            # /tmp was emptied since
            self._as_server("sh", "-c", f"echo \"unix_socket_directories = '{self.sockets}'\" >>\"$1\"", "sh",
                            self.data / "postgresql.conf")
            self._remember()
        # After a kill the last back ends may still hold the shared memory for a moment.
        wait_until(self._try_start, f"PostgreSQL to start; its log is {self.log}", timeout_s=60, interval_s=0.2)
        return self

    def _try_start(self):
        try:
            self._as_server(self.bin / "pg_ctl", "start", "-w", "-t", "30", "-s", "-D", self.data, "-l", self.log,
                            "-o", f"-p {self.port}")
            return True
        except WorldError:
            if self.pid() is not None:
                return True
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:     # somebody else took our port
                    self.port = free_port()
                    self._remember()
            return False

    def stop(self, mode="fast"):
        if self.pid() is not None:
            self._as_server(self.bin / "pg_ctl", "stop", "-w", "-s", "-m", mode, "-D", self.data)

    def kill(self):
        """SIGKILL to the postmaster and all of its children: what a power cut looks like to a client."""
        pid = self.pid()
        if pid is None:
            return
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for victim in [pid] + [int(child) for child in children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        wait_until(lambda: self.pid() is None, "the killed PostgreSQL to be gone")

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def url(self, database="postgres", role="postgres", password=None):
        secret = self.password if role == "postgres" else password
        login = f"{role}:{secret}" if secret else role
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def connect(self, database="postgres", role="postgres", password=None):
        """One autocommit connection: every statement stands by itself."""
        connection = psycopg2.connect(self.url(database, role, password), connect_timeout=30)
        try:
            connection.autocommit = True
            yield connection
        finally:
            connection.close()

    def query(self, database, sql, parameters=None):
        """Rows of one statement as the superuser; an empty list where there are none."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def psql(self, database, *arguments):
        return run(self.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), *arguments)

    def log_mark(self):
        return self.log.stat().st_size

    def log_since(self, mark):
        """The lines of the server's log after a mark: [(role, text)]."""
        with open(self.log, "rb") as log:
            log.seek(mark)
            lines = log.read().decode("utf-8", "replace").splitlines()
        found = []
        for line in lines:
            match = re.match(r"\S+ \S+ \S+ \[\d+\] (?:(\w+)@\S* )?(.*)", line)
            if match:
                found.append((match.group(1), match.group(2)))
        return found


# --- database, keys, configuration ----------------------------------------------------------------------------------

class Installation:
    """What `counterfoil init`, `counterfoil db migrate` and `counterfoil client create` make, for one database."""

    def __init__(self, directory, postgres, database, certificates):
        self.directory = pathlib.Path(directory)
        self.postgres = postgres
        self.database = database
        self.certificates = certificates
        self.configuration = self.directory / "authd.conf"
        self.keyring = self.directory / "keyring"
        self.passfile = self.directory / "passfile"

    # SQL connects with a password a role; they lie in a passfile, as libpq wants it.
    PASSWORDS = {role: f"{role}-of-a-private-cluster" for role in ROLES}

    def create(self):
        """Database, roles, schema, keys and configuration.  A second call brings an older schema up to date."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make_roles()
        self._make_database()
        self._make_passfile()
        self.migrate()
        if not self.keyring.exists():
            self._make_keyring()
        self.write_configuration({"api": 0, "pages": 0, "management": 0})
        return self

    def _make_roles(self):
        self.postgres.psql("postgres", "-f", TOP / "sql/roles.sql")
        for role, password in self.PASSWORDS.items():
            self.postgres.query("postgres", f"ALTER ROLE {role} LOGIN PASSWORD %s", (password,))

    def _make_database(self):
        if not self.postgres.query("postgres", "SELECT 1 FROM pg_database WHERE datname = %s", (self.database,)):
            self.postgres.query("postgres", f"CREATE DATABASE {self.database} OWNER counterfoil_owner")

    def _make_passfile(self):
        write_private(self.passfile, "".join(
            f"*:*:*:{role}:{password}\n" for role, password in self.PASSWORDS.items()))

    def migrate(self):
        run(installed("counterfoil"), "db", "migrate", "--database",
            self.postgres.url(self.database, "counterfoil_owner", self.PASSWORDS["counterfoil_owner"]))

    def _make_keyring(self):
        lines = [f"{realm} {purpose} {number} {secrets.token_hex(32)}\n"
                 for realm in ("store", "staff", "service") for purpose, number in (("digest", 1), ("seal", 1))]
        write_private(self.keyring, "".join(lines), 0o400)

    def settings(self, ports):
        """What authd.conf says: {section: {key: value}}.  Costs are the lowest that the policy floor lets pass."""
        tls = {"certificate": self.certificates.certificate, "key": self.certificates.key}
        cheapest = {"argon2_memory_kib": 19456, "argon2_passes": 2}
        return {
            "api": {"listen": f"127.0.0.1:{ports['api']}", **tls},
            "pages": {"listen": f"127.0.0.1:{ports['pages']}", **tls, "public_url": f"https://localhost:{ports['pages']}",
                      "return_to": "https://shop.example/account"},
            "management": {"listen": f"127.0.0.1:{ports['management']}"},
            "database": {"url": f"host=127.0.0.1 port={self.postgres.port} dbname={self.database} "
                                f"passfile={self.passfile}", "user": "counterfoil_authd", "connect_timeout_s": 10},
            "keys": {"keyring": self.keyring},
            "log": {"target": "stderr", "level": "debug"},
            "realm store": {"issuer": "Lantern Shop", **cheapest},
            "realm staff": {"issuer": "Lantern Shop staff", **cheapest},
        }

    def write_configuration(self, ports, path=None, changes=None):
        """Write authd.conf; CHANGES {(section, key): value} overrides, None leaves the key out."""
        settings = self.settings(ports)
        for (section, key), value in (changes or {}).items():
            settings.setdefault(section, {})[key] = value
        text = "".join(f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)
                       for section, keys in settings.items())
        return write_private(path or self.configuration, text)

    def counterfoil(self, *arguments, **options):
        """Run the command line with this installation's configuration."""
        return run(installed("counterfoil"), "--config", self.configuration, *arguments, **options)

    def make_client(self, name, realm="store", scopes=SCOPES):
        """A new API key; it is shown this once."""
        out = self.counterfoil("client", "create", name, "--realm", realm, "--scopes", ",".join(scopes), "--json")
        return json.loads(out)["key"]


# --- the service ----------------------------------------------------------------------------------------------------

class Authd:
    """One authd process on free ports."""

    def __init__(self, configuration, log, certificates, ports, program=None, environment=None):
        self.configuration = configuration
        self.log = pathlib.Path(log)
        self.certificates = certificates
        self.program = program
        self.environment = environment or {}
        self.process = None
        self.url, self.pages_url, self.management_url = (
            f"https://localhost:{ports['api']}", f"https://localhost:{ports['pages']}",
            f"http://127.0.0.1:{ports['management']}")

    def start(self, wait=True, detached=False):
        program = self.program or installed("authd")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(program), "--config", str(self.configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment}, start_new_session=detached)
        return self.wait_ready() if wait else self

    def wait_ready(self, timeout_s=60):
        wait_until(self._ready_or_dead, f"authd to be ready; its log is {self.log}", timeout_s)
        return self

    def _ready_or_dead(self):
        if self.process is not None and self.process.poll() is not None:
            raise WorldError(f"authd ended with {self.process.returncode}:\n{self.log_text()[-4000:]}")
        return self.management("/readyz") == 200

    def management(self, path):
        """The status code of the management listener, or None when nobody answers."""
        try:
            return requests.get(self.management_url + path, timeout=20).status_code
        except requests.RequestException:
            return None

    def metrics(self):
        """Every sample of /metrics: {name with labels: value}."""
        text = requests.get(self.management_url + "/metrics", timeout=20).text
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))}

    def metric(self, name):
        return self.metrics().get(name, 0.0)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        self.signal(signal.SIGHUP)

    def stop(self, timeout_s=60):
        """SIGTERM and wait; returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait()


class Api:
    """The shop's back end: one session, one key.  Methods return the requests.Response as it came."""

    def __init__(self, url, ca, key):
        self.url = url
        self.session = requests.Session()
        self.session.verify = str(ca)
        self.session.trust_env = False
        if key:
            self.session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method, path, body=None, timeout=30, **options):
        if body is not None:
            options["json"] = body
        return self.session.request(method, self.url + path, timeout=timeout, **options)

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def put(self, path, body=None, **options):
        return self.call("PUT", path, body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", path, **options)

    def create_account(self, login, password, **members):
        return self.post("/v1/accounts", {"login": login, "password": password, **members})

    def login(self, login, password, ip="192.0.2.10", user_agent="tests"):
        return self.post("/v1/logins", {"login": login, "password": password,
                                        "source": {"ip": ip, "user_agent": user_agent}})

    def code(self, challenge, code):
        return self.post(f"/v1/logins/{challenge}/code", {"code": code})


class Account:
    """An account of the world: what its owner knows about it."""

    def __init__(self, account_id, login, password):
        self.id = account_id
        self.login = login
        self.password = password
        self.seed = None
        self.factor_id = None
        self.recovery_codes = []


# --- everything together --------------------------------------------------------------------------------------------

class Cluster:
    """What a whole test run shares: one PostgreSQL, one authority, and a template database with schema and API key."""

    TEMPLATE = "counterfoil_template"

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.certificates = Certificates(self.directory / "tls")
        self.postgres = Postgres(Postgres.place(self.directory / "postgres"))
        self.template = Installation(self.directory / "template", self.postgres, self.TEMPLATE, self.certificates)
        self.api_key = None
        self.count = 0

    def start(self):
        self.certificates.ensure()
        self.postgres.create().start()
        self.template.create()
        self.api_key = self.template.make_client("tests")
        return self

    def installation(self, name="world"):
        """A fresh database, copied from the template, with the template's keys; its own folder."""
        self.count += 1
        database = f"{name}_{self.count}"
        self.postgres.query("postgres", f"CREATE DATABASE {database} TEMPLATE {self.TEMPLATE}")
        made = Installation(self.directory / database, self.postgres, database, self.certificates)
        made.directory.mkdir()
        made.keyring = self.template.keyring
        made.passfile = self.template.passfile
        made.write_configuration({"api": 0, "pages": 0, "management": 0})
        return made

    def drop(self, installation):
        self.postgres.start()
        self.postgres.query("postgres", f"DROP DATABASE IF EXISTS {installation.database} WITH (FORCE)")

    def stop(self):
        self.postgres.remove()


class World:
    """A database, one or more authd over it, and the shop that calls them.

    Time is the world's own: advance() moves authd's clock and SQL's together, so nothing waits for a time step, and
    standstill() stops SQL's, so no delay ends because the machine is slow."""

    def __init__(self, cluster, name="world", changes=None):
        self.cluster = cluster
        self.postgres = cluster.postgres
        self.installation = cluster.installation(name)
        self.directory = self.installation.directory
        self.changes = {**PATIENCE, **(changes or {})}
        self.clock_file = self.directory / "clock"
        self.offset_s = 0
        self.sql_now = "now()"
        self.authds = []
        self.api_key = cluster.api_key
        self.staff_key = None
        self.ca = cluster.certificates.ca
        self._write_clock()

    # the service

    def start(self, count=1, real_clock=False):
        """Start COUNT authd; real_clock runs the installed program, else the one whose clock advance() moves."""
        for _ in range(count):
            self.add_authd(real_clock)
        return self

    def add_authd(self, real_clock=False, changes=None, environment=None, wait=True):
        number = len(self.authds) + 1
        ports = {listener: free_port() for listener in ("api", "pages", "management")}
        configuration = self.installation.write_configuration(
            ports, self.directory / f"authd-{number}.conf", {**self.changes, **(changes or {})})
        authd = Authd(configuration, self.directory / f"authd-{number}.log", self.cluster.certificates, ports,
                      None if real_clock else OBJ / "authd/authd-testclock",
                      {"COUNTERFOIL_TEST_CLOCK": str(self.clock_file), **(environment or {})})
        self.authds.append(authd)
        return authd.start(wait)

    @property
    def authd(self):
        return self.authds[0]

    def api(self, number=0, key=""):
        """A caller of authd NUMBER; KEY None sends none, "" the world's own, which has every scope."""
        return Api(self.authds[number].url, self.ca, self.api_key if key == "" else key)

    def staff_api(self):
        """A caller of the staff realm with every scope but that of PAM hosts."""
        self.staff_key = self.staff_key or self.installation.make_client("intranet", realm="staff")
        return self.api(key=self.staff_key)

    def stop(self):
        """End everything; an authd that ends badly (a crash, a leak that a sanitizer found) is an error."""
        bad = [authd for authd in self.authds if authd.running() and authd.stop() != 0]
        self.cluster.drop(self.installation)
        if bad:
            raise WorldError(f"authd ended with {bad[0].process.returncode}:\n{bad[0].log_text()[-6000:]}")

    # time

    def now_s(self):
        return time.time() + self.offset_s

    def _write_clock(self):
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(f"{self.offset_s}\n")
        fresh.rename(self.clock_file)

    def advance(self, seconds):
        """Move time on by SECONDS, for authd and SQL alike."""
        self.offset_s += int(seconds)
        self._write_clock()
        self.query("CREATE OR REPLACE FUNCTION counterfoil.now_utc() RETURNS timestamptz LANGUAGE sql STABLE "
                   f"AS $$ SELECT {self.sql_now} + interval '{self.offset_s} seconds' $$")

    def fresh_step(self):
        """On to the beginning of the next time step: what follows has nearly all of it, however slow the machine is."""
        self.advance(PERIOD_S + 1 - self.now_s() % PERIOD_S)

    @contextlib.contextmanager
    def standstill(self):
        """SQL's clock, by which delays and ends are counted, moves by advance() alone: for what is exact to the second, or
        must be over within a delay on the slowest machine."""
        self.sql_now = f"timestamptz '{self.query('SELECT now()')[0][0].isoformat()}'"
        self.advance(0)
        try:
            yield
        finally:
            self.sql_now = "now()"
            self.advance(0)

    # the database

    def query(self, sql, parameters=None):
        return self.postgres.query(self.installation.database, sql, parameters)

    def connect(self, role="postgres"):
        return self.postgres.connect(self.installation.database, role, Installation.PASSWORDS.get(role))

    def counterfoil(self, *arguments, **options):
        return self.installation.counterfoil(*arguments, **options)

    # people

    def create_account(self, login=None, password="seven lanterns by the harbour"):
        login = login or f"customer-{secrets.token_hex(6)}@example.com"
        reply = self.api().create_account(login, password)
        if reply.status_code != 201:
            raise WorldError(f"creating {login}: {reply.status_code} {reply.text}")
        return Account(reply.json()["id"], login, password)

    def enroll(self, account, api=None):
        """Bind an authenticator, as a customer would; the code's time step is used up by it.  API: of another realm."""
        api = api or self.api()
        started = api.post(f"/v1/accounts/{account.id}/totp")
        if started.status_code != 201:
            raise WorldError(f"totp start: {started.status_code} {started.text}")
        factor = started.json()
        account.seed, account.factor_id = factor["secret"].replace(" ", ""), factor["factor_id"]
        confirmed = api.post(f"/v1/accounts/{account.id}/totp/{account.factor_id}/confirm", {"code": self.code(account)})
        if confirmed.status_code != 200:
            raise WorldError(f"totp confirm: {confirmed.status_code} {confirmed.text}")
        account.recovery_codes = confirmed.json().get("recovery_codes") or []
        return account

    def customer(self, login=None):
        """An account with an authenticator whose next code is unused."""
        account = self.enroll(self.create_account(login))
        self.advance(PERIOD_S)
        return account

    def code(self, account, ahead_s=0):
        return totp(account.seed, self.now_s() + ahead_s)

    def challenge(self, account, number=0, **source):
        """The password step; returns the challenge."""
        reply = self.api(number).login(account.login, account.password, **source)
        problem = reply.json()
        if reply.status_code != 403 or "challenge" not in problem:
            raise WorldError(f"password step: {reply.status_code} {reply.text}")
        return problem["challenge"]

    def step_up(self, account, purpose, digest=None, code=None):
        """A step-up that was granted; returns its challenge."""
        body = {"purpose": purpose, **({"digest": digest} if digest else {})}
        begun = self.api().post(f"/v1/accounts/{account.id}/step-ups", body)
        if begun.status_code != 201:
            raise WorldError(f"step-up: {begun.status_code} {begun.text}")
        challenge = begun.json()["challenge"]
        done = self.api().post(f"/v1/step-ups/{challenge}/code", {"code": code or self.code(account)})
        if done.status_code != 200:
            raise WorldError(f"step-up code: {done.status_code} {done.text}")
        return challenge

    def sign_in(self, account, number=0, code=None):
        """Both steps; returns the response of the second."""
        return self.api(number).code(self.challenge(account, number), code or self.code(account))
