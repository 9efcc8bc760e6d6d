"""pam.conf and the PAM line: strict, checked for who could have written them, and never a reason to let anybody in."""

import os

import pytest

GOOD = ("seven lanterns", "123456")


def refused(done, detail):
    """SERVICE_ERR before any prompt, with the reason in the one line of the log."""
    assert done["auth"] == "SERVICE_ERR" and done.prompts == [] and done.told == []
    assert (done.entry.priority, done.entry["reason"]) == ("CRIT", "misconfigured")
    assert detail in done.entry["detail"], done.entry
    return True


BAD_TEXTS = [
    ("factors = otp\n", "pam.conf:1:1: a key before the first section"),
    ("[default]\nnonsense = 1\n", "pam.conf:2:1: there is no key"),
    ("[default]\nattempts = 1\nattempts = 1\n", "pam.conf:3:1: attempts is there twice"),
    ("[default]\n[default]\n", "pam.conf:2:1: the section [default] is there twice"),
    ('[service "a"]\n[service "a"]\n', "is there twice"),
    ("[service desk]\n", "a section is [default] or"),
    ('[service ""]\n', "a section is [default] or"),
    ('[service "a/b"]\n', "no name of a service"),
    ("[Default]\n", "a section is [default] or"),
    ("[default] # why\n", "a section is [default] or"),
    ("[default]\nattempts\n", "neither a [section] nor"),
    ("[default]\nattempts =\n", "attempts is not a whole number"),
    ("[default]\nattempts = 0\n", "attempts is out of range"),
    ("[default]\nattempts = 4\n", "attempts is out of range"),
    ("[default]\nattempts = 01\n", "attempts is not a whole number"),
    ("[default]\nattempts = -1\n", "attempts is not a whole number"),
    ("[default]\nattempts = 99999999999999999999\n", "attempts is out of range"),
    ("[default]\ntimeout_total = 31\n", "timeout_total is out of range"),
    ("[default]\nfactors = otp, password\n", "pam.conf:2:11: factors is none of the words"),
    ("[default]\nfail = open\n", "fail is none of the words that it may be: closed ignore_unavailable"),
    ("[default]\nfail = \n", "fail is none of the words"),
    ("[default]\naccept_recovery = true\n", "accept_recovery is neither yes nor no"),
    ("[default]\nunenrolled = ignore\n", "unenrolled = ignore needs unenrolled_until"),
    ("[default]\nunenrolled_until = 2026-02-30\n", "is not a day of the calendar"),
    ("[default]\nunenrolled_until = tomorrow\n", "is not written YYYY-MM-DD"),
    ("[default]\nprompt_otp = %s\n", "holds a % that is neither"),
    ("[default]\nprompt_otp = %\n", "holds a % that is neither"),
    ('[default]\nprompt_otp = "code: \n', "a quoted value ends in its second"),
    ("[default]\nprompt_otp = " + "x" * 129 + "\n", "prompt_otp is empty or longer than 128 bytes"),
    ("[default]\nexempt_groups = !admins\n", "takes names with a space between"),
    ("[default]\nexempt_groups = admin*\n", "takes names with a space between"),
    ("[default]\nexempt_users = backup # not root\n", "takes names with a space between"),
    ("[default]\nexempt_groups = robots #but never staff\n", "takes names with a space between"),
    ("[default]\nexempt_users = a,b\n", "takes names with a space between"),
    ("[default]\nexempt_users = " + "x" * 1025 + "\n", "is longer than 1024 bytes"),
    *((f"[default]\nenroll_cidrs = {value}\n", "enroll_cidrs takes networks with a space between") for value in (
        "192.0.2.1/24", "192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/024", "192.0.2.0/ 24", "192.0.2.0/24,192.0.3.0/24",
        "192.0.2/24", "0300.0.2.0/24", "2001:db8::1/32", "2001:db8::/129", "2001:db8::/-1", "::ffff:192.0.2.0/120", "host.example/24",
        "192.0.2.0/24 /8", "10.0.0.0/8 !10.1.0.0/16", "192.0.2.0/24/1", "fe80::%eth0/64")),
    ("[default]\nenroll_cidrs = " + "10.0.0.0/8 " * 94 + "\n", "is longer than 1024 bytes"),
    ("[default]\nprompt_otp = a\x1b[31m\n", "a control character"),
    ("[default]\nprompt_otp = a\x00b\n", "a control character"),
    ("[default]\r\n", "a control character"),
    ("\ufeff[default]\n", "neither a [section] nor"),
    ("[default]\n" + "# " + "x" * 2048 + "\n", "the line is longer than 2048 bytes"),
    ('[service "other"]\nnonsense = 1\n', "pam.conf:2:1: there is no key"),
    ("[default]\nfactors = otp\noffline = ticket\n", "offline = ticket needs backend = authd"),
    ("[default]\nbackend = authd\noffline = ticket\n", "offline = ticket needs factors = otp"),
    ("[default]\nbackend = authd\nfactors = otp\noffline = ticket\n", "offline = ticket is for sshd alone"),
    ("[default]\noffline = yes\n", "offline is none of the words that it may be: off recovery ticket"),
    ("[default]\noffline = recovery\n", "offline = recovery needs factors = otp"),
    ("[default]\nfactors = combined\noffline = recovery\n", "offline = recovery needs factors = otp"),
    ("[default]\nfactors = otp\naccept_recovery = no\noffline = recovery\n", "offline = recovery needs accept_recovery = yes"),
]


