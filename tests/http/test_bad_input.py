"""What no honest caller sends: each piece has one documented answer, and the service is the same afterwards."""

import contextlib
import json
import re
import secrets
import subprocess

import pytest
import world as worlds
from raw_http import Raw, connect, expect, request, tls_context

CREDENTIALS = {"login": "nobody@example.com", "password": "seven lanterns by the harbour"}
JSON = "Content-Type: application/json"
NO_ACCOUNT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def raw(world):
    """A connection to the API."""
    with Raw(world.authd.url, world.ca) as connection:
        yield connection


def post(world, body, content_type="application/json", path="/v1/logins"):
    """BODY is bytes as they go over the wire."""
    return world.api().call("POST", path, data=body, headers={"Content-Type": content_type})


def someone():
    """A login that nobody has tried before: its own budgets are fresh."""
    return f"{secrets.token_hex(8)}@example.com"


def edited(**changes):
    """CREDENTIALS with CHANGES, ... leaves out, as JSON."""
    body = {name: value for name, value in {**CREDENTIALS, **changes}.items() if value is not ...}
    return json.dumps(body).encode()


# --- bodies ----------------------------------------------------------------------------------------------------------

NOT_JSON = {
    "nothing": b"",
    "white space": b"  \n",
    "a word": b"hello",
    "cut in a string": b'{"login":"bob","pass',
    "cut before the brace": b'{"login":"bob","password":"x"',
    "cut after a colon": b'{"login":',
    "a trailing comma": b'{"login":"bob","password":"x",}',
    "text behind the end": b'{"login":"bob","password":"x"}}',
    "two values": b'{"login":"bob","password":"x"}{}',
    "single quotes": b"{'login':'bob','password':'x'}",
    "a comment": b'{"login":"bob",/* */"password":"x"}',
    "a doubled key": b'{"login":"bob","login":"eve","password":"x"}',
    "a doubled key inside": b'{"login":"bob","password":"x","source":{"ip":"192.0.2.1","ip":"192.0.2.2"}}',
    "a byte that is no UTF-8": b'{"login":"b\xffb","password":"x"}',
    "an overlong slash": b'{"login":"b\xc0\xafb","password":"x"}',
    "a lone surrogate": b'{"login":"b\\ud800b","password":"x"}',
    "a surrogate in UTF-8": b'{"login":"b\xed\xa0\x80b","password":"x"}',
    "a NUL": b'{"login":"b\x00b","password":"x"}',
    "an escaped NUL": b'{"login":"b\\u0000b","password":"x"}',
    "a raw line break in a string": b'{"login":"b\nb","password":"x"}',
    "a byte order mark": b'\xef\xbb\xbf{"login":"bob","password":"x"}',
    "UTF-16": '{"login":"bob","password":"x"}'.encode("utf-16"),
    "a number beyond numbers": b'{"login":"bob","password":1e999}',
    "nine levels of arrays": b'{"login":' + b"[" * 8 + b"]" * 8 + b"}",
    "a thousand levels": b"[" * 1000 + b"]" * 1000,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_not_strict_json_is_malformed(world, body):
    problem = expect(post(world, body), 400, "malformed")
    assert "bob" not in json.dumps(problem), "a refusal quotes what was sent"


UNFIT = {
    "an unknown field": (edited(role="admin"), "role"),
    "an unknown field inside": (edited(source={"ip": "192.0.2.1", "port": "1"}), "source.port"),
    "a field without name": (edited(**{"": "x"}), ""),
    "no login": (edited(login=...), "login"),
    "no password": (edited(password=...), "password"),
    "a number for a string": (edited(password=1234567890), "password"),
    "null for a string": (edited(password=None), "password"),
    "an array for a string": (edited(login=["bob"]), "login"),
    "an object for a string": (edited(login={"$ne": ""}), "login"),
    "true for a string": (edited(login=True), "login"),
    "a string for an object": (edited(source="192.0.2.1"), "source"),
    "an array for an object": (edited(source=[]), "source"),
    "an empty login": (edited(login=""), "login"),
    "an empty password": (edited(password=""), "password"),
    "a login of 1025 bytes": (edited(login="l" * 1025), "login"),
    "a password of 1025 bytes": (edited(password="p" * 1025), "password"),
    "no address": (edited(source={"ip": "localhost"}), "source.ip"),
    "an address too long": (edited(source={"ip": "1" * 46}), "source.ip"),
    "a user agent of 2049 bytes": (edited(source={"user_agent": "u" * 2049}), "source.user_agent"),
    "an array": (b"[]", "body"),
    "a string": (b'"login"', "body"),
    "a number": (b"17", "body"),
    "null": (b"null", "body"),
}


@pytest.mark.parametrize("body, field", UNFIT.values(), ids=UNFIT.keys())
def test_a_field_that_does_not_fit_is_named(world, body, field):
    expect(post(world, body), 422, "invalid", field=field)


def test_an_unknown_field_is_named_without_its_tricks(world):
    body = json.dumps({**CREDENTIALS, "x\u0007" + "é" * 200: 1}).encode()
    field = expect(post(world, body), 422, "invalid")["field"]
    assert field.startswith("x?é") and len(field.encode()) <= 96


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded",
                                          "multipart/form-data; boundary=x", "application/json; charset=latin1",
                                          "application/jsonx", "application/problem+json", ""])
