"""counterfoil pam check: what is wrong with a host's sign-in, and how to mend it."""

import subprocess

import pytest

import breakglass_host
import offline_ticket
import service_host
import staff_machine
import world as worlds

STACK = "auth required pam_counterfoil.so\naccount required pam_counterfoil.so\n"


class Check:
    """pam-check over a folder of stacks, with the configuration of a staff host."""

    def __init__(self, staff, folder):
        self.staff = staff
        self.folder = folder

    def run(self, *arguments, **stacks):
        for path in self.folder.iterdir():
            path.unlink()
        for name, text in stacks.items():
            (self.folder / name).write_text(text)
        done = subprocess.run([worlds.installed("pam-check"), "--conf", self.staff.conf, "--pam-dir", self.folder, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == ""
        self.status = done.returncode
        return done.stdout


@pytest.fixture
def check(staff, tmp_path):
    staff.configure(account="status")
    staff.write_helper_conf()
    yield Check(staff, tmp_path)
    staff.configure()
    staff.write_helper_conf()


def test_a_host_in_order_is_said_to_be(check):
    out = check.run(desk=STACK)
    assert check.status == 0 and "wrong" not in out, out
    assert "ok       stack" in out and "ok       back end" in out


@pytest.mark.parametrize("text, words", [
    ("auth [success=ok default=ignore] pam_counterfoil.so\n", ["desk:1", "anybody gets past it"]),
    ("auth optional pam_counterfoil.so\n", ["optional: its refusal refuses nobody"]),
    ("-auth required pam_counterfoil.so\n", ["take the '-' away"]),
    ("auth required pam_counterfoil.so nullok\n", ["option nullok", "there is none of this name"]),
    ("# a comment\nauth required /lib/security/pam_counterfoil.so debug debug\n", ["desk:2", "is there twice"]),
    ("auth [success=1 default=die] pam_counterfoil.so\nauth required pam_unix.so\n", ["a jump is no success"]),
    ("auth required pam_permit.so\nauth [success=1 default=die] pam_counterfoil.so\nauth required pam_deny.so\n",
     ["desk:2", "a jump is no success"]),
    ("auth sufficient pam_unix.so\nauth required pam_counterfoil.so factors=otp\n",
     ["desk:1", "leads past", "desk:2", "does not ask for a code"]),
    ("auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_counterfoil.so factors=otp\n"
     "auth required pam_permit.so\n", ["desk:1", "leads past"]),
    ("auth [success=done default=die] pam_sss.so\nauth required pam_counterfoil.so factors=otp\n", ["desk:1", "leads past"]),
    ("auth [success=ok auth_err=ignore default=die] pam_counterfoil.so\n", ["auth_err is passed over"]),
    ("auth [success=ok perm_denied=1 default=die] pam_counterfoil.so\n", ["perm_denied is passed over"]),
    ("auth [success=ok default=1] pam_counterfoil.so\nauth required pam_deny.so\nauth required pam_permit.so\n",
     ["anybody gets past it"]),
    ("AUTH Optional pam_counterfoil.so\n", ["optional: its refusal refuses nobody"]),
    ("auth \\\n  optional \\\n  pam_counterfoil.so\n", ["desk:1", "optional: its refusal refuses nobody"]),
    ("auth required pam_counterfoil.so factors=opt\n", ["factors=opt", "none of the words"]),
    ("auth required pam_counterfoil.so factors=otp use_first_pass\n", ["no password to take"]),
])
def test_a_stack_that_is_worth_nothing_is_wrong(check, text, words):
    out = check.run(desk=text + "account required pam_counterfoil.so\n")
    assert check.status == 78 and all(word in out for word in words), out


@pytest.mark.parametrize("text, words", [
    ("auth sufficient pam_counterfoil.so\naccount required pam_counterfoil.so\n", "left to the modules behind it"),
    ("auth required pam_counterfoil.so\n", "no account line"),
    ("auth [success=1 default=ignore] pam_succeed_if.so user ingroup robots\n" + STACK, "desk:1: it leads past"),
    ("account sufficient pam_localuser.so\n" + STACK, "desk:1: it leads past"),
])
def test_a_stack_with_a_weakness_is_a_warning(check, text, words):
    out = check.run(desk=text)
    assert check.status == 0 and "warning  stack" in out and words in out, out


@pytest.mark.parametrize("options, words", [
    ("factors=password", "nobody is asked for a code"),
    ("factors=otp", "a code alone is enough"),
    ("profile=nowhere", "profile=nowhere, and there is no such section"),
])
def test_an_option_with_a_weakness_is_a_warning(check, options, words):
    out = check.run(desk=f"auth required pam_counterfoil.so {options}\naccount required pam_counterfoil.so\n")
    assert check.status == 0 and "warning  configuration" in out and words in out, out


# What Debian's pam-auth-update makes of our profile.
COMMON = {
    "common-auth": "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n"
                   "auth required pam_counterfoil.so factors=otp\nauth optional pam_cap.so\n",
    "common-account": "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\n"
                      "account required pam_permit.so\naccount required pam_counterfoil.so\n",
}


@pytest.mark.parametrize("text", [
    "auth required pam_unix.so\nauth required pam_counterfoil.so factors=otp\naccount required pam_counterfoil.so\n",
    "auth sufficient pam_rootok.so\n" + STACK,
    "auth [success=1 default=die] pam_counterfoil.so\nauth requisite pam_deny.so\nauth required pam_unix.so\n"
    "account required pam_counterfoil.so\n",
    "auth substack password-auth\nauth required pam_counterfoil.so factors=otp\naccount required pam_counterfoil.so\n",
    "@include common-auth\n@include common-account\n",
    "auth include common-auth\naccount include common-account\n",
])
def test_a_stack_that_is_safe_is_no_finding(check, text):
    out = check.run(**COMMON, desk=text)
    assert check.status == 0 and "wrong" not in out and "warning  stack" not in out and "a code alone" not in out, out
    assert out.count("ok       stack") == 1


def test_a_way_past_in_a_file_that_is_included_is_found_where_it_is(check):
    common = {"common-auth": "# the host's own\nauth sufficient pam_unix.so\n"}
    out = check.run(**common, desk="@include common-auth\n" + STACK)
    assert check.status == 78 and "common-auth:2: it leads past" in out, out


def test_an_offline_setting_by_which_nobody_gets_in_is_wrong(check):
    check.staff.configure("offline = recovery", account="status")
    out = check.run(desk=STACK)
    assert check.status == 78 and "service desk: offline = recovery needs factors = otp" in out, out
    out = check.run(desk="auth required pam_unix.so\nauth required pam_counterfoil.so factors=otp\n")
    assert "needs factors = otp" not in out


def test_the_shipped_stacks_are_in_order(check):
    stacks = {path.name.split("-")[0] + str(number): path.read_text() for number, path in
              enumerate(sorted(staff_machine.PACKAGING.iterdir()))}
    out = check.run(**stacks)
    assert check.status == 0 and out.count("ok       stack") == len(stacks) == 6, out


def test_a_bad_configuration_and_a_missing_one_are_wrong(check):
    check.staff.configure(nonsense=1)
    out = check.run(desk=STACK)
    assert check.status == 78 and "pam.conf:2:1: there is no key" in out
    check.staff.conf.unlink()
    assert "there is no such file" in check.run(desk=STACK) and check.status == 78
    assert "there is no such file" in check.run() and check.status == 78


def test_what_lowers_the_guard_is_said_in_plain_words(check):
    check.staff.configure(fail="ignore_unavailable", unenrolled="ignore", unenrolled_until="2999-01-01")
    out = check.run(desk=STACK)
    assert "whoever can drop packets removes the second factor" in out
    assert "who has no second factor passes" in out and "account = off" in out


def test_training_that_nobody_looks_at_is_a_warning(check):
    check.staff.configure(training="require")
    assert "training: nobody looks at it while account = off" in check.run(desk=STACK) and check.status == 0
    check.staff.configure(training="require", account="status")
    assert "nobody looks at it" not in check.run(desk=STACK)


@pytest.mark.parametrize("keys, words", [
    ({"unenrolled": "ignore", "unenrolled_until": "2999-01-01"}, "whom the auth phase ignores, the account phase refuses"),
    ({"fail": "ignore_unavailable"}, "whom the auth phase ignores, the account phase refuses"),
    ({"unknown_user": "ignore"}, "whom the auth phase ignores, the account phase refuses"),
    ({"require_ssh_publickey": "yes"}, "everywhere else nobody gets in"),
])
def test_settings_that_shut_somebody_out_by_accident_are_a_warning(check, keys, words):
    check.staff.configure(account="require_mfa", **keys)
    out = check.run(desk=STACK)
    assert check.status == 0 and words in out, out
    check.staff.configure(account="status" if "require_ssh_publickey" not in keys else "require_mfa")
    assert words not in check.run(desk=STACK)


def test_a_back_end_that_is_away_or_misconfigured_is_wrong(check):
    check.staff.write_helper_conf({("keys", "keyring"): "/nonexistent/keyring"})
    out = check.run(desk=STACK)
    assert check.status == 78 and "wrong    back end" in out and "/nonexistent/keyring" in out
    check.staff.write_helper_conf()
    with check.staff.database_stopped():
        assert "wrong    back end" in check.run(desk=STACK)


def test_an_account_is_looked_up_without_an_attempt(check):
    alice = check.staff.hire()
    bob = check.staff.hire(enrolled=False)
    events = len(check.staff.events())
    assert f"{alice.login}: active, with a second factor" in check.run("--user", alice.login, desk=STACK)
    assert f"{bob.login}: active, without a second factor" in check.run("--user", bob.login, desk=STACK)
    assert "there is no account nobody-here" in check.run("--user", "nobody-here", desk=STACK) and check.status == 78
    assert len(check.staff.events()) == events
    check.staff.lock(alice)
    assert f"{alice.login}: locked" in check.run("--user", alice.login, desk=STACK)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["more"], ["--service", "../x"], ["--conf", "relative"]])