@pytest.mark.parametrize("text, detail", BAD_TEXTS)
def test_what_is_not_understood_is_an_error_with_file_line_and_column(desk, text, detail):
    desk.configure(text=text + ("fail = ignore_unavailable\n" if text.startswith("[default]\nattempts") else ""))
    assert refused(desk.run(answers=GOOD), detail)


def test_a_byte_that_is_not_utf8_is_an_error(desk):
    desk.conf.write_bytes(b"[default]\nprompt_otp = \xff\n")
    assert refused(desk.run(answers=GOOD), "a control character, or not UTF-8")


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "[default]", "[default]\n\n\t \n  # x\n factors=password+otp",
                                  '[service "other"]\nfactors = otp\n',
                                  pytest.param("[default]\n" + "# x\n" * 12000, id="long")])
def test_odd_but_good_files_are_good(desk, text):
    desk.configure(text=text)
    done = desk.run(answers=GOOD)
    assert done["auth"] == "SUCCESS" and len(done.prompts) == 2


def test_a_service_overrides_the_default_wherever_it_stands(desk):
    desk.configure(text='[service "desk"]\nfactors = otp\nfail_delay_ms = 0\n[service "other"]\nfactors = password\n'
                        "[default]\nfactors = password+otp\n")
    assert desk.run(answers=["123456"])["auth"] == "SUCCESS"
    assert desk.asked()[0]["factors"] == "2"
    assert desk.run(service="elsewhere", answers=GOOD)["auth"] == "SUCCESS"
    assert desk.run(service="elsewhere", line="profile=other", answers=["pw"])["auth"] == "SUCCESS"
    assert desk.asked()[0]["factors"] == "3" and desk.asked()[0]["service"] == "elsewhere"
    assert desk.run(line="factors=password", answers=["pw"])["auth"] == "SUCCESS"


BAD_LINES = [
    ("nonsense", "option nonsense: there is none of this name"),
    ("alwaysok", "there is none of this name"),
    ("nullok", "there is none of this name"),
    ("debug debug", "option debug: is there twice"),
    ("debug=1", "there is none of this name"),
    ("factors=otp factors=otp", "is there twice"),
    ("factors=", "needs a value"),
    ("factors=none", "factors=none: is none of the words"),
    ("profile=", "needs a value"),
    ("conf=relative/pam.conf", "twice"),
    ("use_first_pass try_first_pass", "excludes"),
    ("factors=otp use_first_pass", "factors=otp has no password"),
    ("factors=otp forward_pass", "factors=otp has no password"),
    ("FACTORS=otp", "there is none of this name"),
    ("password=secret", "there is none of this name"),
]


