"""An ssh key and a one-time code, with the shipped stack to the letter and the configuration that it asks for."""

import time

import pytest

import breakglass_host
import offline_ticket
import service_host
import staff_machine
import world as worlds

SHELL = ["echo granted-$(whoami)"]
KEYS = {"AuthenticationMethods": "publickey,keyboard-interactive:pam"}


@pytest.fixture
def machine(machine):
    machine.stack_file("sshd", "sshd-publickey-totp")
    machine.configure('[service "sshd"]', "require_ssh_publickey = yes", "account = require_mfa")
    return machine


def sign_in(sshd, person, answers, key=None, methods="publickey,keyboard-interactive"):
    return staff_machine.Talk(sshd.ssh(person.login, SHELL, key=key, PreferredAuthentications=methods), answers)


def test_a_key_and_a_code_lead_to_a_shell(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine, KEYS)
    key = sshd.key(alice.login)
    mark, code = machine.syslog.mark(), alice.code()
    done = sign_in(sshd, alice, [code], key)
    assert done.granted == alice.login and done.prompts == ["Verification code: "]
    auth, account = machine.entries(mark, 2)[:2]
    fingerprint = staff_machine.worlds.run("ssh-keygen", "-lf", f"{key}.pub").split()[1]
    assert (auth["result"], auth["factors"], auth["sshkey"]) == ("allow", "otp", fingerprint)
    assert (account["event"], account["result"]) == ("account", "allow")
    assert sign_in(sshd, alice, [code], key).granted is None       # the same code again
    sshd.stop()


def test_neither_is_enough_alone(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine, KEYS)
    key = sshd.key(alice.login)
    mark = machine.syslog.mark()
    assert sign_in(sshd, alice, [alice.wrong_code()], key).granted is None
    assert machine.entries(mark, event="auth")[0]["reason"] == "wrong_code"
    assert sign_in(sshd, alice, [], key, methods="publickey").granted is None
    assert sign_in(sshd, alice, [alice.code()], None, methods="keyboard-interactive").granted is None
    sshd.stop()


def test_a_code_without_a_key_is_refused_even_where_sshd_would_take_it(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine)
    mark = machine.syslog.mark()
    done = sign_in(sshd, alice, [alice.code()], None, methods="keyboard-interactive")
    assert done.granted is None and done.prompts == []
    assert machine.entries(mark, event="auth")[0]["reason"] == "no_publickey"
    sshd.stop()


def test_a_key_without_a_code_is_refused_even_where_sshd_would_take_it(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine)
    key = sshd.key(alice.login)
    mark = machine.syslog.mark()
    done = staff_machine.Talk(sshd.ssh(alice.login, SHELL, key=key, PreferredAuthentications="publickey", LogLevel="INFO"), [])
    assert done.granted is None and "A second factor is required here." in done.output
    entry = machine.entries(mark, event="account")[0]
    assert (entry["pam"], entry["reason"]) == ("PERM_DENIED", "no_second_factor")
    machine.configure('[service "sshd"]', "require_ssh_publickey = yes")
    assert sign_in(sshd, alice, [], key, methods="publickey").granted == alice.login
    sshd.stop()


def test_a_locked_account_is_refused_whatever_key_its_owner_has(machine):
    machine.configure('[service "sshd"]', "account = status")
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine)
    key = sshd.key(alice.login)
    assert sign_in(sshd, alice, [], key, methods="publickey").granted == alice.login
    machine.lock(alice)
    mark = machine.syslog.mark()
    assert sign_in(sshd, alice, [], key, methods="publickey").granted is None
    entry = machine.entries(mark, event="account")[0]
    assert (entry["pam"], entry["reason"]) == ("PERM_DENIED", "locked")
    sshd.stop()


def test_a_robot_comes_in_by_its_key_alone_and_nobody_else_does(machine):
    """As the guide for a fleet has it: a group, which sshd asks for a key only and the module leaves alone."""
    machine.configure('[service "sshd"]', "require_ssh_publickey = yes", "account = require_mfa", "exempt_groups = robots")
    machine.run_inside("groupadd", "--system", "robots")
    machine.settle("robot", groups=["robots"])
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine, {**KEYS, "Match": "Group robots\n\tAuthenticationMethods publickey"})
    robots, hers = sshd.key("robot"), sshd.key(alice.login)

    def come(login, key, methods="publickey,keyboard-interactive"):
        return staff_machine.Talk(sshd.ssh(login, SHELL, key=key, PreferredAuthentications=methods), alice.answers)
    mark = machine.syslog.mark()
    done = come("robot", robots)
    assert done.granted == "robot" and done.prompts == []
    entry = machine.entries(mark, event="account")[0]
    assert (entry["user"], entry["result"], entry["reason"]) == ("robot", "ignore", "exempt")
    assert come(alice.login, hers, "publickey").granted is None           # her key, without a code
    assert come(alice.login, robots, "publickey").granted is None         # the robot's key
    assert come("robot", hers).granted is None
    done = come("robot", None)                                            # a code of somebody's and no key
    assert done.granted is None and done.prompts == []
    sshd.stop()


# --- the first authenticator ------------------------------------------------------------------------------------------

