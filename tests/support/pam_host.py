"""pam_host.py: a staff host that asks authd, and trusts no reply that is not bound to its question.

    PamHost     one host: its key, and the three questions
    Refused     a reply that is no decision"""

import base64
import hashlib
import json
import secrets
import uuid

import world as worlds

PURPOSE = b"counterfoil pam reply v1"


def reply_mac(key, request_id, operation, request, reply):
    """What Counterfoil-MAC must be: written from the contract, not from authd's code."""
    host, secret = key.split("_", 2)[1:]
    under = hashlib.blake2b(PURPOSE, key=secret.encode(), digest_size=32).digest()
    head = f"{request_id}\n{operation}\n{host}\n".encode()
    body = hashlib.blake2b(request, digest_size=32).digest() + reply
    return base64.urlsafe_b64encode(hashlib.blake2b(head + body, key=under, digest_size=32).digest()).rstrip(b"=").decode()


def member(world, enrolled=True):
    """A member of staff: the world's customer(), of the other realm."""
    api = world.staff_api()
    login = f"staff-{secrets.token_hex(6)}"
    made = api.create_account(login, "seven lanterns by the harbour")
    assert made.status_code == 201, made.text
    account = worlds.Account(made.json()["id"], login, "seven lanterns by the harbour")
    if enrolled:
        world.enroll(account, api)
        world.advance(worlds.PERIOD_S)
    return account


class PamHost:
    """One host with a key of its own."""

    def __init__(self, world, name="web1", number=0):
        self.world = world
        self.number = number
        self.key = world.installation.make_client(name, realm="staff", scopes=("pam",))
        self.id = self.key.split("_", 2)[1]

    def post(self, path, body):
        """The reply as it came."""
        data = json.dumps(body).encode()
        return self.world.api(self.number, self.key).call("POST", path, data=data, headers={"Content-Type": "application/json"})

    def ask(self, path, body):
        """The decision, after everything that a host checks."""
        reply = self.post(path, body)
        assert reply.status_code == 200, reply.text
        told = reply.json()
        assert (told["v"], told["request_id"], told["user"], told["host"]) == (1, body["request_id"], body["user"], self.id)
        assert told["operation"] == body.get("operation", "look")
        assert reply.headers["Counterfoil-MAC"] == reply_mac(self.key, body["request_id"], told["operation"],
                                                             reply.request.body, reply.content)
        return told

    @staticmethod
    def body(user, **members):
        made = {"request_id": str(uuid.uuid4()), "user": user, "service": "sshd", **members}
        return {name: value for name, value in made.items() if value is not None}

    def question(self, account, factors="password+otp", operation="verify", **members):
        """A body for verify, with the right credentials unless MEMBERS say otherwise."""
        right = {"password": account.password if "password" in factors else None,
                 "code": self.world.code(account) if "otp" in factors and account.seed else None}
        return self.body(account.login, operation=operation, factors=factors,
                         **{"rhost": "192.0.2.30", "tty": "ssh", **right, **members})

    def verify(self, account, factors="password+otp", **members):
        return self.ask("/v1/pam/verify", self.question(account, factors, **members))

    def change(self, account, new_password, **members):
        return self.ask("/v1/pam/verify", self.body(account.login, operation="change",
                                                    **{"password": account.password, "new_password": new_password, **members}))

    def enroll_start(self, account, enroll_code, **members):
        return self.ask("/v1/pam/enroll", self.body(account.login, operation="start", **{
            "password": account.password, "enroll_code": enroll_code, **members}))

    def confirmation(self, account, enroll_code, started, **members):
        """The body that binds what STARTED names with its codes of the step before and of now."""
        now = self.world.now_s()
        return self.body(account.login, operation="confirm", **{
            "enroll_code": enroll_code, "factor_id": started["factor_id"],
            "code_before": worlds.totp(started["secret"], now - worlds.PERIOD_S), "code": worlds.totp(started["secret"], now),
            **members})

    def look(self, login):
        return self.ask("/v1/pam/account", self.body(login))

    def breakglass(self, login, operation="issued", at=1795522736, left=8, expires_at=4000000000, **members):
        return self.ask("/v1/pam/breakglass", self.body(login, operation=operation, at=at, left=left, expires_at=expires_at,
                                                        **members))

    def session(self, login, operation="open", **members):
        return self.ask("/v1/pam/session", self.body(login, operation=operation, **members))