@pytest.mark.parametrize("line, detail", BAD_LINES)
def test_an_option_that_is_not_understood_refuses_everybody(desk, line, detail):
    assert refused(desk.run(answers=GOOD, line=line), detail)


def test_the_path_of_the_configuration_is_absolute_and_bounded(desk):
    for path in ("relative/pam.conf", "/" + "x" * 300):
        assert refused(desk.run(answers=GOOD, conf=False, line=f"conf={path}"), "absolute path")
    assert refused(desk.run(answers=GOOD, conf=False), "there is no such file")


# --- who could have written it --------------------------------------------------------------------------------------

def make_link(desk):
    real = desk.directory / "real.conf"
    desk.conf.rename(real)
    desk.conf.symlink_to(real)


def make_linked_folder(desk):
    (desk.directory.parent / "link").symlink_to(desk.directory)
    desk.conf = desk.directory.parent / "link" / "pam.conf"


def make_fifo(desk):
    desk.conf.unlink()
    os.mkfifo(desk.conf, 0o600)


def make_folder(desk):
    desk.conf.unlink()
    desk.conf.mkdir(0o700)


def make_second_name(desk):
    os.link(desk.conf, desk.directory / "second")


def make_long(desk):
    desk.conf.write_text("#" * 99 + "\n" + ("#" * 99 + "\n") * 656)


SPOILS = {
    "writable by the group": (lambda d: d.conf.chmod(0o664), "writable by group or others"),
    "writable by others": (lambda d: d.conf.chmod(0o646), "writable by group or others"),
    "a symbolic link": (make_link, "is a symbolic link"),
    "a folder on the way is a link": (make_linked_folder, "a folder above it is a link"),
    "a FIFO": (make_fifo, "is not a regular file"),
    "a folder": (make_folder, "is not a regular file"),
    "a second name": (make_second_name, "hard link"),
    "64 KiB and more": (make_long, "is larger than 64 KiB"),
    "absent": (lambda d: d.conf.unlink(), "there is no such file"),
    "the folder is writable by the group": (lambda d: d.directory.chmod(0o770), "a folder above it is writable"),
    "a folder above is writable by others": (lambda d: d.directory.parent.chmod(0o707), "a folder above it is writable"),
    "a sticky folder of others' writing, not root's": (lambda d: make_strangers_sticky(d), "a folder above it"),
}
SPOILS_OF_ROOT = {
    "another user's": (lambda d: os.chown(d.conf, 65534, 65534), "belongs to another user"),
    "in another user's folder": (lambda d: os.chown(d.directory, 65534, 65534), "a folder above it belongs to another"),
}


def make_strangers_sticky(desk):
    """Sticky protects only where the folder is root's."""
    if os.geteuid() == 0:
        os.chown(desk.directory, 65534, 65534)
    desk.directory.chmod(0o1777)


@pytest.mark.parametrize("what", [*SPOILS, *(SPOILS_OF_ROOT if os.geteuid() == 0 else ())])
def test_a_file_that_somebody_else_could_have_written_is_not_read(desk, what):
    spoil, detail = {**SPOILS, **SPOILS_OF_ROOT}[what]
    desk.configure(fail="ignore_unavailable")
    spoil(desk)
    done = desk.run(answers=GOOD)
    desk.directory.parent.chmod(0o700)
    assert refused(done, detail)
    assert int(done.entry["ms"]) < 1000 and desk.asked() == []


def test_a_sticky_folder_of_roots_is_good_enough(desk):
    assert os.stat("/tmp").st_mode & 0o1777 == 0o1777 and str(desk.directory).startswith("/tmp/")
    assert desk.run(answers=GOOD)["auth"] == "SUCCESS"
