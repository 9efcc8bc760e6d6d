"""house.py: the schema alone: a database with sql/ in it, and callers that run its functions as authd, PAM and operators do.

    House      one database with a clock of its own
    Desk       a connection of one role, and on whose behalf it calls
    Person     an account that a test made: what its owner knows

Nothing here needs a built program: migrations and functions are loaded as `counterfoil db migrate` loads them."""

import contextlib
import hashlib
import pathlib
import secrets
import threading
import uuid

import psycopg2
import psycopg2.extras

import world as worlds

SQL = worlds.TOP / "sql"
ROLES = {role: secrets.token_hex(8) for role in worlds.ROLES}
ALL_SCOPES = 63
STORE, STAFF = 1, 2
FORM = "argon2id m=47104,t=1"
NOBODY = "00000000-0000-0000-0000-000000000000"

psycopg2.extras.register_uuid()


class Record(dict):
    """A value of a composite type of the schema."""

    def __init__(self, kind, members):
        super().__init__(members)
        self.kind = kind

    def but(self, **changes):
        unknown = set(changes) - set(self)
        assert not unknown, unknown
        return Record(self.kind, {**self, **changes})


THROTTLE = Record("throttle_policy", {
    "pair_limit": 5, "account_limit": 20, "account_delay_s": 30, "source_limit": 50, "client_limit": 100000,
    "code_limit": 5, "delay_s": 30, "delay_max_s": 3600, "forget_s": 86400, "known_source_s": 2592000,
    "factor_failures_max": 100})
STAFF_THROTTLE = THROTTLE.but(account_limit=10, account_delay_s=1800)
LOGIN = Record("login_policy", {
    "second_factor_required": False, "challenge_ttl_s": 300, "ticket_ttl_s": 1800, "session_idle_s": 3600,
    "session_absolute_s": 86400, "sessions_max": 20, "device_ttl_s": 2592000, "device_grace_s": 60})


def digest(text):
    """Stands for the keyed digest that C makes."""
    return hashlib.sha256(text.encode()).digest()


def in_parallel(count, work):
    """Run WORK(number) in COUNT threads that start together; their results, in order.  A failure in one fails all."""
    results, failures, barrier = [None] * count, [], threading.Barrier(count)

    def run(number):
        try:
            barrier.wait(60)
            results[number] = work(number)
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if failures:
        raise failures[0]
    return results


