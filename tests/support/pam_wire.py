"""pam_wire.py: the request and the reply between module and helper, written from pam_module/wire.h and independent of it."""

import socket
import struct
import subprocess
import uuid

OPERATIONS = {"verify": 1, "decoy": 2, "look": 3, "change": 4, "session_open": 5, "session_close": 6,
              "breakglass_sync": 7, "breakglass_state": 8, "breakglass_report": 9, "enroll_start": 10, "enroll_confirm": 11,
              "ticket": 12}
FACTORS = {"password+otp": 1, "otp": 2, "password": 3}
BACKENDS = {"postgresql": 1, "authd": 2}
TEXTS = {7: "user", 8: "service", 9: "rhost", 10: "tty", 11: "target", 12: "ssh_key", 13: "password", 14: "code",
         15: "new_password", 21: "enroll_code", 22: "factor_id", 23: "code_before"}
OFFLINE = {"no": 0, "yes": 1, "uncounted": 2, "ticket": 3}
EVENTS = {"issued": 1, "used": 2, "revoked": 3, "expired": 4, "ticket_used": 5}
REPLY_NUMBERS = {2: "answer", 3: "password_right", 4: "must_change", 5: "enrolled", 6: "retry_after_s", 12: "training_due",
                 13: "offline", 19: "minimum_points"}
REPLY_TEXTS = {7: "user", 8: "reason", 9: "detail", 10: "ssh_key", 11: "user_digest",
               14: "factor_id", 15: "enroll_key", 16: "enroll_picture", 17: "recovery_codes"}


def field(tag, value):
    return struct.pack(">BH", tag, len(value)) + value


def message(magic, fields):
    body = magic + b"".join(fields)
    return struct.pack(">I", len(body)) + body


def request(user, operation="verify", factors="password+otp", backend="postgresql", request_id=None, budget_ms=29700,
            connect_ms=8000, service="sshd", offline=None, report=None, **texts):
    """The bytes of a request."""
    numbers = [OPERATIONS[operation], BACKENDS[backend], FACTORS[factors], budget_ms, connect_ms]
    texts = {"user": user, "service": service, **texts}
    fields = [field(1, (request_id or uuid.uuid4()).bytes)]
    fields += [field(tag, struct.pack(">I", number)) for tag, number in enumerate(numbers, 2)]
    fields += [field(tag, texts[name].encode() + b"\0") for tag, name in TEXTS.items() if texts.get(name) is not None]
    if offline not in (None, "no"):             # an optional number that is zero is left out
        fields.append(field(16, struct.pack(">I", OFFLINE[offline])))
    if report is not None:                      # event, at, left, expires at
        numbers = [EVENTS.get(report[0], report[0]), *report[1:]]
        fields += [field(tag, struct.pack(">I", number)) for tag, number in enumerate(numbers, 17) if number != 0]
    return message(b"CFQ1", fields)


def parse_reply(data):
    """{name: value} of a whole reply."""
    length, = struct.unpack(">I", data[:4])
    assert length == len(data) - 4 and data[4:8] == b"CFR1", data
    found, at = {}, 8
    while at < len(data):
        tag, size = struct.unpack(">BH", data[at:at + 3])
        value = data[at + 3:at + 3 + size]
        at += 3 + size
        if tag == 1:
            found["id"] = uuid.UUID(bytes=value)
        elif tag in REPLY_NUMBERS:
            found[REPLY_NUMBERS[tag]] = struct.unpack(">I", value)[0]
        else:
            assert value[-1:] == b"\0"
            found[REPLY_TEXTS[tag]] = value[:-1].decode()
    return found


def ask(helper, conf, data, timeout=60, environment=None):
    """Start the helper as the module does and return (reply or None, exit status).  ENVIRONMENT: whose caller is no module."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen([str(helper), "--config", str(conf)], stdin=theirs, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env=environment or {}, cwd="/")
        ours.settimeout(timeout)
        received = b""
        try:
            ours.sendall(data)
            ours.shutdown(socket.SHUT_WR)
            while chunk := ours.recv(65536):
                received += chunk
        except (BrokenPipeError, ConnectionResetError):
            pass
    status = process.wait(timeout)
    return (parse_reply(received) if received else None), status
