"""counterfoil client: keys that are shown once and end at once."""

import re

import pytest
import requests
import world as worlds

KEY = re.compile(r"cf_[12][0-9a-f]{15}_[A-Za-z0-9_-]{43}")


def test_a_key_is_shown_once_and_is_in_no_list(cli):
    made = cli.json("client", "create", "a shop", "--scopes", "login,enroll")
    assert KEY.fullmatch(made["key"]) and made["key"].split("_")[1] == made["id"]
    assert made["name"] == "a shop" and made["realm"] == "store" and made["scopes"] == ["login", "enroll"]
    assert made["expires_at"] is None and made["revoked_at"] is None
    listed = [client for client in cli.json("client", "list")["clients"] if client["id"] == made["id"]]
    assert len(listed) == 1 and "key" not in listed[0]
    assert made["key"] not in cli.good("client", "list")


def test_the_same_for_a_person_to_read(cli):
    out = cli.good("client", "create", "readable", "--scopes", "login", "--realm", "staff", "--expires-in", "30")
    assert KEY.search(out) and "staff" in out and "never" in out
    assert "readable" in cli.good("client", "list", "--realm", "staff")


@pytest.mark.parametrize("name", ["", "x" * 65, "with\nnewline", "bell\x07"])
def test_a_name_has_bounds(cli, name):
    done = cli.run("client", "create", name, "--scopes", "login")
    assert done.returncode in (64, 65) and done.stdout == ""


def test_revoking_what_is_not_there_is_67(cli):
    for wrong in ("1" + "0" * 15, "nonsense", "x" * 900):
        cli.refused(67, "client", "revoke", wrong)


def test_revoking_ends_a_key_at_once_on_a_running_service(fresh_world):
    fresh_world.start()
    made = worlds.json.loads(fresh_world.counterfoil("client", "create", "leaky", "--scopes", "login,accounts", "--json"))
    api = fresh_world.api(key=made["key"])
    assert api.create_account("someone@example.com", "seven lanterns by the harbour").status_code == 201
    assert "Revoked" in fresh_world.counterfoil("client", "revoke", made["id"])
    reply = api.create_account("other@example.com", "seven lanterns by the harbour")
    assert reply.status_code == 401 and isinstance(reply, requests.Response)
    again = worlds.json.loads(fresh_world.counterfoil("client", "list", "--json"))["clients"]
    assert [client["revoked_at"] is not None for client in again if client["id"] == made["id"]] == [True]