class House:
    """One database with the schema, its roles and a clock that a test moves."""

    TEMPLATE = "house_template"

    def __init__(self, postgres, database):
        self.postgres = postgres
        self.database = database
        self.offset_s = 0
        self.sql_now = "now()"

    # --- making it

    @classmethod
    def lay(cls, postgres):
        """Roles and the template that every house is a copy of."""
        made = cls(postgres, cls.TEMPLATE)
        with postgres.connect() as connection, connection.cursor() as cursor:
            cursor.execute((SQL / "roles.sql").read_text())
            for role, password in ROLES.items():
                cursor.execute(f"ALTER ROLE {role} LOGIN PASSWORD %s", (password,))
            cursor.execute(f"CREATE DATABASE {cls.TEMPLATE} OWNER counterfoil_owner")
        with made.connect("counterfoil_owner") as connection:
            made.load(connection)
        return made

    @staticmethod
    def load(connection):
        """What `counterfoil db migrate` does: each migration a transaction, then all functions in one."""
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS counterfoil; CREATE TABLE counterfoil.migration ("
                           "number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, "
                           "applied_at timestamptz NOT NULL DEFAULT now())")
            for path in sorted((SQL / "migrations").glob("*.sql")):
                cursor.execute("BEGIN;" + path.read_text() + "; COMMIT")
                cursor.execute("INSERT INTO counterfoil.migration VALUES (%s, %s, '')", (int(path.name[:4]), path.name))
        House.load_functions(connection)

    @staticmethod
    def load_functions(connection):
        text = "".join(path.read_text() + ";\n" for path in sorted((SQL / "functions").glob("*.sql")))
        with connection.cursor() as cursor:
            cursor.execute("BEGIN;" + text + "; COMMIT")

    @classmethod
    def copy(cls, postgres, database):
        postgres.query("postgres", f"CREATE DATABASE {database} TEMPLATE {cls.TEMPLATE}")
        return cls(postgres, database)

    def drop(self):
        self.postgres.start()
        self.postgres.query("postgres", f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")

    # --- looking at it

    def connect(self, role="postgres"):
        return self.postgres.connect(self.database, role, ROLES.get(role))

    def query(self, sql, parameters=None):
        return self.postgres.query(self.database, sql, parameters)

    def one(self, sql, parameters=None):
        rows = self.query(sql, parameters)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]

    def events(self, account_id=None, kind=None):
        """(kind, outcome, reason, notify), oldest first."""
        return self.query("SELECT kind, outcome, reason, notify FROM counterfoil.event WHERE (%s::uuid IS NULL OR "
                          "account_id = %s::uuid) AND (%s::text IS NULL OR kind = %s::text) ORDER BY id",
                          (account_id, account_id, kind, kind))

    # --- its clock

    def advance(self, seconds):
        """Move the database's clock on by SECONDS."""
        self.offset_s += seconds
        self.query("CREATE OR REPLACE FUNCTION counterfoil.now_utc() RETURNS timestamptz LANGUAGE sql STABLE "
                   f"AS $$ SELECT {self.sql_now} + interval '{self.offset_s} seconds' $$")

    @contextlib.contextmanager
    def standstill(self):
        """The clock moves by advance() alone: a delay is what it is to the second, and is over on no machine before."""
        self.sql_now = f"timestamptz '{self.one('SELECT now()').isoformat()}'"
        self.advance(0)
        try:
            yield
        finally:
            self.sql_now = "now()"
            self.advance(0)

    # --- who calls

    @contextlib.contextmanager
    def desk(self, role="counterfoil_authd", caller=None):
        with self.connect(role) as connection:
            yield Desk(self, connection, caller)

    @contextlib.contextmanager
    def operator(self, realm=STORE):
        with self.desk("counterfoil_admin", caller(kind="operator", realm=realm)) as desk:
            yield desk

    @contextlib.contextmanager
    def host(self):
        with self.desk("counterfoil_pam", caller(kind="host", realm=STAFF, service="sshd")) as desk:
            yield desk

    def make_client(self, realm=STORE, scopes=ALL_SCOPES, name="tests", expires_at=0):
        """An API key; returns the caller that has it."""
        key_id, key = secrets.token_hex(8), secrets.token_bytes(32)
        with self.operator(realm) as desk:
            desk.call("client_create", key_id, name, realm, scopes, key, expires_at)
        return caller(kind="client", key_id=key_id, key_digest=key, realm=realm)


def caller(**members):
    made = Record("caller", {"kind": None, "key_id": None, "key_digest": None, "realm": STORE, "request_id": None,
                             "source": "192.0.2.10", "user_agent": "tests", "service": None})
    return made.but(**{"request_id": str(uuid.uuid4()), **members})


class Person:
    """An account, with what stands for its login and its sealed password."""

    def __init__(self, login=None, realm=STORE):
        self.id = str(uuid.uuid4())
        self.realm = realm
        self.login = login or f"person-{secrets.token_hex(6)}"
        self.digest = digest(self.login)
        self.sealed = secrets.token_bytes(100)
        self.factor = None
        self.recovery = []
        self.step = 1000


