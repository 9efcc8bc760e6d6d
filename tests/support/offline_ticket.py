"""offline_ticket.py: offline tickets as tests forge and verify them, written from core/credential/offline_ticket.h, with openssl
for Ed25519.

    sign, is_signed     a ticket, by the service's seed and by the line that hosts get
    TicketHost          a host that keeps tickets, and its helper"""

import base64
import hashlib
import pathlib
import re
import struct
import subprocess
import tempfile
import time

import breakglass_host
import pam_wire
import pam_world
import world as worlds

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")       # RFC 8410: a private key of 32 bytes follows
SPKI = bytes.fromhex("302a300506032b6570032100")
FORM = re.compile(r"cft1\.([1-9]\d*)\.([1-9]\d*)\.([\w-]{86})")


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def seed_of(keyring):
    """What the service signs with, whose keyring this is."""
    seals = re.findall(r"^service seal (\d+) (\w{64})$", pathlib.Path(keyring).read_text(), re.M)
    key = bytes.fromhex(max(seals, key=lambda seal: int(seal[0]))[1])
    return hashlib.blake2b(b"counterfoil sign key 1\0offline ticket", key=key, digest_size=32).digest()


def message(user, host, ssh_key, issued, expires):
    texts = b"".join(struct.pack(">H", len(text.encode())) + text.encode() for text in (user, host, ssh_key))
    return b"counterfoil offline ticket v1\0" + texts + struct.pack(">QQ", issued, expires)


def openssl(*arguments, **files):
    """openssl pkeyutl with FILES by their option's name."""
    with tempfile.TemporaryDirectory() as folder:
        named = []
        for option, data in files.items():
            path = pathlib.Path(folder, option)
            path.write_bytes(data)
            named += [f"-{option}", path]
        return subprocess.run(["openssl", "pkeyutl", *arguments, "-rawin", *named], capture_output=True, check=False)


def sign(seed, *what):
    """The ticket over what message() takes."""
    done = openssl("-sign", "-keyform", "DER", **{"inkey": PKCS8 + seed, "in": message(*what)})
    assert done.returncode == 0, done.stderr
    return f"cft1.{what[3]}.{what[4]}.{base64url(done.stdout)}"


def is_signed(key_line, ticket, user, host, ssh_key):
    """Does TICKET hold by the line that counterfoil pam ticket-key prints?"""
    word, key = key_line.split()
    issued, expires, signature = FORM.fullmatch(ticket).groups()
    done = openssl("-verify", "-pubin", "-keyform", "DER", **{
        "inkey": SPKI + unbase64url(key), "in": message(user, host, ssh_key, int(issued), int(expires)),
        "sigfile": unbase64url(signature)})
    return word == "counterfoil-ticket-key" and done.returncode == 0


def key_pair(path, comment=""):
    """The text of a fresh ssh key's public half, and its fingerprint."""
    worlds.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, "-C", comment)
    public = pathlib.Path(f"{path}.pub").read_text().split()
    return " ".join(public[:2]), worlds.run("ssh-keygen", "-lf", f"{path}.pub").split()[1]


class TicketHost:
    """A ServiceHost that keeps tickets, asked on the wire of its helper; its service comes and goes, its clock is moved."""

    def __init__(self, host, installation):
        self.host = host
        self.id = host.api_key.split("_")[1]
        self.seed = seed_of(installation.keyring)
        self.public = worlds.write_private(host.directory / "ticket-key.pub",
                                           installation.counterfoil("pam", "ticket-key"), 0o644)
        self.key, self.fingerprint = key_pair(host.directory / "key")
        self.run_directory, folder = host.directory / "run", host.directory / "breakglass"
        self.codes = breakglass_host.Codes(folder)
        self.more = f"[helper]\nrun_directory = {self.run_directory}\n[breakglass]\ndirectory = {folder}\n"
        self.clock = worlds.write_private(host.directory / "clock", "0\n")
        self.syslog = host.directory / "helper-log"
        self.configure()

    def configure(self, **changes):
        """pam-helper.conf, and the same with a service where nobody listens."""
        changes.setdefault("ticket_key_file", self.public)
        self.here = self.host.write_helper_conf(self.more, **changes)
        text = re.sub(r"^url = .*", "url = https://localhost:1", self.here.read_text(), flags=re.M)
        self.away = worlds.write_private(self.host.directory / "away.conf", text)

    def ask(self, person, operation="ticket", away=True, key=None, offline="ticket", code=None, faults=None, **members):
        """What the helper answers; None: it died.  FAULTS: for breakglass_faults.c."""
        data = pam_wire.request(getattr(person, "login", person), operation, **{
            "factors": "otp", "backend": "authd", "offline": offline, "ssh_key": key or self.key, "code": code, **members})
        environment = {"COUNTERFOIL_TEST_CLOCK": str(self.clock), "CAPTURE_SYSLOG": str(self.syslog),
                       "LD_PRELOAD": f"{pam_world.CAPTURE} {breakglass_host.FAULTS}" if faults else str(pam_world.CAPTURE),
                       **(faults or {})}
        return pam_wire.ask(breakglass_host.HELPER, self.away if away else self.here, data, environment=environment)[0]

    def reason(self, *arguments, **members):
        """Of a refusal."""
        reply = self.ask(*arguments, **members)
        assert reply["answer"] == breakglass_host.DENY and "offline" not in reply, reply
        return reply["reason"]

    def sign_in(self, person, **members):
        """Online, with a code."""
        reply = self.ask(person, "verify", away=False, code=members.pop("code", None) or person.code(), **members)
        assert reply["answer"] == breakglass_host.ALLOW, reply
        return reply

    def set_clock(self, offset_s):
        worlds.write_private(self.clock, f"{offset_s}\n")

    def pretend_outage(self, offset_s=0):
        """Five failures in two minutes, by a clock that is OFFSET_S ahead."""
        self.codes.pretend_outage(offset_s)

    def file(self, person):
        digest = hashlib.blake2b(getattr(person, "login", person).encode(), digest_size=16).hexdigest()
        return self.run_directory / "tickets" / digest

    def put(self, person, ticket, kept_at=None, mode=0o400):
        """TICKET as if the helper had kept it at KEPT_AT of the clock that never steps: now."""
        path = self.file(person)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        return worlds.write_private(path, f"{ticket} {int(time.monotonic()) if kept_at is None else kept_at}\n", mode)

    def sign(self, person, user=None, host=None, ssh_key=None, issued=0, life=28800, seed=None):
        """A ticket like the service's; ISSUED: seconds from now."""
        begin = int(time.time()) + issued
        return sign(seed or self.seed, user or person.login, host or self.id, ssh_key or self.fingerprint, begin, begin + life)

    def alerts(self):
        return [line for line in self.syslog.read_text().splitlines() if line.startswith("1 ")]