def test_another_media_type_is_refused(world, content_type):
    expect(post(world, edited(), content_type), 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", "application/json; charset=UTF-8",
                                          'application/json;charset="utf-8"'])
def test_json_may_say_that_it_is_utf_8(world, content_type):
    expect(post(world, edited(login=someone()), content_type), 403, "denied")


def test_a_body_of_16_kib_is_read_and_one_byte_more_is_too_large(world):
    body = edited(login=someone())
    expect(post(world, body + b" " * (16384 - len(body))), 403, "denied")
    expect(post(world, body + b" " * (16385 - len(body))), 413, "too-large")
    expect(post(world, body + b" " * 17 * 1024), 413, "too-large")


def test_a_body_where_none_belongs_is_too_large(raw, world):
    raw.send(request("GET", f"/v1/accounts/{NO_ACCOUNT}", body=b"{}", key=world.api_key))
    expect(raw.reply(), 413, "too-large")


def test_a_huge_body_is_refused_before_it_is_sent(raw, world):
    raw.send(request("POST", headers=[JSON, f"Content-Length: {1 << 40}"], key=world.api_key))
    expect(raw.reply(), 413, "too-large")
    assert raw.is_closed()


def test_who_asks_before_sending_too_much_is_told(raw, world):
    raw.send(request("POST", headers=[JSON, "Content-Length: 20000", "Expect: 100-continue"], key=world.api_key))
    expect(raw.reply(), 413, "too-large")


def test_who_asks_before_sending_is_told_to_go_on(raw, world):
    body = edited(login=someone())
    raw.send(request("POST", headers=[JSON, f"Content-Length: {len(body)}", "Expect: 100-continue"], key=world.api_key))
    assert raw.socket.recv(100).startswith(b"HTTP/1.1 100")
    raw.send(body)
    expect(raw.reply(), 403, "denied")


# --- what HTTP forbids -----------------------------------------------------------------------------------------------

BODY = edited()
LENGTH = f"Content-Length: {len(BODY)}"


def with_lines(*lines, first="POST /v1/logins HTTP/1.1", end="\r\n"):
    """A request of these header lines and BODY."""
    return end.join([first, *lines, "", ""]).encode("latin-1") + BODY


