"""fault_service.py: a service that answers a PAM host byte by byte as a test says: rightly, wrongly, half, late or never.

    Question        what a host asked
    Reply           what it gets: head and body, each to be spoiled
    FaultService    a listener whose connections each run one act, a function of (service, socket)
    the acts        replies, resets, hangs, ...: each is one or builds one
    Relay           passes on what a host and a real service say, and may lose the reply

Nothing is shared with the service or the helper that is tested."""

import base64
import contextlib
import json
import secrets
import socket
import ssl
import struct
import threading

import pam_host

MAC_HEADER = "Counterfoil-MAC"
APPLICATION_DATA = 23           # RFC 8446 section 5.1: what every encrypted record says it is


class Question:
    """One request: method, path, headers in lower case, the body as bytes and as JSON."""

    def __init__(self, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        self.body = body
        self.fields = json.loads(body)

    @property
    def operation(self):
        return self.fields.get("operation", "look")


class Reply:
    """A right reply to QUESTION under the key of SERVICE, before a test changes it."""

    def __init__(self, service, question, **changes):
        self.status = "200 OK"
        self.headers = {"Content-Type": "application/json; charset=utf-8"}
        fields = {"v": 1, "request_id": question.fields["request_id"], "user": question.fields["user"],
                  "host": service.key_id, "operation": question.operation, "answer": "allow", "reason": "granted",
                  "password_right": True, "must_change": False}
        fields.update(changes)
        self.body = json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
        self.secret, self.question, self.host = service.secret, question, service.key_id
        self.mac = None

    def sign(self, **others):
        bound = {"secret": self.secret, "request_id": self.question.fields["request_id"],
                 "operation": self.question.operation, "host": self.host, "question": self.question.body, **others}
        self.mac = pam_host.reply_mac(f"cf_{bound['host']}_{bound['secret']}", bound["request_id"], bound["operation"],
                                      bound["question"], self.body)
        return self

    def encode(self):
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        if self.mac is not None:
            headers[MAC_HEADER] = self.mac
        lines = [f"HTTP/1.1 {self.status}"] + [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


class FaultService:
    """Listens on loopback; the connections run ACTS one after the other, and the last again and again."""

    def __init__(self, certificates):
        self.certificates = certificates
        self.key_id = "2" + secrets.token_hex(8)[1:]
        self.secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        self.acts = [replies()]
        self.questions = []             # of all connections since the last play()
        self.connections = 0
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    @property
    def api_key(self):
        return f"cf_{self.key_id}_{self.secret}"

    def play(self, *acts):
        self.acts, self.questions, self.connections = list(acts), [], 0
        return self

    def _accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            act = self.acts[min(self.connections, len(self.acts) - 1)]
            self.connections += 1
            threading.Thread(target=self._act, args=(act, raw), daemon=True).start()

    def _act(self, act, raw):
        with contextlib.suppress(OSError, ValueError), raw:
            raw.settimeout(30)
            act(self, raw)

    def tls(self, raw, certificate=None, version=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(*(certificate or (self.certificates.certificate, self.certificates.key)))
        return context.wrap_socket(raw, server_side=True)

    def question(self, connection):
        """The whole request that comes in on CONNECTION."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")))
        while len(body) < length:
            body += self._more(connection)
        self.questions.append(Question(head, body))
        return self.questions[-1]

    @staticmethod
    def _more(connection):
        chunk = connection.recv(65536)
        if not chunk:
            raise OSError("the host hung up")
        return chunk

    def stop(self):
        self.over.set()
        self.listener.close()


# --- acts -----------------------------------------------------------------------------------------------------------

def replies(spoil=None, sign=True, certificate=None, version=ssl.TLSVersion.TLSv1_3, **changes):
    """Answer with a right reply, but for CHANGES to its fields and for what SPOIL does with it.  SPOIL: may change the Reply,
    and returns bytes to send in its place or None."""
    def act(service, raw):
        with service.tls(raw, certificate, version) as connection:
            reply = Reply(service, service.question(connection), **changes)
            data = spoil(reply) if spoil is not None else None
            if sign and data is None and reply.mac is None:
                reply.sign()
            connection.sendall(data if data is not None else reply.encode())
    return act


def status(line, body=b"", content_type="application/problem+json", **headers):
    """A whole reply with another status."""
    def spoil(reply):
        reply.status, reply.body = line, body
        reply.headers = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return reply.encode()
    return replies(spoil)


def reset(connection):
    """End it so that the other side hears RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def resets(service, raw):
    """RST instead of a handshake that has begun."""
    raw.recv(65536)
    reset(raw)


def hangs(service, raw):
    """Not a byte, until the test is over."""
    service.over.wait(20)


def hangs_in_handshake(service, raw):
    """Reads the ClientHello and answers with the first bytes of a TLS record."""
    raw.recv(65536)
    raw.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00")
    service.over.wait(20)


def ends_in_handshake(service, raw):
    raw.recv(65536)
    raw.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00")


def speaks_plainly(service, raw):
    """A captive portal's idea of HTTPS."""
    raw.recv(65536)
    raw.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok")


def hangs_after_question(service, raw):
    with service.tls(raw) as connection:
        service.question(connection)
        service.over.wait(20)


def loses_reply(service, raw):
    """The work is done, and the connection gone before its reply."""
    connection = service.tls(raw)
    service.question(connection)
    connection.close()


def cuts_reply(at):
    """The first AT bytes of a right reply, and an end without more."""
    def act(service, raw):
        connection = service.tls(raw)
        connection.sendall(Reply(service, service.question(connection)).sign().encode()[:at])
        connection.close()
    return act


def drips(service, raw):
    """A right reply, a byte each 0.1 s: longer than anybody waits."""
    with service.tls(raw) as connection:
        for byte in Reply(service, service.question(connection)).sign().encode():
            connection.sendall(bytes([byte]))
            if service.over.wait(0.1):
                return


def floods(head):
    """HEAD, and then 64 MiB."""
    def act(service, raw):
        with service.tls(raw) as connection:
            service.question(connection)
            connection.sendall(head)
            for _ in range(1024):
                connection.sendall(b"a" * 65536)
    return act


# --- between a host and a real service ------------------------------------------------------------------------------

class Relay:
    """Passes on bytes between whoever connects and PORT, and can look no further than TLS 1.3 lets it.

    lose(until): the next connection gets no byte of its reply: after the question is through, UNTIL() is waited for, and
    the connection is cut."""

    def __init__(self, port):
        self.target = port
        self.until = None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, until):
        self.until = until

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                host, _ = self.listener.accept()
                until, self.until = self.until, None
                self.connections += 1
                threading.Thread(target=self._pass, args=(host, until), daemon=True).start()

    def _pass(self, host, until):
        with contextlib.suppress(OSError), host, socket.create_connection(("127.0.0.1", self.target)) as service:
            asked = threading.Event()
            answering = threading.Thread(target=self._answer, args=(host, service, asked if until else threading.Event()),
                                         daemon=True)
            threading.Thread(target=self._ask, args=(host, service, asked), daemon=True).start()
            answering.start()
            if until is not None:
                asked.wait(20)
                until()
            else:
                answering.join()
            for connection in (host, service):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _answer(host, service, muted):
        """What the service says, until it is MUTED."""
        with contextlib.suppress(OSError):
            while data := service.recv(65536):
                if not muted.is_set():
                    host.sendall(data)

    @staticmethod
    def _ask(host, service, asked):
        """What the host says; its second encrypted record is the question, the first ends the handshake."""
        rest, encrypted = b"", 0
        with contextlib.suppress(OSError):
            while data := host.recv(65536):
                service.sendall(data)
                rest += data
                while len(rest) >= 5 and len(rest) >= 5 + int.from_bytes(rest[3:5], "big"):
                    encrypted += rest[0] == APPLICATION_DATA
                    rest = rest[5 + int.from_bytes(rest[3:5], "big"):]
                if encrypted >= 2:
                    asked.set()
            service.shutdown(socket.SHUT_WR)

    def stop(self):
        self.listener.close()
