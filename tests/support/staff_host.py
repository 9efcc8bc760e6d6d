"""staff_host.py: a host that staff sign in to: the installed module and helper over a real database.

    Person      an account of realm staff: what its owner knows
    StaffHost   the host's configuration, its people, and applications of PAM on it"""

import contextlib
import json
import secrets
import time

import pam_world
import world as worlds

MODULE = worlds.ROOT / "lib/security/pam_counterfoil.so"
PATIENCE = {"timeout_connect": 8, "timeout_total": 20}


class Person:
    """Somebody of the staff."""

    def __init__(self, login, password):
        self.login = login
        self.password = password
        self.seed = None
        self.recovery_codes = []

    def code(self, ago_s=0):
        return worlds.totp(self.seed, time.time() - ago_s)

    def wrong_code(self):
        """A code that is none of those around now."""
        near = {worlds.totp(self.seed, time.time() + offset) for offset in range(-90, 120, 30)}
        return next(code for code in (f"{n:06d}" for n in range(1000000)) if code not in near)

    @property
    def answers(self):
        return [self.password, self.code()]


class StaffHost(pam_world.Application):
    """The Application of pam_world with the installed module, its helper, and a database of its own."""

    def __init__(self, cluster, name="staff"):
        self.cluster = cluster
        self.postgres = cluster.postgres
        self.installation = cluster.installation(name)
        super().__init__(self.installation.directory / "pam", module=MODULE)

    def helper(self, answer, **script):
        """Not scripted here: the real one, with its real configuration."""
        del answer, script
        self.write_helper_conf()

    def configure(self, *lines, **keys):
        """A busy machine takes longer to connect than the product would wait: what is tested here is not how long."""
        missing = {key: value for key, value in PATIENCE.items() if key not in keys}
        return super().configure(*lines, **keys, **missing)

    def write_helper_conf(self, changes=None, mode=0o600):
        keyring = self.directory / "keyring"
        if not keyring.exists():
            self.installation.counterfoil("keys", "extract", "staff", keyring)
        settings = {
            "database": {"url": f"host=127.0.0.1 port={self.postgres.port} dbname={self.installation.database} "
                                f"passfile={self.installation.passfile}", "connect_timeout_s": 8},
            "keys": {"keyring": keyring},
            "helper": {"run_directory": self.directory / "run"},
            "breakglass": {"directory": self.directory / "breakglass"},
            "realm staff": {"issuer": "Lantern Shop staff", "argon2_memory_kib": 19456, "argon2_passes": 2},
        }
        for (section, key), value in (changes or {}).items():
            settings.setdefault(section, {})[key] = value
        text = "".join(f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)
                       for section, keys in settings.items())
        return worlds.write_private(self.helper_conf, text, mode)

    # people

    def hire(self, login=None, password=None, enrolled=True):
        """An account, with an authenticator whose present code is unused."""
        person = Person(login or f"staff-{secrets.token_hex(4)}", password or f"nine lamps {secrets.token_hex(4)}")
        self.installation.counterfoil("account", "add", "--realm", "staff", "--password-stdin", person.login,
                                      input=person.password + "\n")
        return self.enroll(person) if enrolled else person

    def enroll(self, person):
        """As the operator does it: counterfoil enroll, and the first code."""
        started = json.loads(self.installation.counterfoil("enroll", "--realm", "staff", "--no-confirm", "--json",
                                                           person.login))
        person.seed = started["secret"].replace(" ", "")
        bound = json.loads(self.installation.counterfoil(
            "enroll", "--realm", "staff", "--confirm", started["factor_id"], "--json", person.login,
            input=person.code() + "\n"))
        person.recovery_codes = bound["recovery_codes"]
        self.forget_step(person)
        return person

    def issue(self, person):
        """A code with which PERSON enrols at a login."""
        return json.loads(self.installation.counterfoil("enroll", "--realm", "staff", "--code", "--json",
                                                        person.login))["code"]

    def forget_step(self, person):
        """As if a time step had gone by: the code of now has not been used."""
        self.query("UPDATE counterfoil.factor SET last_step = last_step - 2 WHERE account_id = %s",
                   (self.account_id(person),))

    def account_id(self, person):
        return json.loads(self.installation.counterfoil("account", "show", "--realm", "staff", "--json", person.login))["id"]

    def lock(self, person):
        self.installation.counterfoil("account", "lock", "--realm", "staff", person.login)

    # the database

    def query(self, sql, parameters=None):
        return self.postgres.query(self.installation.database, sql, parameters)

    @contextlib.contextmanager
    def database_stopped(self):
        self.postgres.stop()
        try:
            yield
        finally:
            self.postgres.start()

    def events(self, kind=None):
        """The audit trail, oldest first: (kind, outcome, reason, request_id, source, service)."""
        return [row for row in self.query("SELECT kind, outcome, reason, request_id::text, host(source), service "
                                          "FROM counterfoil.event ORDER BY id") if kind is None or row[0] == kind]

    def stop(self):
        self.cluster.drop(self.installation)