def test_a_wrong_command_line_is_a_usage_error(staff, arguments):
    done = subprocess.run([worlds.installed("pam-check"), *arguments], capture_output=True, timeout=20, check=False)
    assert done.returncode == 64


def test_the_command_line_starts_it(staff, tmp_path):
    done = subprocess.run([worlds.installed("counterfoil"), "--config", staff.conf, "pam", "check", "--service", "no-such-service"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert "no service in /etc/pam.d uses pam_counterfoil.so" in done.stdout and done.returncode == 0, done


def test_the_files_that_a_host_begins_with_are_good(check):
    packaging = worlds.TOP / "packaging/pam"
    check.staff.configure(text=(packaging / "pam.conf").read_text())
    assert check.run(desk=STACK) and check.status == 0
    begun = (packaging / "pam-helper.conf").read_text()
    worlds.write_private(check.staff.helper_conf, begun.replace("/etc/counterfoil/staff-keyring",
                                                                str(check.staff.directory / "keyring"))
                         + f"[helper]\nrun_directory = {check.staff.directory}/run\n")
    out = check.run(desk=STACK)
    assert "misconfigured" not in out and "pam-helper.conf:" not in out and "unavailable" in out, out


def test_break_glass_codes_are_told_with_how_many_are_left_and_a_file_that_others_read_is_wrong(check, staff):
    staff.configure("factors = otp", "offline = recovery", account="status")
    glass = breakglass_host.Breakglass(staff)
    glass.clear()
    out = check.run(desk=STACK)
    assert "warning  break-glass   offline = recovery, and nobody has codes on this host" in out and check.status == 0, out
    alice, bob = staff.hire(enrolled=False), staff.hire(enrolled=False)
    glass.issue(alice)
    assert f"ok       break-glass   {alice.login} has 8 until 20" in check.run(desk=STACK)
    glass.issue(bob, count=2)
    out = check.run(desk=STACK)
    assert f"{bob.login} has 2 until" in out and "warning  break-glass" in out and "counterfoil breakglass issue" in out
    glass.codes.path.chmod(0o644)
    out = check.run(desk=STACK)
    assert "wrong    break-glass" in out and "chmod 0600" in out and check.status == 78, out
    glass.clear()


def test_tickets_for_another_service_than_sshd_or_without_the_key_to_verify_them_are_said_to_be_wrong(check, staff):
    far = service_host.ServiceHost(staff.directory / "far", "https://localhost:1", staff.cluster.certificates,
                                   staff.installation.make_client("web1", realm="staff", scopes=("pam",)))
    host = offline_ticket.TicketHost(far, staff.installation)
    check.staff = far.configure("offline = ticket", "factors = otp", account="status", fail="ignore_unavailable")
    out = check.run("--service", "desk", desk=STACK)
    assert "service desk: offline = ticket is for sshd alone" in out and check.status == 78, out
    assert "ok       tickets       1 public key of the service, tickets of 0 people" in out, out
    assert "fail = ignore_unavailable asks nobody for a ticket" in out
    host.public.unlink()
    out = check.run("--service", "sshd", sshd=STACK)
    assert "wrong    tickets" in out and "counterfoil pam ticket-key" in out and "for sshd alone" not in out, out
