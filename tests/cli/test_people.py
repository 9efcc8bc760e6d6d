"""Factors, resets by two, off-boarding, training, export and erasure: what an operator does with people."""

import datetime
import json
import time

import pytest
import world as worlds
from conftest import PASSWORD, Cli


class Person:
    """Somebody with an authenticator and recovery codes, each of which signs them in once."""

    def __init__(self, cli, realm="staff"):
        self.cli = cli
        self.realm = realm
        self.login = cli.add(realm=realm)
        pending = cli.json("enroll", self.login, "--realm", realm, "--no-confirm")
        code = worlds.totp(pending["secret"], time.time())
        self.factor = pending["factor_id"]
        self.codes = cli.json("enroll", self.login, "--realm", realm, "--confirm", self.factor,
                              text=code + "\n")["recovery_codes"]

    def secrets(self):
        """Password and code, as --password-stdin takes them."""
        return f"{PASSWORD}\n{self.codes.pop()}\n"

    def show(self):
        return self.cli.json("account", "show", self.login, "--realm", self.realm)


@pytest.fixture(scope="module")
def people(cluster):
    """An installation whose resets have no delay, with two of staff in it."""
    made = cluster.installation("people")
    made.write_configuration({"api": 0, "pages": 0, "management": 0}, changes={
        ("realm store", "recovery_delay_s"): 0, ("realm staff", "recovery_delay_s"): 0})
    cli = Cli(made)
    cli.first, cli.second = Person(cli), Person(cli)
    try:
        yield cli
    finally:
        cluster.drop(made)


def reset(cli, person, by, *what):
    return cli.run("account", "reset", person.login, "--realm", person.realm, "--by", by.login, "--password-stdin", *what,
                   text=by.secrets())


# --- factors --------------------------------------------------------------------------------------------------------

def test_factors_are_listed_without_a_seed_and_revoked_one_by_one_or_all(cli):
    person = Person(cli)
    listed = cli.json("factors", "list", person.login, "--realm", "staff")
    assert [(factor["id"], factor["state"], factor["kind"]) for factor in listed["factors"]] == [
        (person.factor, "active", "totp")]
    assert listed["recovery_codes_left"] == 10
    assert "secret" not in json.dumps(listed) and "seed" not in json.dumps(listed)
    assert person.factor in cli.good("factors", "list", person.login, "--realm", "staff")
    cli.refused(64, "factors", "revoke", person.login, "some", "--realm", "staff")
    cli.refused(67, "factors", "revoke", person.login, "00000000-0000-4000-8000-000000000000", "--realm", "staff")
    assert person.factor in cli.good("factors", "revoke", person.login, person.factor, "--realm", "staff")
    assert not person.show()["second_factor"]
    cli.refused(73, "factors", "revoke", person.login, person.factor, "--realm", "staff")
    cli.json("enroll", person.login, "--realm", "staff", "--no-confirm")
    cli.good("factors", "revoke", person.login, "all", "--realm", "staff")
    states = {factor["state"] for factor in cli.json("factors", "list", person.login, "--realm", "staff")["factors"]}
    assert states == {"revoked"}


# --- resets ---------------------------------------------------------------------------------------------------------