AMBIGUOUS = {
    "both framings": with_lines("Host: localhost", LENGTH, "Transfer-Encoding: chunked"),
    "both framings, the other way round": with_lines("Host: localhost", "Transfer-Encoding: chunked", LENGTH),
    "two different lengths": with_lines("Host: localhost", LENGTH, "Content-Length: 5"),
    "the same length twice": with_lines("Host: localhost", LENGTH, LENGTH),
    "the encoding twice": with_lines("Host: localhost", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "two hosts": with_lines("Host: localhost", "Host: localhost", LENGTH),
    "two keys": with_lines("Host: localhost", "Authorization: Bearer a", "Authorization: Bearer b", LENGTH),
    "two media types": with_lines("Host: localhost", JSON, JSON, LENGTH),
    "no host": with_lines(LENGTH),
    "an empty host": with_lines("Host:", LENGTH),
    "a host that is none": with_lines("Host: local host", LENGTH),
    "an expectation": with_lines("Host: localhost", "Expect: miracles", LENGTH),
    "TRACE": with_lines("Host: localhost", LENGTH, first="TRACE /v1/logins HTTP/1.1"),
    "CONNECT": with_lines("Host: localhost", LENGTH, first="CONNECT localhost:443 HTTP/1.1"),
    "a method that is no word": with_lines("Host: localhost", LENGTH, first="PO(ST /v1/logins HTTP/1.1"),
    "a version to come": with_lines("Host: localhost", LENGTH, first="POST /v1/logins HTTP/1.2"),
    "two blanks before the target": with_lines("Host: localhost", LENGTH, first="POST  /v1/logins HTTP/1.1"),
    "two blanks after the target": with_lines("Host: localhost", LENGTH, first="POST /v1/logins  HTTP/1.1"),
    "a blank in the target": with_lines("Host: localhost", LENGTH, first="POST /v1/log ins HTTP/1.1"),
    "a tab in the target": with_lines("Host: localhost", LENGTH, first="POST /v1/log\tins HTTP/1.1"),
    "a letter beyond ASCII in the target": with_lines("Host: localhost", LENGTH, first="POST /v1/log\xefns HTTP/1.1"),
    "a NUL in the method": with_lines("Host: localhost", LENGTH, first="POST\0 /v1/logins HTTP/1.1"),
    "a NUL in the target": with_lines("Host: localhost", LENGTH, first="POST /v1/logins\0/x HTTP/1.1"),
    "a NUL in a value": with_lines("Host: localhost", "X-A: a\0b", LENGTH),
    "a header within a value, behind NULs": with_lines("Host: localhost", "X-A: a\0\0Content-Length\0 5"),
    "a value that NULs end": with_lines("Host: localhost", "X-A: a\0\0X-B\0b", LENGTH),
    "a control character in a value": with_lines("Host: localhost", "X-A: a\x01b", LENGTH),
    "a carriage return in a value": with_lines("Host: localhost", "X-A: a\rb", LENGTH),
    "a DEL in a value": with_lines("Host: localhost", "X-A: a\x7fb", LENGTH),
    "a blank before the colon": with_lines("Host: localhost", "Content-Length : 5", LENGTH),
    "a blank in a name": with_lines("Host: localhost", "X A: b", LENGTH),
    "no name": with_lines("Host: localhost", ": b", LENGTH),
    "a folded value": with_lines("Host: localhost", "X-A: a", " b", LENGTH),
    "a folded value with a colon": with_lines("Host: localhost", "X-A: a", "\tContent-Length: 5", LENGTH),
    "a name put together by folding": with_lines("Host: localhost", "Content-: 5", " Length"),
    "a first header that is folded": with_lines(" Host: localhost", LENGTH),
    "bare LF everywhere": with_lines("Host: localhost", LENGTH, end="\n"),
    "bare LF behind the request line":
        with_lines("Host: localhost", LENGTH).replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n", 1),
    "bare LF between headers": with_lines("Host: localhost", LENGTH).replace(b"localhost\r\n", b"localhost\n", 1),
    "bare LF behind the last header": with_lines("Host: localhost", LENGTH).replace(b"\r\n\r\n", b"\n\r\n", 1),
    "bare LF behind a last header without value":
        with_lines("Host: localhost", LENGTH, "X-A:").replace(b"\r\n\r\n", b"\n\r\n", 1),
    "bare LF as the empty line": with_lines("Host: localhost", LENGTH).replace(b"\r\n\r\n", b"\r\n\n", 1),
    "a bare LF hidden by a line without name":
        with_lines("Host: localhost", LENGTH, "X-A: b\n:n\0\0").replace(b"\0\0\r\n", b"\0\0\n", 1),
    "a length hidden by a line without name":
        with_lines("Host: localhost", "X-A: b\n:Content-Length\0 5\0").replace(b"5\0\r\n", b"5\0\n", 1),
    "a bare LF hidden by two NULs in a value":
        with_lines("Host: localhost", LENGTH, "X-A: b\0\0n\nX-B:").replace(b"X-B:\r\n", b"X-B:\n", 1),
    "two bare LF at the end": with_lines("Host: localhost", LENGTH).replace(b"\r\n\r\n", b"\n\n", 1),
}


@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_a_request_that_can_be_read_in_two_ways_is_refused_and_the_connection_ends(raw, data):
    raw.send(data + request("GET", "/v1/openapi.yaml"))
    reply = raw.reply()
    expect(reply, 400, "bad-request")
    assert reply.headers["connection"].lower() == "close"
    assert raw.is_closed(), "what came behind it was read as a request"


# What the library cannot parse it answers itself, in its own words.
UNREADABLE = {
    "no header but a word": (with_lines("Host: localhost", "hello"), 400),
    "a NUL in the place of a colon": (with_lines("Host: localhost", "X-A\0a"), 400),
    "a length that is no number": (with_lines("Host: localhost", "Content-Length: many"), 400),
    "a negative length": (with_lines("Host: localhost", "Content-Length: -1"), 400),
    "a signed length": (with_lines("Host: localhost", "Content-Length: +5"), 400),
    "a list of lengths": (with_lines("Host: localhost", "Content-Length: 5, 5"), 400),
    "a hexadecimal length": (with_lines("Host: localhost", "Content-Length: 0x10"), 400),
    "a length beyond 64 bits": (with_lines("Host: localhost", "Content-Length: 99999999999999999999"), 413),
    "no version": (b"GET /v1/openapi.yaml\r\n\r\n", 400),
    "a version that is none": (with_lines("Host: localhost", first="GET / HTTQ/1.1"), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "a target of 40 KiB": (b"GET /" + b"a" * 40960 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "headers of 40 KiB": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 40960 + b"\r\n\r\n", 431),
}


@pytest.mark.parametrize("data, status", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_request_that_cannot_be_read_is_refused_and_the_connection_ends(raw, data, status):
    raw.send(data + request("GET", "/v1/openapi.yaml"))
    assert raw.reply().status == status
    assert b" 200 " not in raw.rest(), "what came behind it was read as a request"


@pytest.mark.parametrize("encoding", ["chunked", "gzip, chunked", "identity"])
def test_a_body_without_declared_length_is_refused(raw, world, encoding):
    raw.send(request("POST", headers=[JSON, f"Transfer-Encoding: {encoding}"], key=world.api_key) +
             b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
    expect(raw.reply(), 411, "length-required")
    assert raw.is_closed()


def test_a_target_of_2_kib_is_read_and_one_byte_more_is_too_long(raw, world):
    path = "/v1/openapi.yaml?"
    raw.send(request("GET", path + "a" * (2048 - len(path))))
    expect(raw.reply(), 422, "invalid")
    raw.send(request("GET", path + "a" * (2049 - len(path))))
    expect(raw.reply(), 414, "uri-too-long")
    assert raw.is_closed()


def test_headers_of_16_kib_are_read_and_one_byte_more_is_too_large(raw):
    def of_size(size):
        bare = len(request("GET", "/v1/openapi.yaml", headers=["X-A: "]))
        return request("GET", "/v1/openapi.yaml", headers=["X-A: " + "a" * (size - bare)])
    raw.send(of_size(16384))
    assert raw.reply().status == 200
    raw.send(of_size(16385))
    expect(raw.reply(), 431, "headers-too-large")
    assert raw.is_closed()


def test_a_hundred_headers_are_read_and_one_more_is_too_many(raw):
    def of_count(count):
        bare = request("GET", "/v1/openapi.yaml").count(b"\r\n") - 2
        return request("GET", "/v1/openapi.yaml", headers=["X-A: a"] * (count - bare))
    raw.send(of_count(100))
    assert raw.reply().status == 200
    raw.send(of_count(101))
    expect(raw.reply(), 431, "headers-too-large")
    assert raw.is_closed()


# --- targets and methods ---------------------------------------------------------------------------------------------

def routes():
    """[(listener, method, path, scope, body limit, class, query)] as the program says."""
    program = worlds.OBJ / "authd/authd-testclock"
    return [line.split(" ", 6) for line in subprocess.run([program, "--routes"], stdout=subprocess.PIPE, text=True,
                                                          check=True).stdout.splitlines()]


def api_paths():
    """{path: methods} of the API, with parameters filled in; a path may fit more than one template."""
    rows = [(method, path) for listener, method, path, *_ in routes() if listener == "api"]
    filled = {re.sub(r"\{\w+\}", NO_ACCOUNT, path.replace("{challenge}", "A" * 43)) for _, path in rows}
    return {path: {method for method, template in rows if re.fullmatch(re.sub(r"\{\w+\}", r"[\\w-]+", template), path)}
            for path in sorted(filled)}


@pytest.mark.parametrize("path, methods", api_paths().items())
def test_a_method_that_a_path_has_not_is_refused_with_those_that_it_has(raw, path, methods):
    served = methods | ({"HEAD"} if "GET" in methods else set())
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO", "get", "PROPFIND"):
        if method in served:
            continue
        reply = raw.send(request(method, path)).reply()
        expect(reply, 405, "method-not-allowed")
        assert set(reply.headers["allow"].split(", ")) == served


@pytest.mark.parametrize("path", [
    "/", "/v1", "/v1/", "/v2/logins", "/v1/logins/", "//v1/logins", "/v1//logins", "/v1/./logins", "/v1/x/../logins",
    "/V1/logins", "/v1/login%73", "/v1%2Flogins", "/v1/logins;a=b", "/v1/accounts/../logins", "/healthz", "/readyz",
    "/metrics", "*", "/v1/openapi.yaml%00", "/v1/openapi.yaml/", "http://localhost", "https://localhost/metrics"])
def test_a_path_has_one_spelling(raw, world, path):
    for method in ("GET", "POST"):
        expect(raw.send(request(method, path, key=world.api_key)).reply(), 404, "not-found")


@pytest.mark.parametrize("bad", ["x", "%00", "00000000-0000-4000-8000-00000000000g", NO_ACCOUNT.upper() + "A",
                                 "..", "a" * 65])
def test_an_account_id_of_another_form_is_not_found(raw, world, bad):
    expect(raw.send(request("GET", f"/v1/accounts/{bad}", key=world.api_key)).reply(), 404, "not-found")


@pytest.mark.parametrize("target", ["https://localhost/v1/openapi.yaml", "HTTPS://LOCALHOST:1234/v1/openapi.yaml",
                                    "http://elsewhere.example/v1/openapi.yaml"])
def test_a_target_in_absolute_form_is_the_path_in_it(raw, target):
    assert raw.send(request("GET", target)).reply().status == 200


@pytest.mark.parametrize("query, field", [("x=1", "x"), ("x", "x"), ("limit=1", "limit"), ("=1", ""), ("a=1&a=2", "a")])
def test_a_query_parameter_that_a_route_has_not_is_refused(raw, world, query, field):
    for path in ("/v1/openapi.yaml", f"/v1/accounts/{NO_ACCOUNT}"):
        reply = raw.send(request("GET", f"{path}?{query}", key=world.api_key)).reply()
        expect(reply, 422, "invalid", field=field)


def test_head_is_get_without_the_body(raw, world):
    for path in ("/v1/openapi.yaml", f"/v1/accounts/{NO_ACCOUNT}", "/nowhere"):
        full = raw.send(request("GET", path, key=world.api_key)).reply()
        head = raw.send(request("HEAD", path, key=world.api_key)).reply(head_only=True)
        changing = ("date", "x-request-id")
        assert head.status == full.status
        assert {n: v for n, v in head.headers.items() if n not in changing} == \
               {n: v for n, v in full.headers.items() if n not in changing}


# --- too slow, too many ----------------------------------------------------------------------------------------------

class SlowSenders:
    """Connections that send a byte now and then, so that none is ever silent: half of them in the handshake of TLS, half
    in the headers of a request.  Use it in a with statement."""

    def __init__(self, authd, ca, count):
        context = tls_context(ca)
        self.sent = 0
        self.head = request("POST", headers=[JSON, LENGTH, "X-Slow: " + "s" * 8000])
        self.hello = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + b"h" * 8000
        self.sockets = [connect(authd.url, None if number % 2 else context) for number in range(count)]

    def send_a_byte(self):
        for number, sender in enumerate(self.sockets):
            data = self.hello if number % 2 else self.head
            with contextlib.suppress(OSError):      # cut already
                sender.send(data[self.sent:self.sent + 1])
        self.sent += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sender in self.sockets:
            sender.close()


def test_a_thousand_slow_senders_do_not_stop_the_service(fresh_world):
    fresh_world.changes.update({("workers", "request_deadline_s"): 600, ("workers", "idle_timeout_s"): 600})
    authd = fresh_world.start().authd
    before = authd.metric("process_open_fds")
    with SlowSenders(authd, fresh_world.ca, 1000) as senders:
        for _ in range(10):
            senders.send_a_byte()
            assert authd.metric("counterfoil_connections") >= 1000
            expect(fresh_world.api().login(someone(), CREDENTIALS["password"]), 403, "denied")
            assert authd.management("/healthz") == 200
    worlds.wait_until(lambda: authd.metric("process_open_fds") <= before + 16, "the descriptors to be back")


@pytest.fixture
def hasty_world(fresh_world):
    """A world whose authd waits a few seconds for a request."""
    fresh_world.changes[("workers", "request_deadline_s")] = 3
    return fresh_world.start()


def test_slow_senders_are_cut_at_their_deadline(hasty_world):
    authd = hasty_world.authd
    with SlowSenders(authd, hasty_world.ca, 20) as senders:
        def all_are_cut():
            senders.send_a_byte()
            return authd.metric("counterfoil_connections_cut_total") >= 20
        worlds.wait_until(all_are_cut, "slow senders to be cut")
    assert hasty_world.sign_in(hasty_world.customer()).status_code == 200


def test_a_reader_that_never_reads_is_cut(hasty_world):
    with Raw(hasty_world.authd.url, hasty_world.ca, timeout=60) as raw:
        raw.socket.setsockopt(1, 8, 2048)               # SOL_SOCKET, SO_RCVBUF
        raw.socket.settimeout(1)
        before = hasty_world.authd.metric("counterfoil_connections_cut_total")
        raw.send(request("GET", "/v1/openapi.yaml") * 400)
        worlds.wait_until(lambda: hasty_world.authd.metric("counterfoil_connections_cut_total") > before,
                          "the deaf connection to be cut", 40)


def test_after_all_of_that_the_process_is_the_same(world):
    """The bad requests again and again: memory and descriptors stay where they were."""
    def everything():
        for data in list(AMBIGUOUS.values()) + [data for data, _ in UNREADABLE.values()]:
            with Raw(world.authd.url, world.ca) as raw:
                raw.send(data).reply()
        for body in NOT_JSON.values():
            post(world, body)

    pid = world.authd.process.pid
    for _ in range(2):
        everything()                    # pools and caches fill once
    memory, descriptors = world.authd.metric("process_resident_memory_bytes"), world.authd.metric("process_open_fds")
    for _ in range(3):
        everything()
    assert world.authd.process.poll() is None and world.authd.process.pid == pid
    worlds.wait_until(lambda: world.authd.metric("process_open_fds") <= descriptors + 4, "the descriptors to be back")
    if not worlds.sanitized():          # which keeps freed memory on purpose
        assert world.authd.metric("process_resident_memory_bytes") - memory < 4 * 1024 * 1024
    account = world.customer()
    assert world.sign_in(account).status_code == 200
