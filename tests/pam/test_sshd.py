"""A real sshd on loopback, Debian's own, with the shipped stacks to the letter."""

import contextlib
import os
import socket
import subprocess

import psycopg2
import pytest

import staff_machine
import world as worlds

SHELL = ["echo granted-$(whoami)"]


@pytest.fixture(scope="module")
def sshd(a_machine):
    a_machine.stack_file("sshd", "sshd-password-totp")
    made = staff_machine.Sshd(a_machine)
    yield made
    made.stop()


def talk(sshd, person, answers=None, **options):
    return staff_machine.Talk(sshd.ssh(person.login, SHELL, **options), person.answers if answers is None else answers)


def sshd_says(machine, mark, text):
    """sshd's own line, which comes when the module's is out."""
    return worlds.wait_until(lambda: any(text in line for line in machine.syslog.since(mark)),
                             f"sshd to say {text}: {machine.syslog.since(mark)}")


def refused(machine, sshd, person, answers, code, reason):
    mark = machine.syslog.mark()
    done = talk(sshd, person, answers)
    assert done.granted is None and done.status == 255
    entry = machine.entries(mark, event="auth")[0]
    assert (entry["pam"], entry["reason"]) == (code, reason), entry
    assert sshd_says(machine, mark, f"Failed keyboard-interactive/pam for {person.login}")
    return entry


def test_password_and_code_lead_to_a_shell(machine, sshd):
    alice = machine.hire()
    mark = machine.syslog.mark()
    done = talk(sshd, alice)
    assert done.granted == alice.login
    assert done.prompts == ["Password: ", "Verification code: "]
    auth, account, opened = machine.entries(mark, 3)[:3]
    assert (auth["result"], auth["reason"], auth.priority) == ("allow", "granted", "INFO")
    assert (auth["user"], auth["rhost"], auth["service"], auth["host"], auth["tty"]) == (
        alice.login, "127.0.0.1", "sshd", "web1", "ssh")
    assert (account["event"], account["result"]) == ("account", "off")
    assert (opened["event"], opened["user"]) == ("session_open", alice.login)
    assert [event[:3] for event in machine.events() if event[3] == auth["request_id"]] == [
        ("login_password", "challenge", "password_right"), ("login_code", "granted", "granted")]


def test_wrong_password_wrong_code_replayed_code_and_locked_account_are_refused(machine, sshd):
    alice = machine.hire()
    refused(machine, sshd, alice, ["not " + alice.password, alice.code()], "AUTH_ERR", "wrong_password")
    refused(machine, sshd, alice, [alice.password, alice.wrong_code()], "AUTH_ERR", "wrong_code")
    answers = alice.answers
    assert talk(sshd, alice, answers).granted == alice.login
    refused(machine, sshd, alice, answers, "AUTH_ERR", "code_replayed")
    assert talk(sshd, alice, [alice.password, alice.recovery_codes[0]]).granted == alice.login
    machine.lock(alice)
    machine.forget_step(alice)
    refused(machine, sshd, alice, alice.answers, "AUTH_ERR", "locked")


def test_nobody_gets_in_while_the_database_is_stopped_and_everybody_does_afterwards(machine, sshd):
    alice = machine.hire()
    with machine.database_stopped():
        entry = refused(machine, sshd, alice, alice.answers, "AUTHINFO_UNAVAIL", "unavailable")
        assert entry.priority == "ERR" and int(entry["ms"]) < 10000
    assert talk(sshd, alice).granted == alice.login


def test_an_sshd_that_answers_every_prompt_with_the_password_is_found_out(machine):
    alice = machine.hire()
    sshd = staff_machine.Sshd(machine, {"KbdInteractiveAuthentication": "no", "PasswordAuthentication": "yes"})
    mark, events = machine.syslog.mark(), len(machine.events())
    done = talk(sshd, alice, PreferredAuthentications="password")
    assert done.granted is None
    entry = machine.entries(mark, event="auth")[0]
    assert (entry["pam"], entry["reason"], entry.priority) == ("CONV_ERR", "blind_conversation", "WARNING")
    assert entry["detail"] == "set KbdInteractiveAuthentication yes and PasswordAuthentication no"
    assert len(machine.events()) == events          # no attempt was burnt
    machine.configure(blind_conversation="combined")
    done = talk(sshd, alice, [alice.password + alice.code()], PreferredAuthentications="password")
    assert done.granted == alice.login
    sshd.stop()