def test_R052_two_of_staff_give_an_account_back_and_the_owner_sets_a_password_with_the_ticket(people):
    lost = Person(people, "store")
    people.refused(67, "account", "reset", lost.login)
    assert reset(people, lost, people.first, "--reason", "phone in the river").returncode == 0
    asked = people.json("account", "reset", lost.login)
    assert asked["reason"] == "phone in the river" and asked["approved_by"] is None
    assert reset(people, lost, people.first, "--reason", "again").returncode == 73     # the same person twice
    assert reset(people, lost, people.first, "--complete").returncode == 73           # not approved
    done = reset(people, lost, people.second, "--reason", "spoke to her", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["approved"] is True
    done = reset(people, lost, people.first, "--complete", "--json")
    assert done.returncode == 0, done.stderr
    ticket = json.loads(done.stdout)["ticket"]
    assert not lost.show()["second_factor"] and not lost.show()["has_password"]
    fresh = "a quite new one for the harbour"
    people.refused(77, "account", "use-ticket", lost.login, "--password-stdin", text=f"{'A' * 43}\n{fresh}\n")
    people.refused(65, "account", "use-ticket", lost.login, "--password-stdin", text=f"{ticket}\nshort\n")
    people.good("account", "use-ticket", lost.login, "--password-stdin", text=f"{ticket}\n{fresh}\n")
    assert lost.show()["has_password"]
    people.refused(77, "account", "use-ticket", lost.login, "--password-stdin", text=f"{ticket}\n{fresh}\n")


def test_a_reset_is_called_off(people):
    lost = Person(people, "store")
    assert reset(people, lost, people.first, "--reason", "lost").returncode == 0
    assert reset(people, lost, people.second, "--cancel").returncode == 0
    people.refused(67, "account", "reset", lost.login)
    assert reset(people, lost, people.second, "--cancel").returncode == 67
    assert lost.show()["second_factor"]


def test_R052_the_delay_is_waited_for(cli):
    first, second, lost = Person(cli), Person(cli), Person(cli, "store")
    for by in (first, second):
        assert reset(cli, lost, by, "--reason", "lost").returncode == 0
    asked = cli.json("account", "reset", lost.login)
    assert asked["due_at"] > asked["approved_at"]
    assert reset(cli, lost, first, "--complete").returncode == 73
    assert lost.show()["second_factor"]


def test_R052_nobody_resets_their_own_account_and_no_customer_resets_anybody(people):
    mine = people.first
    assert reset(people, mine, mine, "--reason", "me").returncode == 77
    customer, lost = Person(people, "store"), Person(people, "store")
    done = reset(people, lost, customer, "--reason", "please")
    assert done.returncode == 77 and "not accepted" in done.stderr
    people.refused(67, "account", "reset", lost.login)


@pytest.mark.parametrize("text, code", [(f"{PASSWORD}\n000000\n", 77), ("not the password at all\n123456\n", 77),
                                        (f"{PASSWORD}\n", 77), (f"{PASSWORD}\nnonsense\n", 77), ("", 66)])
def test_staff_prove_themselves_with_both_factors(people, text, code):
    lost, by = Person(people, "store"), Person(people)
    said = people.refused(code, "account", "reset", lost.login, "--by", by.login, "--reason", "x", "--password-stdin", text=text)
    assert PASSWORD not in said
    people.refused(67, "account", "reset", lost.login)


def test_an_account_without_a_second_factor_cannot_vouch_for_anybody(people):
    lost, by = Person(people, "store"), people.add()
    people.refused(77, "account", "reset", lost.login, "--by", by, "--reason", "x", "--password-stdin",
                   text=f"{PASSWORD}\n000000\n")


@pytest.mark.parametrize("what", [["--by", "x"], ["--reason", "x"], ["--complete"], ["--by", "x", "--complete", "--cancel"],
                                  ["--by", "x", "--reason", "y", "--cancel"]])
def test_the_options_of_a_reset_belong_together(cli, what):
    cli.refused(64, "account", "reset", "somebody", *what)


def test_a_terminal_asks_staff_for_both(people):
    lost, by = Person(people, "store"), people.second
    shown = people.terminal("account", "reset", lost.login, "--by", by.login, "--reason", "lost")
    shown.expect(f"Password for {by.login}: ")
    shown.sendline(PASSWORD)
    shown.expect("Code: ")
    assert PASSWORD not in shown.before
    shown.sendline(by.codes.pop())
    shown.expect("Asked for")
    shown.read()
    shown.close()
    assert shown.exitstatus == 0


# --- staff ----------------------------------------------------------------------------------------------------------

def test_who_leaves_loses_everything_and_the_proof_counts_it(cli):
    leaver = Person(cli)
    proof = cli.json("staff", "offboard", leaver.login, "--reason", "last day")
    assert proof["login"] == leaver.login and proof["factors"] == 1 and proof["recovery_codes"] == 10
    after = leaver.show()
    assert after["state"] == "disabled" and not after["has_password"] and not after["second_factor"]
    assert "no host that can ask lets it in" in cli.good("staff", "offboard", Person(cli).login)
    cli.refused(67, "staff", "offboard", "nobody-here")
    cli.refused(67, "staff", "offboard", cli.add(realm="store"))
    cli.refused(65, "staff", "offboard", leaver.login, "--reason", "bell\x07")


def test_training_is_required_recorded_and_reported(cli):
    late, done = cli.add(), cli.add()
    cli.good("training", "require", late, "--due", "2020-02-29")
    cli.good("training", "record", done)
    report = {person["login"]: person for person in cli.json("training", "report")["staff"]}
    assert report[late]["overdue"] and report[late]["due_at"] == "2020-02-29T23:59:59Z"
    assert report[late]["completed_at"] is None
    due = datetime.datetime.fromisoformat(report[done]["due_at"].replace("Z", "+00:00"))
    assert not report[done]["overdue"] and report[done]["completed_at"] is not None
    assert 364 <= (due - datetime.datetime.now(datetime.timezone.utc)).days <= 365
    assert "OVERDUE since" in cli.good("training", "report")
    cli.good("training", "record", late, "--due", "2099-12-31")
    assert not {person["login"]: person for person in cli.json("training", "report")["staff"]}[late]["overdue"]


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "2026-1-1", "tomorrow", "1969-12-31", "2026-01-011", "26-01-01xx"])
def test_a_day_that_is_no_day_is_64(cli, day):
    cli.refused(64, "training", "require", "somebody", "--due", day)
    cli.refused(64, "training", "require", "somebody")


def test_training_is_for_staff_that_exists(cli):
    cli.refused(67, "training", "record", "nobody-here")
    cli.refused(67, "training", "require", cli.add(realm="store"), "--due", "2099-01-01")


# --- privacy --------------------------------------------------------------------------------------------------------

def test_everything_about_a_person_is_printed_but_secrets(cli):
    person = Person(cli, "store")
    out = cli.good("account", "export", person.login)
    exported = json.loads(out)
    assert person.login in out and exported
    for secret in (PASSWORD, "argon2", person.codes[0]):
        assert secret not in out
    cli.refused(67, "account", "export", "nobody-here")


def test_erasing_takes_a_yes_and_forgets(cli, place):
    person = Person(cli, "store")
    before = person.show()["id"]
    assert "--yes" in cli.refused(64, "account", "erase", person.login)
    assert before in cli.good("account", "erase", person.login, "--yes")
    cli.refused(67, "account", "show", person.login)
    assert place.postgres.query(place.database, "SELECT state, login_sealed FROM counterfoil.account WHERE id = %s",
                                (before,)) == [("erased", None)]
