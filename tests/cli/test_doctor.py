"""counterfoil doctor: each seeded fault is found, named, and comes with a way to mend it."""

import json
import shutil

import pytest
import world as worlds
from conftest import Cli


@pytest.fixture
def patient(cluster):
    """A healthy installation that the test makes ill."""
    made = cluster.installation("patient")
    keyring = made.directory / "own-keyring"
    shutil.copy(made.keyring, keyring)
    keyring.chmod(0o400)
    made.keyring = keyring
    made.write_configuration({"api": 0, "pages": 0, "management": 0})
    try:
        yield made
    finally:
        cluster.drop(made)


def examine(place, *arguments):
    done = Cli(place).run("doctor", "--json", *arguments)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["healthy"] else 78)
    return {check["name"]: check for check in report["checks"]}


def wrong(place, name, *said):
    """NAME, and nothing before it, is wrong; the report says SAID and what to do."""
    checks = examine(place)
    assert checks[name]["state"] == "wrong", checks
    assert checks[name]["mend"]
    for text in said:
        assert text in checks[name]["what"], checks[name]
    return checks


def change(place, section, key, value):
    place.write_configuration({"api": 0, "pages": 0, "management": 0}, changes={(section, key): value})


def test_a_healthy_installation_is_healthy(patient):
    checks = examine(patient)
    assert {name: check["state"] for name, check in checks.items() if name != "time service"} == {
        name: "ok" for name in ("configuration", "keyring", "blocklist", "authd", "database", "schema", "keys",
                             "clock")}
    assert checks["time service"]["state"] in ("ok", "warning")
    text = Cli(patient).good("doctor")
    assert "ok" in text and "wrong" not in text


def test_a_configuration_that_does_not_parse(patient):
    with open(patient.configuration, "a", encoding="utf-8") as conf:
        conf.write("[realm store]\nbogus = 1\n")
    wrong(patient, "configuration", "authd.conf:", "bogus")


def test_a_configuration_that_is_not_there(patient):
    patient.configuration.unlink()
    wrong(patient, "configuration", "no such file")


def test_a_keyring_that_others_may_read(patient):
    patient.keyring.chmod(0o404)
    wrong(patient, "keyring", "chmod")


def test_a_keyring_that_is_gone_or_damaged(patient):
    text = patient.keyring.read_text()
    patient.keyring.unlink()
    wrong(patient, "keyring", "no such file")
    worlds.write_private(patient.keyring, text.replace("staff seal", "staff soul"), 0o400)
    wrong(patient, "keyring", "own-keyring:")


def test_a_list_of_common_passwords_that_is_gone_or_damaged(patient):
    path = patient.directory / "blocklist"
    change(patient, "passwords", "blocklist", "")
    assert examine(patient)["blocklist"]["state"] == "warning"
    words = patient.directory / "words"
    words.write_text("".join(f"word number {number}\n" for number in range(5000)))
    Cli(patient).good("blocklist", "build", "--output", path, words)
    change(patient, "passwords", "blocklist", path)
    assert examine(patient)["blocklist"]["what"] == "5000 common passwords"
    data = bytearray(path.read_bytes())
    data[3000] ^= 1
    path.write_bytes(data)
    wrong(patient, "blocklist", "damaged")
    path.unlink()
    assert examine(patient)["blocklist"]["state"] in ("warning", "wrong")


def test_a_listener_without_its_certificate(patient):
    change(patient, "api", "certificate", "/nowhere/api.pem")
    wrong(patient, "authd", "/nowhere/api.pem")


def test_R018_a_policy_below_the_floor(patient):
    change(patient, "realm staff", "argon2_memory_kib", "12288")
    checks = examine(patient)
    assert any(check["state"] == "wrong" and "argon2_memory_kib" in check["what"] for check in checks.values()), checks


def test_a_database_that_does_not_answer(patient):
    change(patient, "database", "url", f"host=127.0.0.1 port={worlds.free_port()} dbname=none")
    wrong(patient, "database", "counterfoil_admin")


def test_a_role_that_may_not_log_in(patient):
    change(patient, "database", "url", f"host=127.0.0.1 port={patient.postgres.port} dbname={patient.database}")
    wrong(patient, "database", "counterfoil_admin")         # no passfile, no password


def test_a_schema_that_is_behind(patient):
    patient.postgres.query(patient.database, "DELETE FROM counterfoil.migration WHERE number > 0")
    assert "db migrate" in wrong(patient, "schema")["schema"]["mend"]


def test_R036_clocks_that_are_apart(patient):
    patient.postgres.query(patient.database, "CREATE OR REPLACE FUNCTION counterfoil.now_utc() RETURNS timestamptz "
                           "LANGUAGE sql STABLE AS $$ SELECT now() + interval '95 seconds' $$")
    wrong(patient, "clock")