@pytest.mark.parametrize("login", ["root", "nobody-here"])
def test_whoever_sshd_lets_in_by_no_means_gets_the_same_prompts_and_counts_for_nobody(machine, sshd, login):
    alice = machine.hire()
    if login == "root":
        root = staff_machine.staff_host.Person("root", alice.password)
        machine.installation.counterfoil("account", "add", "--realm", "staff", "--password-stdin", "root",
                                         input=root.password + "\n")
    mark, events = machine.syslog.mark(), len(machine.events())
    done = staff_machine.Talk(sshd.ssh(login, SHELL), [alice.password, "123456"])
    assert done.granted is None and done.prompts == ["Password: ", "Verification code: "]
    entry = machine.entries(mark, event="auth")[0]
    assert (entry["pam"], entry["reason"]) == ("AUTH_ERR", "sshd_junk")
    assert {event[2] for event in machine.events()[events:]} == {"unknown_login"}
    if login == "root":
        assert machine.query("SELECT count(*) FROM counterfoil.event WHERE account_id = %s AND kind = 'login_password'",
                             (machine.account_id(root),)) == [(0,)]


def test_no_name_that_only_the_host_or_only_counterfoil_knows_or_nobody_can_have_leads_to_a_shell(machine, sshd):
    """sshd asks for each as for anybody.  It knows who has no account on the host, and answers for them with its junk.
    (Its client refuses to send "-x"; the console takes it.)"""
    alice = machine.hire()
    stranger = machine.hire_elsewhere()        # has an account of Counterfoil and none on the host
    machine.settle("only-on-host")
    junk = [stranger.login, alice.login.upper(), "+x", "../x", "a b", "émile", "x" * 256]
    for login in ["only-on-host", *junk]:
        mark, events = machine.syslog.mark(), len(machine.events())
        done = staff_machine.Talk(sshd.ssh(login, SHELL), [stranger.password, stranger.code()])
        assert done.granted is None and done.prompts == ["Password: ", "Verification code: "], login
        entry = machine.entries(mark, event="auth")[0]
        assert (entry["pam"], entry["reason"]) == (("AUTH_ERR", "sshd_junk") if login in junk else
                                                   ("USER_UNKNOWN", "unknown_login")), login
        assert ("user" in entry.fields) == (login == "only-on-host")
        assert {event[2] for event in machine.events()[events:]} == {"unknown_login"}, login
    assert machine.query("SELECT count(*) FROM counterfoil.event WHERE account_id = ANY(%s::uuid[]) AND kind LIKE 'login%%'",
                         ([machine.account_id(alice), machine.account_id(stranger)],)) == [(0,)]
    assert talk(sshd, alice).granted == alice.login


@pytest.mark.parametrize("answered", [0, 1])
def test_a_client_that_hangs_up_at_a_prompt_leaves_nothing_running(machine, sshd, answered):
    alice = machine.hire()
    at_rest(machine)
    spawned = sshd.ssh(alice.login, SHELL)
    for answer in alice.answers[:answered]:
        spawned.expect(": $")
        spawned.sendline(answer)
    spawned.expect("code: $" if answered else "Password: $")
    spawned.close(force=True)
    at_rest(machine)


def test_a_client_that_hangs_up_while_its_factors_are_verified_leaves_nothing_either(machine, sshd):
    alice = machine.hire()
    at_rest(machine)
    spawned = sshd.ssh(alice.login, SHELL)
    with contextlib.closing(psycopg2.connect(machine.postgres.url(machine.installation.database))) as holder:
        holder.cursor().execute("LOCK TABLE counterfoil.account IN ACCESS EXCLUSIVE MODE")
        for answer in alice.answers:
            spawned.expect(": $")
            spawned.sendline(answer)
        worlds.wait_until(lambda: "pam-helper" in processes(machine), "the helper")
        spawned.close(force=True)
        at_rest(machine)


def test_a_machine_without_a_log_daemon_lets_people_in(machine, sshd):
    alice = machine.hire()
    log = machine.path("/dev/log")
    log.rename(log.with_name("log-away"))
    try:
        assert talk(sshd, alice).granted == alice.login
    finally:
        log.with_name("log-away").rename(log)


def processes(machine):
    """What runs on the machine that has to do with signing in, but for sshd itself, which listens."""
    lines = machine.run_inside("ps", "-e", "-o", "comm=,args=").stdout.splitlines()
    names = [line.split()[0] for line in lines if "[listener]" not in line]
    return sorted(name for name in names if name in ("sshd", "pam-helper", "bash", "sudo"))


def at_rest(machine):
    worlds.wait_until(lambda: not processes(machine), "sshd to be alone")


def test_the_address_in_the_log_is_numeric_whatever_a_name_server_says(machine):
    machine.path("/etc/hosts").write_text("127.0.0.1 lying.example localhost\n")
    sshd = staff_machine.Sshd(machine, {"UseDNS": "yes"})
    alice = machine.hire()
    mark = machine.syslog.mark()
    assert talk(sshd, alice).granted == alice.login
    entry = machine.entries(mark, event="auth")[0]
    assert entry["rhost"] == "127.0.0.1"
    assert {event[4] for event in machine.events() if event[3] == entry["request_id"]} == {"127.0.0.1"}
    sshd.stop()


