"""devserver.py STEP: the steps behind `./dev up` and `./dev down`, each safe to run again.

    certificates   a private authority and a server certificate
    postgresql     the cluster, running
    migrate        database, schema, roles, keys, configuration, an API key; build/dev/env
    authd          the service, restarted when the program or its configuration changed
    demo           an account with a second factor, and the story to paste
    down           stop what runs

What must be kept between runs lies in build/dev/state."""

import contextlib
import hashlib
import json
import os
import pathlib
import shlex
import signal
import sys
import time

from world import TOP, Api, Authd, Certificates, Installation, Postgres, WorldError, free_port, installed, totp, \
    wait_until, write_private

DEV = TOP / "build/dev"
STATE = DEV / "state"
LOGIN, PASSWORD = "alice@example.com", "seven lanterns by the harbour"
STEP_S = 30


def remember(name, value):
    STATE.mkdir(parents=True, exist_ok=True)
    write_private(STATE / f"{name}.json", json.dumps(value))
    return value


def recall(name, default=None):
    try:
        return json.loads((STATE / f"{name}.json").read_text())
    except FileNotFoundError:
        return default


def certificates():
    return Certificates(DEV / "tls").ensure()


def postgres():
    """The cluster of this folder, wherever its data had to be put."""
    place = recall("postgres")
    if place is None or not pathlib.Path(place).is_dir():
        place = remember("postgres", str(Postgres.place(DEV / "postgres")))
    return Postgres(place, durable=True).create()


def ports():
    return recall("ports") or remember("ports", {name: free_port() for name in ("api", "pages", "management")})


def installation():
    return Installation(STATE, postgres(), "counterfoil", certificates())


def step_certificates():
    certificates()


def step_postgresql():
    print("listening on port", postgres().start().port)


def step_migrate():
    place = installation().create()
    place.write_configuration(ports())
    if recall("key") is None:
        remember("key", place.make_client("dev"))
    write_environment(place)


def write_environment(place):
    """build/dev/env: sourced by a shell, or read as NAME=VALUE lines."""
    listeners = ports()
    values = {
        "AUTHD_URL": f"https://localhost:{listeners['api']}",
        "AUTHD_CA": str(place.certificates.ca),
        "API_KEY": recall("key"),
        "DATABASE_URL": place.postgres.url("counterfoil"),
        "PAGES_URL": f"https://localhost:{listeners['pages']}",
        "MANAGEMENT_URL": f"http://127.0.0.1:{listeners['management']}",
        "COUNTERFOIL_CONFIG": str(place.configuration),
    }
    lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    write_private(DEV / "env", lines + f"export {' '.join(values)}\n")


# --- authd ----------------------------------------------------------------------------------------------------------

def running(record):
    """Is the process of RECORD still the one that we started?  A pid may have been given to another since."""
    if not record:
        return False
    with contextlib.suppress(OSError):
        return start_time(record["pid"]) == record["started"]
    return False


def start_time(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]


def fingerprint(configuration):
    """Changes when authd would behave otherwise after a restart."""
    digest = hashlib.sha256()
    for path in (installed("authd"), configuration, STATE / "keyring"):
        digest.update(pathlib.Path(path).read_bytes())
    return digest.hexdigest()


def stop_process(record, timeout_s=20):
    if not running(record):
        return
    os.kill(record["pid"], signal.SIGTERM)
    try:
        wait_until(lambda: not running(record), "authd to end", timeout_s, 0.1)
    except WorldError:
        os.kill(record["pid"], signal.SIGKILL)


def step_authd():
    place = installation()
    wanted = fingerprint(place.configuration)
    record = recall("authd")
    authd = Authd(place.configuration, DEV / "log/authd-run.log", place.certificates, ports())
    if running(record) and record["fingerprint"] == wanted and authd.management("/readyz") == 200:
        print("authd runs already, pid", record["pid"])
        return
    stop_process(record)
    authd.start(wait=False, detached=True)
    remember("authd", {"pid": authd.process.pid, "started": start_time(authd.process.pid), "fingerprint": wanted})
    authd.wait_ready()
    print("authd runs, pid", authd.process.pid)


