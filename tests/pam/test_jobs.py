"""cron and at jobs run while the service is away, with the module in their stacks."""

import world as worlds


def put_module_into(machine, service):
    path = machine.path(f"/etc/pam.d/{service}")
    path.write_text("account required pam_counterfoil.so\n" + path.read_text() + "session optional pam_counterfoil.so\n")


def test_a_cron_job_runs_while_the_database_is_away(machine):
    machine.configure(account="status")
    put_module_into(machine, "cron")
    machine.run_inside("chgrp", "crontab", "/var/spool/cron/crontabs")
    machine.run_inside("chmod", "1730", "/var/spool/cron/crontabs")
    mark = machine.syslog.mark()
    with machine.database_stopped():
        machine.run_inside("crontab", "-u", "root", "-", input="@reboot touch /run/cron-was-here\n")
        process = machine.start_inside("cron", "-f")
        worlds.wait_until(machine.path("/run/cron-was-here").exists, "the cron job")
        entries = machine.entries(mark, event="account")
        assert {(entry["service"], entry["pam"], entry["result"]) for entry in entries} == {("cron", "SUCCESS", "off")}
    machine.run_inside("pkill", "-x", "cron")
    process.wait()


def test_an_at_job_runs_while_the_database_is_away(machine):
    machine.configure(account="status")
    put_module_into(machine, "atd")
    machine.path("/var/spool/cron/atjobs/.SEQ").touch(0o600)
    machine.run_inside("chown", "daemon:daemon", "/var/spool/cron/atjobs/.SEQ", "/var/spool/cron/atjobs", "/var/spool/cron/atspool")
    machine.run_inside("chmod", "1770", "/var/spool/cron/atjobs", "/var/spool/cron/atspool")
    mark = machine.syslog.mark()
    with machine.database_stopped():
        process = machine.start_inside("atd", "-f")
        worlds.wait_until(machine.path("/run/atd.pid").exists, "atd")
        machine.run_inside("at", "now", input="touch /run/at-was-here\n")
        worlds.wait_until(machine.path("/run/at-was-here").exists, "the at job", timeout_s=90)
        assert machine.entries(mark, event="account")[0]["result"] == "off"
    machine.run_inside("pkill", "-x", "atd")
    process.wait()
