"""counterfoil db: the schema, once, whoever asks and however often."""

import json
import pathlib
import shutil
import subprocess

import pytest
import world as worlds


@pytest.fixture
def empty(cluster):
    """A database without a schema, and a way to migrate it."""
    class Empty:
        name = f"empty_{cluster.count}_{worlds.secrets.token_hex(3)}"
        url = cluster.postgres.url(name, "counterfoil_owner", worlds.Installation.PASSWORDS["counterfoil_owner"])
        program = str(worlds.installed("counterfoil"))

        def command(self, verb, *more):
            return [self.program, "db", verb, "--database", self.url, *map(str, more)]

        def run(self, verb, *more):
            return subprocess.run(self.command(verb, *more), capture_output=True, text=True, timeout=60, check=False)

        def query(self, sql):
            return cluster.postgres.query(self.name, sql)
    made = Empty()
    cluster.postgres.query("postgres", f"CREATE DATABASE {made.name} OWNER counterfoil_owner")
    try:
        yield made
    finally:
        cluster.postgres.query("postgres", f"DROP DATABASE IF EXISTS {made.name} WITH (FORCE)")


def states(done):
    return json.loads(done.stdout)["applied"], json.loads(done.stdout)["known"]


def migrations(database):
    """Number 0 is the functions, which are applied anew whenever they differ."""
    return [number for number, in database.query("SELECT number FROM counterfoil.migration WHERE number > 0 ORDER BY number")]


def test_an_empty_database_is_brought_up_and_a_second_time_changes_nothing(empty):
    behind = empty.run("status", "--json")
    assert behind.returncode == 78 and "migrate" in behind.stderr
    applied, known = states(behind)
    assert applied == 0 and known >= 1
    for _ in range(2):
        done = empty.run("migrate", "--json")
        assert done.returncode == 0, done.stderr
        assert states(done) == (known, known)
    assert empty.run("status").returncode == 0
    assert migrations(empty) == list(range(1, known + 1))


def test_two_at_once_both_succeed_and_each_migration_is_applied_once(empty):
    running = [subprocess.Popen(empty.command("migrate", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True) for _ in range(4)]
    ends = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert all(code == 0 for _, code in ends), ends
    known = json.loads(ends[0][0][0])["known"]
    assert migrations(empty) == list(range(1, known + 1))


def test_a_database_newer_than_the_program_is_refused(empty):
    assert empty.run("migrate").returncode == 0
    empty.query("INSERT INTO counterfoil.migration (number, name, checksum) "
                "VALUES (9999, 'from the future', '')")
    for verb in ("migrate", "status"):
        done = empty.run(verb)
        assert done.returncode == 78 and "newer" in done.stderr, done.stderr


def test_a_migration_that_fails_leaves_nothing_behind(empty, tmp_path):
    sql = tmp_path / "sql"
    shutil.copytree(worlds.TOP / "sql", sql)
    number = max(int(path.name.split("_")[0]) for path in (sql / "migrations").glob("*.sql")) + 1
    broken = sql / "migrations" / f"{number:04d}_broken.sql"
    broken.write_text("CREATE TABLE counterfoil.half (id int);\nSELECT no_such_function();\n")
    done = empty.run("migrate", "--sql-dir", sql)
    assert done.returncode != 0 and broken.stem in done.stderr, done.stderr
    assert empty.query("SELECT to_regclass('counterfoil.half')") == [(None,)]
    broken.unlink()
    assert empty.run("migrate", "--sql-dir", sql).returncode == 0


def test_without_the_sql_it_says_where_it_looked(empty, tmp_path):
    done = empty.run("migrate", "--sql-dir", tmp_path / "nowhere")
    assert done.returncode not in (0, 70) and "nowhere" in done.stderr


def test_the_configuration_names_the_database_and_the_owner_is_the_role(cli):
    assert "The schema" in cli.good("db", "status")
    assert cli.json("db", "migrate")["applied"] >= 1


def test_a_role_that_does_not_own_the_schema_cannot_migrate(empty, cluster):
    empty.url = cluster.postgres.url(empty.name, "counterfoil_authd", worlds.Installation.PASSWORDS["counterfoil_authd"])
    done = empty.run("migrate")
    assert done.returncode != 0 and done.stderr.startswith("counterfoil: ")
    assert empty.query("SELECT count(*) FROM pg_namespace WHERE nspname = 'counterfoil'") == [(0,)]


def test_a_password_in_the_address_does_not_stay_in_the_list_of_processes(empty, cluster):
    """The migration waits for a lock that the test holds, so that there is time to look."""
    assert empty.run("migrate").returncode == 0
    with cluster.postgres.connect(empty.name) as blocker, blocker.cursor() as cursor:
        blocker.autocommit = False
        cursor.execute("LOCK TABLE counterfoil.migration")
        process = subprocess.Popen(empty.command("migrate"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            worlds.wait_until(lambda: empty.query(
                "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'"), "the migration to wait")
            seen = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
        finally:
            blocker.rollback()
            process.communicate(timeout=60)
    assert b"migrate" in seen and b"counterfoil_owner-of-a" not in seen