# --- the demo account -----------------------------------------------------------------------------------------------

def step_demo():
    listeners = ports()
    api = Api(f"https://localhost:{listeners['api']}", certificates().ca, recall("key"))
    demo = recall("demo")
    if demo is None or api.get(f"/v1/accounts/{demo['id']}").status_code != 200:
        demo = remember("demo", enroll_demo(api))
    write_private(DEV / "story", story(demo))


def enroll_demo(api):
    account = expect(api.create_account(LOGIN, PASSWORD), 201)
    factor = expect(api.post(f"/v1/accounts/{account['id']}/totp"), 201)
    # The code of half a minute ago is still good, and leaves the present one unused for the first sign-in.
    code = totp(factor["secret"], time.time() - STEP_S)
    codes = expect(api.post(f"/v1/accounts/{account['id']}/totp/{factor['factor_id']}/confirm", {"code": code}), 200)
    return {"id": account["id"], "secret": factor["secret"], "recovery_codes": codes["recovery_codes"]}


def expect(reply, status):
    if reply.status_code != status:
        raise SystemExit(f"{reply.request.method} {reply.url}: {reply.status_code} instead of {status}: {reply.text}")
    return reply.json()


def story(demo):
    return STORY.format(login=LOGIN, password=PASSWORD, secret=demo["secret"], recovery=demo["recovery_codes"][0],
                        account=demo["id"],
                        authd=f"https://localhost:{ports()['api']}")


STORY = """
authd answers at {authd}.  A sign-in to paste, here in this folder:

  . build/dev/env
  call() {{ curl -sS -w '\\n-> %{{http_code}}\\n' --cacert "$AUTHD_CA" -H "Authorization: Bearer $API_KEY" \\
      -H 'Content-Type: application/json' "$@"; }}

  # The password: 403 second-factor-required, with a challenge.
  call -d '{{"login":"{login}","password":"{password}","source":{{"ip":"192.0.2.1","user_agent":"curl"}}}}' \\
      "$AUTHD_URL/v1/logins" | tee build/dev/reply
  challenge=$(sed -n 's/.*"challenge": *"\\([^"]*\\)".*/\\1/p' build/dev/reply)

  # The code of the authenticator: 200 and a session.  Again the same code: 403 denied.
  call -d "{{\\"code\\":\\"$(oathtool --totp -b {secret})\\"}}" "$AUTHD_URL/v1/logins/$challenge/code"

  # No authenticator at hand?  After a new password step a recovery code does it, once: {recovery}

The pages for people: open the url of the answer in a browser.  It works once, for ten minutes; the browser does not know
the authority build/dev/tls/ca.pem and says so.

  call -X POST "$AUTHD_URL/v1/accounts/{account}/activity-links"          # who signed in
  call -X POST "$AUTHD_URL/v1/accounts/{account}/enrollment-links"        # another app

A member of staff, with the command line (the QR code appears in the terminal):

  build/root/bin/counterfoil --config "$COUNTERFOIL_CONFIG" account add --realm staff "$USER"
  build/root/bin/counterfoil --config "$COUNTERFOIL_CONFIG" enroll --realm staff "$USER"

README.md goes on from there: the PAM module behind sshd, and where everything is.
Again: ./dev up    Tests: ./dev check    Stop: ./dev down
"""


def step_down():
    stop_process(recall("authd"))
    place = recall("postgres")
    if place is not None and pathlib.Path(place).is_dir():
        Postgres(place, durable=True).create().stop()
    print("stopped; the data stay in build/dev")


STEPS = {name[5:]: step for name, step in list(globals().items()) if name.startswith("step_")}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STEPS:
        sys.exit(__doc__)
    try:
        STEPS[sys.argv[1]]()
    except WorldError as error:
        sys.exit(str(error))
