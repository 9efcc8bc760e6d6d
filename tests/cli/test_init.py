"""counterfoil init: from nothing to a host that doctor calls healthy."""

import os
import re
import stat

import pytest
import world as worlds
from conftest import Cli


def test_it_writes_a_keyring_and_a_configuration_that_both_programs_read(cli, tmp_path):
    folder = tmp_path / "etc"
    out = cli.good("init", "--directory", folder, config=False)
    keyring, conf = folder / "keyring", folder / "authd.conf"
    assert str(keyring) in out and "safe, offline place" in out and "db migrate" in out
    assert stat.S_IMODE(keyring.stat().st_mode) == 0o400
    assert stat.S_IMODE(conf.stat().st_mode) & 0o137 == 0
    assert re.findall(r"^(\w+) (\w+) 1 [0-9a-f]{64}$", keyring.read_text(), re.M) == [
        (realm, purpose) for realm in ("store", "staff", "service") for purpose in ("digest", "seal")]
    assert f"keyring = {keyring}" in conf.read_text()
    assert cli.json("keys", "list", "--config", conf, config=False) == {"store": 1, "staff": 1, "service": 1}
    check = worlds.subprocess.run([worlds.installed("authd"), "--check", "--config", conf], capture_output=True, text=True,
                                  check=False)
    assert check.returncode == 78 and "certificate is missing" in check.stderr, check.stderr


def test_every_setting_is_there_commented_with_its_default(cli, tmp_path):
    cli.good("init", "--directory", tmp_path / "etc", config=False)
    text = (tmp_path / "etc/authd.conf").read_text()
    sections = re.findall(r"^\[(.*)\]$", text, re.M)
    assert len(sections) == len(set(sections))
    assert {"database", "keys", "realm store", "realm staff", "api", "pages", "management", "log", "workers"} <= set(sections)
    assert re.search(r"^#argon2_memory_kib = 47104$", text, re.M)
    # each commented line, taken in, is what would hold without it
    taken = re.sub(r"^#(\w+ = )", r"\1", text, flags=re.M)
    conf = worlds.write_private(tmp_path / "taken.conf", taken)
    cli.good("keys", "list", "--config", conf, config=False)


def test_R015_two_keyrings_are_never_the_same(cli, tmp_path):
    for name in ("a", "b"):
        cli.good("init", "--directory", tmp_path / name, config=False)
    one, two = (set(re.findall(r"[0-9a-f]{64}", (tmp_path / name / "keyring").read_text())) for name in ("a", "b"))
    assert len(one) == 6 and not one & two


@pytest.mark.parametrize("present", ["keyring", "authd.conf"])
def test_what_is_there_is_never_touched(cli, tmp_path, present):
    (tmp_path / present).write_text("mine")
    assert "exists already" in cli.refused(73, "init", "--directory", tmp_path, config=False)
    assert [path.name for path in tmp_path.iterdir()] == [present] and (tmp_path / present).read_text() == "mine"


def test_a_dangling_link_is_something_that_is_there(cli, tmp_path):
    (tmp_path / "keyring").symlink_to(tmp_path / "elsewhere/keyring")
    cli.refused(73, "init", "--directory", tmp_path, config=False)


def test_places_that_are_no_places(cli, tmp_path):
    (tmp_path / "file").write_text("")
    cli.refused(64, "init", "--directory", "relative", config=False)
    cli.refused(73, "init", "--directory", tmp_path / "file", config=False)
    cli.refused(73, "init", "--directory", tmp_path / "no/parent", config=False)


def test_root_gives_the_files_to_the_user_who_runs_authd(cli, tmp_path):
    if os.geteuid() != 0:
        cli.refused(77, "init", "--directory", tmp_path / "etc", "--user", "nobody", config=False)
        return
    cli.good("init", "--directory", tmp_path / "etc", "--user", "nobody", config=False)
    keyring, conf = tmp_path / "etc/keyring", tmp_path / "etc/authd.conf"
    assert keyring.owner() == "nobody" and stat.S_IMODE(keyring.stat().st_mode) == 0o400
    assert conf.owner() == "root" and stat.S_IMODE(conf.stat().st_mode) == 0o640
    cli.good("keys", "list", "--config", conf, config=False)
    cli.refused(67, "init", "--directory", tmp_path / "etc2", "--user", "no-such-user", config=False)
    assert not (tmp_path / "etc2").exists()


def test_R015_from_nothing_to_a_key(cli, cluster, tmp_path):
    """The operator's first hour, as docs/operations.md tells it."""
    name, folder = "first_hour", tmp_path / "etc"
    url = f"host=127.0.0.1 port={cluster.postgres.port} dbname={name} passfile={cluster.template.passfile}"
    out = cli.good("init", "--directory", folder, "--url", url, "--database", cluster.postgres.url(), config=False)
    assert "roles are in the database" in out
    cluster.postgres.query("postgres", f"CREATE DATABASE {name} OWNER counterfoil_owner")
    try:
        class Place:
            configuration = folder / "authd.conf"
        host = Cli(Place)
        assert host.run("db", "status").returncode == 78
        host.good("db", "migrate")
        for who in ("account WHERE realm <> 0", "client"):      # 0: nobody's accounts, for decoys
            assert cluster.postgres.query(name, f"SELECT count(*) FROM counterfoil.{who}") == [(0,)], "nobody is there yet"
        assert host.json("client", "create", "shop", "--realm", "store", "--scopes", "login,enroll,accounts")["key"]
        checks = {check["name"]: check["state"] for check in worlds.json.loads(host.run("doctor", "--json").stdout)["checks"]}
        assert checks["database"] == checks["schema"] == checks["keys"] == checks["clock"] == "ok", checks
        assert checks["authd"] == "wrong"       # its certificate is still missing
    finally:
        cluster.postgres.query("postgres", f"DROP DATABASE {name} WITH (FORCE)")


def test_roles_need_a_superuser_that_answers(cli, tmp_path):
    done = cli.run("init", "--directory", tmp_path / "etc", "--database",
                   f"postgresql://postgres@127.0.0.1:{worlds.free_port()}/postgres", config=False)
    assert done.returncode == 69 and not (tmp_path / "etc").exists()