def test_behind_a_key_somebody_without_an_authenticator_enrols_at_the_login(machine):
    machine.stack_file("sshd", "sshd-password-totp")
    machine.configure('[service "sshd"]', "unenrolled = enroll")
    bob = machine.hire(enrolled=False)
    sshd = staff_machine.Sshd(machine, KEYS)
    key, mark, code = sshd.key(bob.login), machine.syslog.mark(), machine.issue(bob)
    spawned = sshd.ssh(bob.login, SHELL, key=key, PreferredAuthentications="publickey,keyboard-interactive")
    shown, typed = staff_machine.answer(spawned, "Password: $", bob.password), []
    for pattern, text in (("Verification code: $", lambda: "000000"), ("Enrolment code: $", lambda: code),
                          ("app this key:\r\n  ((?:[A-Z2-7]{4} ?){8})\r\nThen type the code that it shows: $",
                           lambda: typed.append(bob.code()) or bob.code(30)),
                          ("type that code: $", typed.pop), ("press Enter: $", lambda: "")):
        spawned.expect(pattern)
        shown += spawned.before + spawned.after
        if spawned.match.groups():
            bob.seed = spawned.match[1].replace(" ", "")
        spawned.sendline(text())
    spawned.expect(f"granted-{bob.login}\r")
    assert "\x1b" not in shown and len(staff_machine.re.findall(r"(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}", shown)) == 10 + 1
    auth = machine.entries(mark, event="auth")[0]
    assert (auth["result"], auth["reason"], auth["sshkey"][:7]) == ("allow", "enrolled", "SHA256:")
    machine.forget_step(bob)
    assert sign_in(sshd, bob, bob.answers, key).granted == bob.login
    sshd.stop()


# --- an outage --------------------------------------------------------------------------------------------------------

TICKETS = "[helper]\nrun_directory = /run/counterfoil-pam\n[breakglass]\ndirectory = /run/counterfoil-outage\n"


@pytest.fixture
def service(machine):
    """The service that the machine asks, for tickets too."""
    made = service_host.StaffService(machine)
    key = made.key()
    for name, text, mode in (("host.key", key + "\n", 0o600), ("service-ca.pem", made.certificates.ca.read_text(), 0o644),
                             ("ticket-key.pub", machine.installation.counterfoil("pam", "ticket-key"), 0o644)):
        worlds.write_private(machine.path(f"/etc/counterfoil/{name}"), text, mode)
    worlds.write_private(machine.helper_conf, service_host.authd_section(
        url=made.host_url, host_key_file="/etc/counterfoil/host.key", ca_file="/etc/counterfoil/service-ca.pem",
        ticket_key_file="/etc/counterfoil/ticket-key.pub") + TICKETS)
    made.id = key.split("_")[1]
    yield made
    made.stop()
    machine.path("/etc/counterfoil/host.key").unlink()


def test_in_an_outage_the_same_key_gets_in_without_a_code_for_as_long_as_the_ticket_lives(machine, service):
    machine.configure('[service "sshd"]', "require_ssh_publickey = yes", "account = status", "offline = ticket", "factors = otp",
                      backend="authd", timeout_total=20)
    machine.stack_file("sudo", "sudo")
    machine.path("/etc/sudoers").write_text("Defaults !fqdn\nDefaults passwd_tries=1\n%sudo ALL=(ALL:ALL) ALL\n")
    alice = machine.hire(unix_password="unix password of the host", groups=["sudo"])
    sshd = staff_machine.Sshd(machine, KEYS)
    key = sshd.key(alice.login)
    other, fingerprint = sshd.client / "other", worlds.run("ssh-keygen", "-lf", f"{key}.pub").split()[1]
    public, _ = offline_ticket.key_pair(other)
    authorized = machine.path(f"/home/{alice.login}/.ssh/authorized_keys")
    authorized.write_text(f"{authorized.read_text()}{public}\n")
    assert sign_in(sshd, alice, [alice.code()], key).granted == alice.login
    ticket, = machine.path("/run/counterfoil-pam/tickets").iterdir()
    service.authd.stop()
    done = sign_in(sshd, alice, [alice.code()], key)
    assert done.granted is None and done.prompts == ["Verification code: "], "the outage is too young"
    outage = breakglass_host.Codes(machine.path("/run/counterfoil-outage"))
    outage.pretend_outage()
    mark = machine.syslog.mark()
    spawned = sshd.ssh(alice.login, key=key, PreferredAuthentications="publickey,keyboard-interactive")
    spawned.expect("no code is asked for")      # sshd shows it to who gets a shell
    assert "Verification code" not in spawned.before
    spawned.sendline("echo granted-$(whoami); exit")
    assert staff_machine.Talk(spawned, []).granted == alice.login
    auth, account = machine.entries(mark, 2)[:2]
    assert (auth["result"], auth["reason"], auth["offline"], auth["sshkey"], auth.priority) == (
        "allow", "granted", "ticket", fingerprint, "ALERT")
    assert (account["event"], account["result"]) == ("account", "allow")
    assert any("offline_ticket_used" in line and line.startswith("1 ") for line in machine.syslog.since(mark))
    done = sign_in(sshd, alice, ["123456"], other)
    assert (done.granted, done.prompts) == (None, ["Verification code: "])
    mark = machine.syslog.mark()
    spawned = machine.spawn_inside("runuser", "-u", alice.login, "--", "sudo", "id", "-un")
    shown = staff_machine.converse(spawned, [(r"\[sudo\] password for \S+: $", "unix password of the host"),
                                             ("Verification code: $", "123456")])
    assert "root" not in shown and machine.entries(mark, event="auth")[0]["reason"] == "unavailable"
    now = int(time.time())
    expired = offline_ticket.sign(offline_ticket.seed_of(machine.installation.keyring), alice.login, service.id, fingerprint,
                                  now - 61, now - 1)
    good = ticket.read_text()
    for text, granted in ((f"{expired} {good.split()[1]}\n", None), (good, alice.login)):
        ticket.unlink()
        worlds.write_private(ticket, text, 0o400)
        assert sign_in(sshd, alice, ["123456"], key).granted == granted
    service.authd.start()
    machine.forget_step(alice)
    assert sign_in(sshd, alice, [alice.code()], key).granted == alice.login
    assert [event[1] for event in machine.events("offline_ticket_used")] == ["ok", "ok"]
    sshd.stop()