class Desk:
    """One connection, and the caller on whose behalf it calls; what a test does not say is as in THROTTLE and LOGIN."""

    def __init__(self, house, connection, who):
        self.house = house
        self.connection = connection
        self.caller = who
        self.throttle = THROTTLE
        self.login = LOGIN

    # --- calling

    @staticmethod
    def _argument(value):
        """(SQL, parameters): numbers travel as text, whose type is the function's, as libpq sends them."""
        if isinstance(value, Record):
            places, parameters = zip(*(Desk._argument(member) for member in value.values()))
            return f"ROW({', '.join(places)})::counterfoil.{value.kind}", sum(parameters, ())
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return "%s", (value,)

    def rows(self, function, *arguments, who=None):
        """All rows of a function that takes a caller first."""
        return self.raw(function, who or self.caller, *arguments)

    def raw(self, function, *arguments):
        places, parameters = zip(*(self._argument(value) for value in arguments)) if arguments else ((), ())
        with self.connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(f"SELECT * FROM counterfoil.{function}({', '.join(places)})", sum(parameters, ()))
            return [{name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
                    for row in cursor.fetchall()]

    def call(self, function, *arguments, who=None):
        """The one row."""
        rows = self.rows(function, *arguments, who=who)
        assert len(rows) == 1, rows
        return rows[0]

    def refusal(self, function, *arguments, who=None):
        """The SQLSTATE with which the function refuses."""
        try:
            rows = self.rows(function, *arguments, who=who)
        except psycopg2.Error as error:
            return error.pgcode
        raise AssertionError(f"{function} was not refused: {rows}")

    def from_source(self, source, **members):
        """The same desk, for a person who is elsewhere."""
        other = Desk(self.house, self.connection, self.caller.but(source=source, **members))
        other.throttle, other.login = self.throttle, self.login
        return other

    # --- the life of a person

    def person(self, password=True, **options):
        made = Person(**options)
        self.call("account_create", made.id, made.digest, b"sealed login of " + made.login.encode(), 1, None,
                  made.sealed if password else None, 1 if password else None, FORM if password else None, None, None)
        return made

    def enroll(self, person):
        """Bind an authenticator; the account gets ten recovery codes with its first."""
        person.factor = str(uuid.uuid4())
        self.call("totp_start", person.id, None, person.factor, secrets.token_bytes(60), 1, None, None, 600, 8, None, False,
                  10, self.throttle)
        codes = [secrets.token_bytes(32) for _ in range(10)]
        done = self.call("totp_confirm_finish", person.id, None, person.factor, person.step, b"".join(codes))
        assert done["verdict"] == "granted"
        if done["recovery_issued"]:
            person.recovery = codes
        return person

    def customer(self, **options):
        return self.enroll(self.person(**options))

    # --- signing in: what C does around the two calls

    def begin(self, login_digest, device=None, throttle=None):
        return self.call("login_begin", login_digest, device, throttle or self.throttle)

    def finish(self, login_digest, begun, matched, device=None, new_sealed=None, policy=None, throttle=None):
        """The answer, and under "tokens" what was handed out with it."""
        tokens = {name: secrets.token_bytes(32) for name in ("challenge", "session", "ticket", "device")}
        tokens["session_id"] = str(uuid.uuid4())
        done = self.call("login_finish", begun["account_id"], login_digest, begun["attempt"], begun["familiar"], matched,
                         begun["reason"], begun["password_no"], new_sealed, 1 if new_sealed else 0, FORM,
                         tokens["challenge"], tokens["session_id"], tokens["session"], tokens["ticket"], device,
                         tokens["device"], False, throttle or self.throttle, policy or self.login)
        return {**done, "tokens": tokens}

    def password(self, login_digest, right, device=None):
        """The whole password step; RIGHT says whether Argon2 would have matched."""
        begun = self.begin(login_digest, device)
        if begun["throttled_s"] > 0:
            return {"verdict": "throttled", "reason": begun["reason"], "throttled_s": begun["throttled_s"]}
        return self.finish(login_digest, begun, right and begun["reason"] is None, device)

    def familiar(self, person):
        """What the schema takes the caller's source for; the attempt is given back."""
        begun = self.begin(person.digest)
        self.call("login_abandon", person.digest, begun["attempt"], begun["familiar"], self.throttle)
        return begun["familiar"]

    def challenge(self, person):
        """The right password of somebody with an authenticator; returns the challenge."""
        done = self.password(person.digest, True)
        assert done["verdict"] == "challenge", done
        return done["tokens"]["challenge"]

    def code(self, challenge, step=None, recovery=None, remember=False, tries=5, kind="login"):
        """The whole code step.  STEP: the time step that matched; neither STEP nor RECOVERY: a wrong code."""
        rows = self.rows("challenge_begin", challenge, kind, tries, self.throttle)
        begun = rows[0]
        if begun["reason"] is not None:
            verdict = "throttled" if begun["throttled_s"] > 0 else "denied"
            return {"verdict": verdict, "reason": begun["reason"], "throttled_s": begun["throttled_s"]}
        return self.code_finish(challenge, begun, step, recovery, remember)

    def code_finish(self, challenge, begun, step=None, recovery=None, remember=False):
        tokens = {name: secrets.token_bytes(32) for name in ("session", "device")}
        tokens |= {name: str(uuid.uuid4()) for name in ("session_id", "device_id")}
        done = self.call("challenge_finish", challenge, begun["account_id"], begun["familiar"],
                         begun["factor_id"] if step is not None else None, step, recovery, tokens["session_id"],
                         tokens["session"], tokens["device_id"] if remember else None,
                         tokens["device"] if remember else None, self.login)
        return {**done, "tokens": tokens}

    def sign_in(self, person, remember=False):
        """Both steps, with the next time step's code."""
        person.step += 1
        done = self.code(self.challenge(person), step=person.step, remember=remember)
        assert done["verdict"] == "granted", done
        return done