class LoneSshd(staff_machine.Sshd):
    """sshd on a network of its own, where there is the machine alone, with a link-local address too."""

    PROGRAM = "/run/lone-sshd"

    def __init__(self, machine, settings):
        program = machine.path(self.PROGRAM)
        program.write_text("#!/bin/sh -e\nip link set lo up\nip address add fe80::1/64 dev lo nodad\n"
                           'exec /usr/sbin/sshd "$@"\n')
        program.chmod(0o755)
        super().__init__(machine, {"ListenAddress": "::", **settings}, ("unshare", "--net", self.PROGRAM))

    def _listens(self):
        """sshd writes its number behind the last thing that can fail."""
        return self.machine.path(f"/run/sshd-{self.port}.pid").exists()

    def ssh(self, *arguments, **changes):
        number = self.machine.path(f"/run/sshd-{self.port}.pid").read_text().strip()
        return super().ssh(*arguments, **changes, through=self.machine.inside("nsenter", "-t", number, "--net"))


def address_told(machine, person, spawned):
    """The address in the module's line, which is that in the trail."""
    mark = machine.syslog.mark()
    assert staff_machine.Talk(spawned, person.answers).granted == person.login
    machine.forget_step(person)
    entry = machine.entries(mark, event="auth")[0]
    assert {event[4] for event in machine.events() if event[3] == entry["request_id"]} == {entry["rhost"]}
    return entry["rhost"]


def test_a_client_of_ipv6_is_named_by_its_address_and_a_link_local_one_without_its_interface(machine):
    machine.path("/etc/hosts").write_text("127.0.0.1 localhost\n::1 lying.example\nfe80::1 lying.example\n")
    machine.write_helper_conf({("database", "url"): f"host={machine.postgres.sockets} port={machine.postgres.port} "
                               f"dbname={machine.installation.database} passfile={machine.installation.passfile}"})
    sshd = LoneSshd(machine, {"UseDNS": "yes"})
    alice = machine.hire()
    assert address_told(machine, alice, sshd.ssh(alice.login, SHELL, host="::1")) == "::1"
    assert address_told(machine, alice, sshd.ssh(alice.login, SHELL, host="fe80::1%lo")) == "fe80::1"
    sshd.stop()


def test_a_client_of_ipv4_at_a_socket_for_both_is_named_by_its_ipv4_address(machine, sshd):
    """As behind a socket of systemd's: sshd gets a connection from ::ffff:127.0.0.1."""
    alice = machine.hire()
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as door:
        door.settimeout(60)
        spawned = sshd.ssh(alice.login, SHELL, port=door.getsockname()[1])
        connection, peer = door.accept()
    with connection:
        assert peer[0] == "::ffff:127.0.0.1"
        os.set_blocking(connection.fileno(), True)
        server = subprocess.Popen(machine.inside("/usr/sbin/sshd", "-i", "-f", sshd.configuration),
                                  stdin=connection, stdout=connection, stderr=subprocess.DEVNULL)
    assert address_told(machine, alice, spawned) == "127.0.0.1"
    assert server.wait(60) is not None


def test_a_client_with_ten_thousand_devices_is_stopped_by_the_throttle_though_sshd_lets_it_go_on(machine):
    sshd = staff_machine.Sshd(machine, {"MaxAuthTries": "100"})
    alice = machine.hire()
    tries = 9
    mark = machine.syslog.mark()
    done = talk(sshd, alice, ["wrong", alice.wrong_code()] * tries, NumberOfPasswordPrompts=tries,
                KbdInteractiveDevices=",".join(["pam"] * 10000))
    assert done.granted is None and len(done.prompts) == 2 * tries
    reasons = [entry["reason"] for entry in machine.entries(mark, tries, event="auth")]
    assert reasons == ["wrong_password"] * 5 + ["throttled"] * (tries - 5)
    refused(machine, sshd, alice, alice.answers, "AUTH_ERR", "throttled")
    sshd.stop()


def test_a_module_that_has_had_enough_ends_the_connection(machine):
    machine.configure(attempts=2)
    sshd = staff_machine.Sshd(machine, {"MaxAuthTries": "20"})
    alice = machine.hire()
    mark = machine.syslog.mark()
    done = talk(sshd, alice, ["wrong", alice.code()] * 8, NumberOfPasswordPrompts="8")
    assert done.granted is None and len(done.prompts) == 4
    entries = machine.entries(mark, event="auth")
    assert [(entry["pam"], entry["reason"]) for entry in entries] == [("MAXTRIES", "tries_used_up")]
    sshd.stop()


