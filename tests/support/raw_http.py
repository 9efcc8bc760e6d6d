"""raw_http.py: HTTP byte by byte over TLS, for what no well-behaved client would send.

    connect     a TLS (or plain) socket to one listener
    Raw         such a socket: send bytes, read replies one after the other, see whether the server closed
    expect      is this reply the documented problem?"""

import json
import socket
import ssl
import urllib.parse

PROBLEMS = "https://counterfoil.example/problems/"


def tls_context(ca):
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["http/1.1"])
    return context


def connect(url, context=None, timeout=20):
    """A socket to URL's host and port; CONTEXT None: without TLS."""
    where = urllib.parse.urlsplit(url)
    plain = socket.create_connection((where.hostname, where.port), timeout=timeout)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=where.hostname)
    except Exception:
        plain.close()
        raise


class Reply:
    """One HTTP reply as it came."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = (lines[0] + "  ").split(" ", 2)
        self.status = int(status)
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class Raw:
    """A connection that sends what it is told.  Use it in a with statement."""

    def __init__(self, url, ca=None, timeout=20):
        self.socket = connect(url, tls_context(ca) if ca else None, timeout)
        self.buffer = b""
        self.last_head = b""            # of the last reply, as it came

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Send DATA; a server that has closed in the meantime is no error here: read() tells."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass
        return self

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        self.buffer += data
        return bool(data)

    def reply(self, head_only=False):
        """The next reply; None when the connection ends without one.  100 Continue is skipped."""
        while True:
            while b"\r\n\r\n" not in self.buffer:
                if not self._fill():
                    return None
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            reply, self.last_head = Reply(head, b""), head
            if reply.status != 100:
                break
        length = 0 if head_only else int(reply.headers.get("content-length", 0))
        while len(self.buffer) < length:
            if not self._fill():
                return None
        reply.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return reply

    def rest(self):
        """Everything up to the end of the connection."""
        while self._fill():
            pass
        return self.buffer

    def is_closed(self):
        """Does the server end the connection without another byte?  Waits for it as long as the time-out."""
        try:
            return not self.buffer and not self._fill()
        except TimeoutError:
            return False


def request(method="POST", path="/v1/logins", headers=(), body=b"", host="localhost", key=None, version="HTTP/1.1"):
    """The bytes of one well-formed request; HEADERS are more lines."""
    lines = [f"{method} {path} {version}", f"Host: {host}"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    lines.extend(headers)
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def expect(reply, status, slug, **members):
    """REPLY (of this module or of requests) is exactly this problem of docs/http-api.yaml."""
    assert reply is not None, f"no reply where {status} {slug} was expected"
    code = reply.status if isinstance(reply, Reply) else reply.status_code
    assert code == status, f"{code} where {status} {slug} was expected: {reply!r} {getattr(reply, 'text', '')}"
    headers = {name.lower(): value for name, value in reply.headers.items()}
    assert headers["content-type"] == "application/problem+json", headers
    problem = reply.json()
    assert problem["type"] == PROBLEMS + slug, problem
    assert problem["status"] == status, problem
    assert problem["instance"] == "urn:uuid:" + headers["x-request-id"], (problem, headers)
    for name, value in members.items():
        assert problem.get(name) == value, problem
    return problem
