"""counterfoil keys: what is in the keyring, what a PAM host gets of it, and one more key."""

import os
import pathlib
import re
import shutil
import stat

import pytest
import offline_ticket
from conftest import Cli


@pytest.fixture
def own(cluster, tmp_path):
    """An installation whose keyring this test may change."""
    made = cluster.installation("keys")
    keyring = made.directory / "keyring"
    shutil.copy(made.keyring, keyring)
    keyring.chmod(0o400)
    made.keyring = keyring
    made.write_configuration({"api": 0, "pages": 0, "management": 0})
    try:
        yield Cli(made)
    finally:
        cluster.drop(made)


def lines(path):
    return [line.split() for line in pathlib.Path(path).read_text().splitlines() if line and line[0] != "#"]


def test_the_list_tells_numbers_and_no_key(own):
    assert own.json("keys", "list") == {"store": 1, "staff": 1, "service": 1}
    secrets = {line[3] for line in lines(own.place.keyring)}
    out = own.good("keys", "list")
    assert "staff" in out and not any(secret in out for secret in secrets)


def test_a_pam_host_gets_the_staff_keys_alone(own, tmp_path):
    target = tmp_path / "staff-keyring"
    assert "root" in own.good("keys", "extract", "staff", target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o400
    assert lines(target) == [line for line in lines(own.place.keyring) if line[0] == "staff"]
    before = target.read_bytes()
    assert "exists already" in own.refused(73, "keys", "extract", "staff", target)
    assert target.read_bytes() == before
    own.refused(73, "keys", "extract", "staff", tmp_path / "no/folder/keyring")
    own.place.keyring = target
    own.place.write_configuration({"api": 0, "pages": 0, "management": 0})
    assert own.json("keys", "list") == {"store": None, "staff": 1, "service": None}
    own.refused(78, "keys", "extract", "store", tmp_path / "other")


def test_R021_a_new_key_seals_and_what_the_old_one_sealed_still_opens(own):
    login = own.add()
    assert "Key 2" in own.good("keys", "add", "staff")
    assert own.json("keys", "list") == {"store": 1, "staff": 2, "service": 1}
    assert stat.S_IMODE(own.place.keyring.stat().st_mode) == 0o400
    newer = own.add()
    for who in (login, newer):
        assert own.json("account", "show", who, "--realm", "staff")["login"] == who
    sealed = own.place.postgres.query(own.place.database,
                                      "SELECT DISTINCT login_key_id FROM counterfoil.account WHERE realm <> 0 ORDER BY 1")
    assert sealed == [(1,), (2,)]


def test_two_who_add_at_once_lose_no_key(own):
    running = [own.start("keys", "add", "staff") for _ in range(8)]
    codes = [(process.communicate(timeout=60), process.returncode)[1] for process in running]
    assert set(codes) <= {0, 73} and 0 in codes
    assert own.json("keys", "list")["staff"] == 1 + codes.count(0)
    assert not own.place.keyring.with_name("keyring.new").exists()


def test_a_keyring_that_is_unfit_is_refused(own):
    own.place.keyring.chmod(0o440)
    assert "chmod" in own.refused(78, "keys", "list")
    own.place.keyring.chmod(0o400)
    own.place.keyring.rename(own.place.keyring.with_name("away"))
    assert "init" in own.refused(66, "keys", "list")
    own.refused(78, "account", "show", "x")


def test_root_reads_the_keyring_of_the_service_and_gives_it_back_as_it_was(own):
    if os.geteuid() != 0:       # only root can give a file away; anybody else reads no keyring but root's and their own
        return
    os.chown(own.place.keyring, 65534, 65534)
    assert own.add()
    own.good("keys", "add", "store")
    assert own.place.keyring.stat().st_uid == 65534
    own.place.keyring.parent.chmod(0o777)
    assert "owned by" in own.refused(78, "keys", "list")


def test_the_public_key_of_tickets_is_that_of_the_newest_service_key_and_no_secret(own, tmp_path):
    first = own.good("pam", "ticket-key")
    assert re.fullmatch(r"counterfoil-ticket-key [\w-]{43}\n", first) and own.good("pam", "ticket-key") == first
    ticket = offline_ticket.sign(offline_ticket.seed_of(own.place.keyring), "alice", "2f00", "SHA256:x", 1000, 2000)
    assert offline_ticket.is_signed(first, ticket, "alice", "2f00", "SHA256:x")
    own.good("keys", "add", "service")
    second = own.good("pam", "ticket-key")
    assert second != first
    ticket = offline_ticket.sign(offline_ticket.seed_of(own.place.keyring), "alice", "2f00", "SHA256:x", 1000, 2000)
    assert offline_ticket.is_signed(second, ticket, "alice", "2f00", "SHA256:x")
    staff = tmp_path / "staff-keyring"
    own.good("keys", "extract", "staff", staff)
    own.place.keyring = staff
    own.place.write_configuration({"api": 0, "pages": 0, "management": 0})
    done = own.run("pam", "ticket-key")
    assert done.returncode == 78 and done.stdout == "" and "no keys of realm service" in done.stderr