def test_one_sign_in_carries_scp_sftp_rsync_and_git(machine, sshd, tmp_path):
    alice = machine.hire()
    control = sshd.client / "control"
    mark = machine.syslog.mark()
    master = sshd.ssh(alice.login, arguments=["-M", "-N"], ControlPath=control)
    for answer in alice.answers:
        master.expect(": $")
        master.sendline(answer)
    worlds.wait_until(control.exists, "the connection to stand")
    source = tmp_path / "file"
    source.write_text("carried")
    options = ["-F", "none", *sshd.options(ControlPath=control, BatchMode="yes")]
    target = f"{alice.login}@127.0.0.1"
    worlds.run("scp", *options, "-P", sshd.port, source, f"{target}:by-scp")
    worlds.run("sftp", *options, "-P", sshd.port, "-b", "-", target, input=f"put {source} by-sftp\n")
    remote = ["ssh", *map(str, options), "-p", str(sshd.port)]
    worlds.run("rsync", "-e", " ".join(remote), source, f"{target}:by-rsync")
    home = machine.path(f"/home/{alice.login}")
    worlds.run("git", "init", "-q", "-b", "main", tmp_path)
    git = ["git", "-C", tmp_path, "-c", "user.name=Alice", "-c", "user.email=alice@shop.example",
           "-c", "core.sshCommand=" + " ".join(remote)]
    worlds.run(*git, "add", "file")
    worlds.run(*git, "commit", "-q", "-m", "carried")
    machine.run_inside("runuser", "-u", alice.login, "--", "git", "init", "-q", "--bare", f"/home/{alice.login}/by-git")
    worlds.run(*git, "push", "-q", f"{target}:by-git", "main")
    assert worlds.run(*git, "ls-remote", f"{target}:by-git", "main").startswith(worlds.run(*git, "rev-parse", "main").strip())
    assert {(home / name).read_text() for name in ("by-scp", "by-sftp", "by-rsync")} == {"carried"}
    assert len(machine.entries(mark, event="auth")) == 1
    master.close(force=True)


def test_a_password_that_must_change_is_changed_in_the_same_connection(machine, sshd):
    machine.configure(account="status")
    alice = machine.hire()
    machine.installation.counterfoil("account", "set-password", "--realm", "staff", "--password-stdin", alice.login,
                                     input="the operator's choice\n")
    fresh = "twelve lanterns on the quay"
    done = talk(sshd, alice, ["the operator's choice", alice.code(), "the operator's choice", fresh, fresh])
    assert done.granted == alice.login
    assert done.prompts[2:] == ["Password: ", "New password: ", "New password again: "]
    alice.password = fresh
    machine.forget_step(alice)
    assert talk(sshd, alice).granted == alice.login


def test_pam_check_knows_what_sshd_makes_of_its_settings(machine):
    """The program of the build, with sshd's own answer about a configuration of ours."""
    folder = machine.path("/etc/ssh/check")
    folder.mkdir(exist_ok=True)
    machine.configure(account="status")
    machine.stack_file("sshd", "sshd-password-totp")
    machine.run_inside("ssh-keygen", "-A")

    def check(**settings):
        (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in {**staff_machine.Sshd.DEFAULTS,
                                                                                      **settings}.items()))
        machine.run_inside("cp", worlds.installed("pam-check"), "/run/pam-check")
        return machine.run_inside("/run/pam-check", "--conf", "/etc/counterfoil/pam.conf", "--service", "sshd",
                                  "--sshd-config", "/etc/ssh/check/config", check=False)
    assert "ok       sshd" in check().stdout
    for settings, words in (({"PasswordAuthentication": "yes"}, "answers every prompt with the password"),
                            ({"KbdInteractiveAuthentication": "no"}, "nobody can be asked for a code"),
                            ({"UsePAM": "no"}, "no module is asked"), ({"LoginGraceTime": "20"}, "too short to type")):
        done = check(**settings)
        assert words in done.stdout, done.stdout
    machine.configure(blind_conversation="combined", account="status")
    assert "answers every prompt" not in check(PasswordAuthentication="yes").stdout
    machine.configure(account="status")
    machine.stack_file("sshd", "sshd-publickey-totp")
    behind_keys = "publickey,keyboard-interactive:pam"
    for methods, alone in (("any", True), ("keyboard-interactive:pam", True), (f"{behind_keys} keyboard-interactive", True),
                           (behind_keys, False), (f"publickey {behind_keys}", False)):
        done = check(AuthenticationMethods=methods)
        assert ("a code alone is enough" in done.stdout) == alone and (done.returncode != 0) >= alone, done.stdout
    machine.configure(account="status", require_ssh_publickey="yes")
    assert "a code alone is enough" not in check(AuthenticationMethods="any").stdout
