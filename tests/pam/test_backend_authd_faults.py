"""Back end authd against a service that does everything wrong: through libpam, the module and its helper.
Whatever comes, only the right allow lets anybody in, and only an outage is ever ignored."""

import dataclasses
import email.utils
import gzip
import json
import socket
import ssl
import subprocess
import time

import pytest

import fault_service as faults
import pam_wire
import pam_world
import service_host
import world as worlds

GOOD = ("seven lanterns", "123456")
UNAVAILABLE, UNUSABLE = ("AUTHINFO_UNAVAIL", "ERR", "unavailable"), ("AUTHINFO_UNAVAIL", "CRIT", "bad_reply")
OVERLOADED, REFUSED = ("AUTHINFO_UNAVAIL", "CRIT", "overloaded"), ("SERVICE_ERR", "CRIT", "host_refused")
PORTAL = b"<html>Please log in to the hotel's network</html>"
ALLOW_TEXT = json.dumps({"answer": "allow"}).encode()


@pytest.fixture(scope="module")
def service(cluster):
    made = faults.FaultService(cluster.certificates)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def host(service, tmp_path):
    made = service_host.ServiceHost(tmp_path / "host", f"https://localhost:{service.port}", service.certificates,
                                    service.api_key)
    made.configure()
    yield made
    service.over.set()
    service.over.clear()


@dataclasses.dataclass
class Fault:
    """What a service does, and what it comes to: the code of PAM, the log's priority and reason, a piece of its detail."""
    act: object
    outcome: tuple
    detail: str
    seconds: int = 20       # timeout_total
    questions: int = 1      # whole ones that reached the service


def body(text):
    """A body that is signed, whatever it is."""
    def spoil(reply):
        reply.body = text if isinstance(text, bytes) else text(reply)
    return faults.replies(spoil)


def headers(answer="allow", **values):
    def spoil(reply):
        reply.headers.update({name.replace("_", "-"): value for name, value in values.items()})
    return faults.replies(spoil, answer=answer)


def doubled(reply):
    return reply.body[:-1] + b', "answer": "allow"}'


def nested(reply):
    return json.dumps({**json.loads(reply.body), "more": {"answer": "allow"}}).encode()


def zipped(reply):
    reply.headers["Content-Encoding"] = "gzip"
    reply.body = gzip.compress(reply.body)


def bomb(reply):
    reply.headers["Content-Encoding"] = "gzip"
    reply.body = gzip.compress(b"a" * (1 << 21))[:4000]


def sign(**others):
    """Right in all but what the code was computed over."""
    def spoil(reply):
        reply.sign(**others)
    return faults.replies(spoil)


def emptied(reply):
    reply.mac = ""


def twice_signed(reply):
    data = reply.sign().encode()
    return data.replace(b"\r\n\r\n", f"\r\n{faults.MAC_HEADER}: {reply.mac}\r\n\r\n".encode(), 1)


def another_version(reply):
    reply.body = reply.body.replace(b'"v": 1', b'"v": 2')


def reset_after_question(service, raw):
    connection = service.tls(raw)
    service.question(connection)
    faults.reset(connection)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
OTHER_ID = "00000000-0000-4000-8000-000000000000"

FAULTS = {
    # the network
    "a reset instead of a handshake": Fault(faults.resets, UNAVAILABLE, "localhost", questions=0),
    "an end instead of a handshake": Fault(lambda service, raw: raw.recv(65536), UNAVAILABLE, "localhost", questions=0),
    "not a byte": Fault(faults.hangs, UNAVAILABLE, "", 1, questions=0),
    "half a handshake, then nothing": Fault(faults.hangs_in_handshake, UNAVAILABLE, "", 1, questions=0),
    "half a handshake, then the end": Fault(faults.ends_in_handshake, UNUSABLE, "", questions=0),
    "no reply": Fault(faults.hangs_after_question, UNAVAILABLE, "", 4),
    "a reply drop by drop": Fault(faults.drips, UNAVAILABLE, "", 4),
    "a reset in the place of both replies": Fault(reset_after_question, UNAVAILABLE, "", questions=2),
    "an end in the place of both replies": Fault(faults.loses_reply, UNAVAILABLE, "", questions=2),
    "half a head, twice": Fault(faults.cuts_reply(40), UNUSABLE, "", questions=2),
    "a body without its last byte, twice": Fault(faults.cuts_reply(-1), UNUSABLE, "", questions=2),
    # whom to trust
    "plain HTTP": Fault(faults.speaks_plainly, UNUSABLE, "", questions=0),
    "an expired certificate": Fault("expired", UNUSABLE, "certificate", questions=0),
    "a certificate of tomorrow": Fault("future", UNUSABLE, "certificate", questions=0),
    "a self-signed certificate": Fault("self-signed", UNUSABLE, "certificate", questions=0),
    "another authority's certificate": Fault("foreign", UNUSABLE, "certificate", questions=0),
    "another name's certificate": Fault("wrong-name", UNUSABLE, "certificate", questions=0),
    "TLS 1.2": Fault(faults.replies(version=ssl.TLSVersion.TLSv1_2), UNUSABLE, "", questions=0),
    # other statuses
    "204": Fault(faults.status("204 No Content"), UNUSABLE, "status 204"),
    "201 with an allow": Fault(faults.status("201 Created", ALLOW_TEXT, "application/json"), UNUSABLE, "status 201"),
    "302 to itself": Fault(faults.status("302 Found", Location="/v1/pam/verify"), UNUSABLE, "status 302"),
    "307 elsewhere": Fault(faults.status("307 Temporary Redirect", Location="http://localhost:1/"), UNUSABLE, "status 307"),
    "400": Fault(faults.status("400 Bad Request"), UNUSABLE, "status 400"),
    "401": Fault(faults.status("401 Unauthorized", WWW_Authenticate="Bearer"), REFUSED, "revoked, expired or unknown"),
    "401 that asks for another way": Fault(faults.status("401 Unauthorized", WWW_Authenticate="Negotiate"), REFUSED, "401"),
    "403": Fault(faults.status("403 Forbidden"), REFUSED, "lacks scope pam"),
    "404": Fault(faults.status("404 Not Found"), UNUSABLE, "status 404"),
    "407": Fault(faults.status("407 Proxy Authentication Required"), UNUSABLE, "status 407"),
    "429": Fault(faults.status("429 Too Many Requests", Retry_After="1"), OVERLOADED, "status 429"),
    "500": Fault(faults.status("500 Internal Server Error"), UNUSABLE, "status 500"),
    "502 of something between": Fault(faults.status("502 Bad Gateway", b"<html>", "text/html"), UNUSABLE, "status 502"),
    "503": Fault(faults.status("503 Service Unavailable", b'{"type":"https://x/problems/unavailable"}'), UNAVAILABLE,
                 "status 503"),
    "503 of something between": Fault(faults.status("503 Service Unavailable", b"<html>" * 2000, "text/html"), UNAVAILABLE,
                                      "status 503"),
    "503 for too much work": Fault(faults.status("503 Service Unavailable", b'{"type":"https://x/problems/overloaded"}'),
                                   OVERLOADED, "status 503"),
    # bodies that are none
    "200 and nothing": Fault(body(b""), UNUSABLE, "not one flat JSON object"),
    "a captive portal": Fault(faults.status("200 OK", PORTAL, "text/html"), UNUSABLE, "not application/json"),
    "a captive portal that says JSON": Fault(faults.status("200 OK", PORTAL, "application/json"), UNUSABLE, "no Counterfoil-MAC"),
    "text that is none": Fault(body(b"\xff\xfe{}"), UNUSABLE, "not one flat JSON object"),
    "half of JSON": Fault(body(lambda reply: reply.body[:-1]), UNUSABLE, "not one flat JSON object"),
    "a list": Fault(body(lambda reply: b"[" + reply.body + b"]"), UNUSABLE, "not one flat JSON object"),
    "deep JSON": Fault(body(b"[" * 2000 + b"]" * 2000), UNUSABLE, "not one flat JSON object"),
    "an object inside": Fault(body(nested), UNUSABLE, "not one flat JSON object"),
    "a field twice": Fault(body(doubled), UNUSABLE, "not one flat JSON object"),
    "bytes behind the JSON": Fault(body(lambda reply: reply.body + b"{}"), UNUSABLE, "not one flat JSON object"),
    "4 KiB and one": Fault(body(lambda reply: reply.body + b" " * (4097 - len(reply.body))), UNUSABLE, "more than 4 KiB"),
    "64 MiB, as it says": Fault(faults.floods(HEAD + b"Content-Length: 67108864\r\n\r\n"), UNUSABLE, "more than 4 KiB"),
    "64 MiB in chunks": Fault(faults.floods(HEAD + b"Transfer-Encoding: chunked\r\n\r\n4000000\r\n"), UNUSABLE, "more than 4 KiB"),
    "64 MiB without an end": Fault(faults.floods(HEAD + b"\r\n"), UNUSABLE, "more than 4 KiB"),
    "64 MiB of headers": Fault(faults.floods(HEAD + b"X: "), UNUSABLE, ""),
    "compressed": Fault(faults.replies(zipped), UNUSABLE, "not application/json as it is"),
    "a compressed flood": Fault(faults.replies(bomb), UNUSABLE, "not application/json as it is"),
    "another type": Fault(headers(Content_Type="text/json"), UNUSABLE, "not application/json"),
    "no type": Fault(headers(Content_Type=None), UNUSABLE, "not application/json"),
    "HTTP/0.9": Fault(faults.replies(lambda reply: reply.sign().body), UNUSABLE, ""),
    # somebody else's reply
    "an allow without a code": Fault(faults.replies(sign=False), UNUSABLE, "no Counterfoil-MAC"),
    "an allow with an empty code": Fault(faults.replies(emptied), UNUSABLE, "the reply "),
    "an allow with two codes": Fault(faults.replies(twice_signed), UNUSABLE, "no Counterfoil-MAC"),
    "a code of another request": Fault(sign(request_id=OTHER_ID), UNUSABLE, "not bound to this request"),
    "a code of another operation": Fault(sign(operation="look"), UNUSABLE, "not bound to this request"),
    "a code of another host": Fault(sign(host="2" * 16), UNUSABLE, "not bound to this request"),
    "a code of another question": Fault(sign(question=b"{}"), UNUSABLE, "not bound to this request"),
    "a code under another key": Fault(sign(secret="B" * 43), UNUSABLE, "not bound to this request"),
    "another request": Fault(faults.replies(request_id=OTHER_ID), UNUSABLE, "another request"),
    "another user": Fault(faults.replies(user="mallory"), UNUSABLE, "another user"),
    "a longer user": Fault(faults.replies(user="root\0"), UNUSABLE, ""),
    "another host": Fault(faults.replies(host="2" * 16), UNUSABLE, "another host"),
    "another operation": Fault(faults.replies(operation="look"), UNUSABLE, "another operation"),
    "another version": Fault(faults.replies(another_version), UNUSABLE, "another version"),
    "no user": Fault(faults.replies(user=None), UNUSABLE, "another user"),
    # answers that are none
    "no answer": Fault(faults.replies(answer=None), UNUSABLE, "no answer that decides"),
    "an answer in capitals": Fault(faults.replies(answer="ALLOW"), UNUSABLE, "no answer that decides"),
    "a number for an answer": Fault(faults.replies(answer=0x5AFE), UNUSABLE, "no answer that decides"),
    "an outage as a decision": Fault(faults.replies(answer="unavailable"), UNUSABLE, "no answer that decides"),
    "a flag that is none": Fault(faults.replies(must_change="no"), UNUSABLE, "of another kind"),
    "a negative number": Fault(faults.replies(retry_after_s=-1), UNUSABLE, "of another kind"),
    "a ticket that nobody asked for": Fault(faults.replies(ticket="cft1.1795522736.1795551536." + "A" * 86), UNUSABLE, "of another kind"),
    "a ticket that is none": Fault(faults.replies(ticket=1), UNUSABLE, "of another kind"),
    "a reason with a line's end": Fault(faults.replies(reason="granted\n"), UNUSABLE, "of another kind"),
}


CA_CONF = """[ca]
default_ca = future
[future]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
policy = names
[names]
commonName = supplied
[names_of_host]
{names}
"""


def of_tomorrow(certificates, folder):
    """Certificate and key that are good from tomorrow on, as for a host whose clock is a day behind."""
    _, key = certificates.issue("future", "localhost", certificates.NAMES)
    (folder / "conf").write_text(CA_CONF.format(folder=folder, names=certificates.NAMES))
    (folder / "index").touch()
    worlds.run("openssl", "req", "-new", "-key", key, "-subj", "/CN=localhost", "-out", folder / "request")
    begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400)) for days in (1, 30))
    worlds.run("openssl", "ca", "-batch", "-notext", "-config", folder / "conf", "-extensions", "names_of_host", "-md", "sha256",
               "-cert", certificates.ca, "-keyfile", certificates.ca_key, "-startdate", begin,
               "-enddate", end, "-in", folder / "request", "-out", folder / "future.pem")
    return folder / "future.pem", key


@pytest.fixture(scope="module")
def certificates(cluster, tmp_path_factory):
    """Acts of servers that should not be trusted."""
    issue, names = cluster.certificates.issue, cluster.certificates.NAMES
    foreign = worlds.Certificates(tmp_path_factory.mktemp("foreign")).ensure()
    made = {"future": of_tomorrow(cluster.certificates, tmp_path_factory.mktemp("future")),
            "expired": issue("expired", "localhost", names, days=-1),
            "wrong-name": issue("wrong-name", "elsewhere", "subjectAltName=DNS:elsewhere.example"),
            "self-signed": (foreign.ca, foreign.ca_key), "foreign": (foreign.certificate, foreign.key)}
    return {name: faults.replies(certificate=pair) for name, pair in made.items()}


@pytest.mark.parametrize("fail", ["closed", "ignore_unavailable"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_lets_nobody_in_and_only_an_outage_is_ignored(host, service, certificates, name, fail):
    fault = FAULTS[name]
    host.configure(timeout_total=fault.seconds, timeout_connect=fault.seconds, fail=fail)

    def attempt():
        service.play(certificates.get(fault.act, fault.act))
        return host.run("auth", answers=GOOD)
    done = pam_world.itself(attempt)
    code, priority, reason = fault.outcome
    ignored = fail == "ignore_unavailable" and fault.outcome == UNAVAILABLE
    assert done["auth"] == ("PERM_DENIED" if ignored else code), done.log     # libpam's word where nobody decides
    assert done.entry["pam"] == ("IGNORE" if ignored else code)
    assert (done.entry.priority, done.entry["reason"], done.entry["backend"]) == (priority, reason, "authd")
    assert fault.detail in done.entry["detail"]
    assert len(service.questions) == fault.questions
    assert service.secret not in done.entry.text and GOOD[0] not in done.entry.text


@pytest.mark.parametrize("fail", ["closed", "ignore_unavailable"])
def test_a_port_that_nobody_listens_on_is_an_outage(host, fail):
    host.configure(fail=fail)
    host.write_helper_conf(url=f"https://localhost:{worlds.free_port()}")
    done = host.run("auth", answers=GOOD)
    assert done.entry["pam"] == ("IGNORE" if fail == "ignore_unavailable" else "AUTHINFO_UNAVAIL")
    assert (done.entry.priority, done.entry["reason"]) == ("ERR", "unavailable") and "localhost" in done.entry["detail"]


def test_a_connection_that_nobody_accepts_ends_with_the_time_for_connections(host):
    """A full backlog: the handshake of TCP is done by nobody."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        with socket.create_connection(deaf.getsockname()), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(deaf.getsockname())
            host.configure(timeout_total=20, timeout_connect=1)
            host.write_helper_conf(url=f"https://127.0.0.1:{deaf.getsockname()[1]}")
            done = host.run("auth", answers=GOOD)
    assert done["auth"] == "AUTHINFO_UNAVAIL" and done.entry["reason"] == "unavailable"
    assert 900 <= int(done.entry["ms"]) < 15000


# --- what is right ---------------------------------------------------------------------------------------------------

def test_the_right_allow_lets_in(host, service):
    service.play(faults.replies())
    done = host.run("auth", answers=GOOD, options=["--item", "rhost=203.0.113.7"], user="root")
    assert done["auth"] == "SUCCESS" and done.entry["reason"] == "granted" and done.entry["backend"] == "authd"
    question, = service.questions
    assert (question.method, question.path) == ("POST", "/v1/pam/verify")
    assert question.headers["authorization"] == f"Bearer {service.api_key}"
    assert question.headers["content-type"] == "application/json"
    assert "accept-encoding" not in question.headers and "cookie" not in question.headers
    assert question.fields.pop("request_id") == done.entry["request_id"]
    assert question.fields == {"operation": "verify", "user": "root", "service": "desk", "factors": "password+otp",
                               "password": GOOD[0], "code": GOOD[1], "rhost": "203.0.113.7"}


def test_what_stands_behind_a_reply_is_no_part_of_it(host, service):
    service.play(faults.replies(lambda reply: reply.sign().encode() + b"HTTP/1.1 500 Oh\r\n\r\n"))
    assert host.run("auth", answers=GOOD)["auth"] == "SUCCESS"


def test_a_field_that_a_later_version_adds_is_passed_over(host, service):
    service.play(faults.replies(colour="green"))
    assert host.run("auth", answers=GOOD)["auth"] == "SUCCESS"


@pytest.mark.parametrize("lost", [faults.loses_reply, reset_after_question, faults.cuts_reply(100)])
def test_a_lost_reply_is_asked_for_once_more_with_the_same_request(host, service, lost):
    service.play(lost, faults.replies())
    done = host.run("auth", answers=GOOD)
    assert done["auth"] == "SUCCESS"
    first, second = service.questions
    assert first.body == second.body and first.fields["request_id"] == done.entry["request_id"]


def test_an_old_allow_is_good_for_nothing(host, service):
    """Recorded whole, with its code, and played to the next request of the same person."""
    recorded = []
    service.play(faults.replies(lambda reply: recorded.append(reply.sign().encode())))
    assert host.run("auth", answers=GOOD)["auth"] == "SUCCESS"
    service.play(faults.replies(lambda reply: recorded[0]))
    done = host.run("auth", answers=GOOD)
    assert done["auth"] == "AUTHINFO_UNAVAIL" and "not bound to this request" in done.entry["detail"]


ANSWERS = [("deny", {}, "AUTH_ERR", "PERM_DENIED"), ("unknown_user", {}, "USER_UNKNOWN", "USER_UNKNOWN"),
           ("not_enrolled", {"password_right": True}, "CRED_INSUFFICIENT", "PERM_DENIED"),
           ("not_enrolled", {"password_right": False}, "AUTH_ERR", "PERM_DENIED"),
           ("throttled", {"retry_after_s": 60}, "AUTH_ERR", "PERM_DENIED"), ("locked", {}, "AUTH_ERR", "PERM_DENIED"),
           ("expired", {}, "AUTH_ERR", "ACCT_EXPIRED"), ("change_required", {}, "AUTH_ERR", "NEW_AUTHTOK_REQD")]


@pytest.mark.parametrize("answer,fields,code,account_code", ANSWERS)
def test_each_decision_has_its_code(host, service, answer, fields, code, account_code):
    service.play(faults.replies(answer=answer, reason="because", **fields))
    host.configure(account="status")
    done = host.run("auth", "acct", answers=GOOD)
    assert (done["auth"], done["acct"]) == (code, account_code)
    assert [question.path for question in service.questions] == ["/v1/pam/verify", "/v1/pam/account"]


# --- whom the host trusts --------------------------------------------------------------------------------------------

def test_a_pin_alone_is_enough_and_still_checks_the_name(host, service, certificates):
    service.play(faults.replies())
    pin = service_host.pin_of(service.certificates.certificate)
    host.write_helper_conf(ca_file=None, pin=pin)
    assert host.run("auth", answers=GOOD)["auth"] == "SUCCESS"
    host.write_helper_conf(ca_file=None, pin=f"sha256//{'A' * 43}=;{pin}")
    assert host.run("auth", answers=GOOD)["auth"] == "SUCCESS"
    service.play(certificates["wrong-name"])
    host.write_helper_conf(ca_file=None, pin=service_host.pin_of(service.certificates.directory / "wrong-name.pem"))
    assert host.run("auth", answers=GOOD)["auth"] == "AUTHINFO_UNAVAIL"


@pytest.mark.parametrize("with_ca", [True, False])
def test_another_key_than_the_pinned_one_is_refused(host, service, with_ca):
    service.play(faults.replies())
    host.configure(fail="ignore_unavailable")
    host.write_helper_conf(pin=f"sha256//{'A' * 43}=", **({} if with_ca else {"ca_file": None}))
    done = host.run("auth", answers=GOOD)
    assert done["auth"] == "AUTHINFO_UNAVAIL" and done.entry.priority == "CRIT" and service.questions == []


@pytest.mark.parametrize("what", ["another authority", "no authority"])
def test_only_the_authority_that_is_named_counts(host, service, tmp_path, what):
    other = worlds.Certificates(tmp_path / "other").ensure()
    service.play(faults.replies())
    host.configure(fail="ignore_unavailable")
    host.write_helper_conf(ca_file=other.ca if what == "another authority" else "/etc/hostname")
    done = host.run("auth", answers=GOOD)
    assert (done["auth"], done.entry.priority) == ("AUTHINFO_UNAVAIL", "CRIT") and service.questions == []


MISCONFIGURED = {
    "no url": ({"url": None}, "lacks the key url"),
    "http": ({"url": "http://localhost:1"}, "is not https://"),
    "a path in the url": ({"url": "https://localhost/x"}, "is not https://"),
    "a user in the url": ({"url": "https://a@localhost"}, "is not https://"),
    "nobody to trust": ({"ca_file": None}, "neither ca_file nor pin"),
    "a CA file that is not there": ({"ca_file": "/nonexistent/ca.pem"}, "there is no such file"),
    "a relative CA file": ({"ca_file": "ca.pem"}, "no absolute path"),
    "a pin that would be a file": ({"pin": "/etc/passwd"}, "pin is not sha256//"),
    "a short pin": ({"pin": "sha256//AAAA"}, "pin is not sha256//"),
    "no key": ({"host_key_file": "/nonexistent/host.key"}, "there is no such file"),
    "a word that is no key": ({"key": "secret"}, "must hold one line, cf_ID_SECRET"),
    "two keys": ({"key": "cf_2123456789abcdef_" + "A" * 43 + "\n" + "x"}, "limit is 64"),
    "a key of the shop's": ({"key": "cf_1123456789abcdef_" + "A" * 43}, "a key of realm store"),
    "a key that others may read": ({"key_mode": 0o644}, "mode 0644"),
    "a key that its group may read": ({"key_mode": 0o640}, "mode 0640"),
    "a setting that there is none of": ({"more": "proxy = x\n"}, "there is no key"),
}


@pytest.mark.parametrize("what", MISCONFIGURED)
def test_a_mistake_in_the_configuration_refuses_whatever_fail_says(host, service, what):
    changes, detail = MISCONFIGURED[what]
    service.play(faults.replies())
    host.configure(fail="ignore_unavailable")
    host.write_helper_conf(**changes)
    done = host.run("auth", answers=GOOD)
    assert (done["auth"], done.entry.priority, done.entry["reason"]) == ("SERVICE_ERR", "CRIT", "misconfigured"), done.log
    assert detail in done.entry["detail"] and service.questions == []


def test_a_key_with_two_names_or_behind_a_link_is_refused(host, service):
    service.play(faults.replies())
    key = host.directory / "host.key"
    (host.directory / "copy").hardlink_to(key)
    assert "has 2 names" in host.run("auth", answers=GOOD).entry["detail"]
    (host.directory / "copy").unlink()
    (host.directory / "link").symlink_to(key)
    host.write_helper_conf(host_key_file=host.directory / "link")
    assert "symbolic link" in host.run("auth", answers=GOOD).entry["detail"]
    assert service.questions == []


def hostile(folder):
    """An environment that has libraries go elsewhere, trust others and write keys down; and the files that it names."""
    (folder / ".netrc").write_text("machine localhost login a password b\n")
    (folder / ".curlrc").write_text("insecure\n")
    return {"https_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1", "ALL_PROXY": "socks5://127.0.0.1:1",
            "HOME": str(folder), "SSLKEYLOGFILE": str(folder / "keys"), "SSL_CERT_FILE": "/etc/hostname",
            "CURL_CA_BUNDLE": "/etc/hostname", "GNUTLS_SYSTEM_PRIORITY_FILE": "/etc/hostname"}


def test_no_proxy_no_netrc_no_key_log_whatever_the_environment_says(host, service, tmp_path):
    service.play(faults.replies())
    assert host.run("auth", answers=GOOD, environment=hostile(tmp_path))["auth"] == "SUCCESS"
    assert service.questions[0].headers["authorization"].startswith("Bearer cf_")
    assert not (tmp_path / "keys").exists()


def test_whoever_starts_the_helper_itself_gives_it_no_environment(host, service, tmp_path):
    """A set-gid helper is started by whoever likes to."""
    service.play(faults.replies())
    reply, status = pam_wire.ask(worlds.installed("pam-helper"), host.helper_conf,
                                 pam_wire.request("root", backend="authd", password=GOOD[0], code=GOOD[1]),
                                 environment=hostile(tmp_path))
    assert (reply["answer"], status) == (pam_world.ANSWERS["allow"], 0) and not (tmp_path / "keys").exists()


def test_neither_database_nor_keyring_is_looked_at(host, service):
    service.play(faults.replies())
    host.write_helper_conf("[database]\nurl = host=nowhere.invalid\n[keys]\nkeyring = /nonexistent\n")
    assert host.run("auth", answers=GOOD)["auth"] == "SUCCESS"


# --- the other operations --------------------------------------------------------------------------------------------

def test_a_session_goes_to_the_trail_with_the_person_and_whose_it_is(host, service):
    service.play(faults.replies())
    done = host.run("auth", "user:daemon", "open", "close", answers=GOOD, options=["--item", "tty=pts/3"])
    assert (done["open"], done["close"]) == ("SUCCESS", "SUCCESS")
    _, opened, closed = service.questions
    assert (opened.path, opened.operation, closed.path, closed.operation) == ("/v1/pam/session", "open", "/v1/pam/session", "close")
    assert {name: value for name, value in opened.fields.items() if name != "request_id"} == {
        "operation": "open", "user": "root", "target": "daemon", "service": "desk", "tty": "pts/3"}
    assert [entry["reason"] for entry in done.log[1:]] == ["session", "session"]


def test_a_session_begins_and_ends_whatever_the_service_does(host, service):
    for act in (faults.hangs, faults.resets, faults.status("401 Unauthorized"), faults.replies(sign=False)):
        service.play(act)
        host.configure(timeout_total=30, timeout_connect=1, account="status")
        done = host.run("open", "close")
        assert (done["open"], done["close"]) == ("SUCCESS", "SUCCESS")
        assert all(entry["reason"] == "not_in_trail" and int(entry["ms"]) < 15000 for entry in done.log)


@pytest.mark.parametrize("service_name, account", [("cron", "status"), ("desk", "off")])
def test_neither_jobs_nor_services_without_an_account_phase_ask_for_a_session(host, service, service_name, account):
    service.play(faults.replies())
    host.configure(account=account)
    done = host.run("acct", "open", "close", service=service_name)
    assert (done["open"], done["close"], service.connections) == ("SUCCESS", "SUCCESS", 0)


def test_a_name_that_no_account_can_have_costs_a_decoy_and_never_lets_in(host, service):
    for changes in ({"answer": "deny"}, {"answer": "unknown_user"}, {"answer": "allow"}):
        service.play(faults.replies(**changes))
        done = host.run("auth", answers=GOOD, user="no\tbody")
        question, = service.questions
        assert (question.operation, question.fields["user"]) == ("decoy", "-") and "password" not in question.fields
        assert done["auth"] == ("AUTHINFO_UNAVAIL" if changes["answer"] == "allow" else "USER_UNKNOWN")


def test_a_new_password_goes_with_the_old_one(host, service):
    service.play(faults.replies())
    done = host.run("chauthtok", answers=[*GOOD, "a new password", "a new password"])
    assert done["chauthtok"] == "SUCCESS"
    assert [question.operation for question in service.questions] == ["verify", "change"]
    change = service.questions[1].fields
    assert (change["password"], change["new_password"]) == (GOOD[0], "a new password") and "code" not in change


@pytest.mark.parametrize("offset_s, words", [(0, None), (-3600, "ahead of the service's"), (3600, "behind the service's")])
def test_a_clock_that_differs_from_the_service_s_is_in_the_log(host, service, offset_s, words):
    when = email.utils.formatdate(time.time() + offset_s, usegmt=True)
    service.play(headers(Date=when))
    host.configure(account="status")
    done = host.run("acct")
    assert done["acct"] == "SUCCESS"
    assert words in done.entry["detail"] if words else "detail" not in done.entry.fields


# --- a first authenticator --------------------------------------------------------------------------------------------

STARTED = {"answer": "enroll_started", "reason": "enroll_started", "factor_id": "12345678-1234-4234-8234-123456789012",
           "secret": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "password_right": None, "must_change": None,
           "otpauth_uri": "otpauth://totp/Shop:bob?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=Shop"}
CODES = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX ZZZZ-EFGH-IJKL-MNOP-QRST-UVWX"
UNENROLLED = faults.replies(answer="not_enrolled", reason="not_enrolled")
TYPED = [GOOD[0], "ABCD-EFGH-IJKL-MNOP-QRST-UVWX", "123456", "654321", ""]


def test_the_page_that_the_service_names_stands_in_the_prompt_before_the_key(host, service):
    url = "https://" + "x" * 192
    done = enrol(host, service, starts(enroll_url=url), faults.replies(recovery_codes=CODES))
    shown = "\n".join(done.lines)
    assert done["auth"] == "SUCCESS" and url not in done.entry.text
    assert f"Open this page where your authenticator app is:\n  {url}\nor give the app this key:\n  ABCD EFGH" in shown
    assert "YZ23 4567\nThen type the code that it shows: " in shown


def starts(spoil=None, **changes):
    return faults.replies(spoil, **{**STARTED, **changes})


def enrol(host, service, *acts, **keys):
    """The whole dialogue; ACTS are what the service does after it has found nobody enrolled."""
    service.play(UNENROLLED, *acts)
    host.configure(unenrolled="enroll", enroll_cidrs="192.0.2.0/24", **keys)
    return host.talk(TYPED, "auth", options=["--item", "rhost=192.0.2.7", "--state"])


def test_the_right_start_and_the_right_confirmation_enrol(host, service):
    done = enrol(host, service, starts(), faults.replies(reason="enrolled", recovery_codes=CODES))
    assert (done["auth"], done.entry["reason"], done.state) == ("SUCCESS", "enrolled", "state same")
    shown = "\n".join(done.lines)
    assert "ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567" in shown and "ZZZZ-EFGH-IJKL-MNOP-QRST-UVWX" in shown
    verify, start, confirm = service.questions
    assert {question.path for question in (start, confirm)} == {"/v1/pam/enroll"}
    for question in (verify, start, confirm):
        del question.fields["request_id"]
    origin = {"user": "root", "service": "desk", "rhost": "192.0.2.7", "enroll_code": "ABCDEFGHIJKLMNOPQRSTUVWX"}
    assert start.fields == {"operation": "start", "password": GOOD[0], **origin}
    assert confirm.fields == {"operation": "confirm", "factor_id": STARTED["factor_id"], "code_before": "123456", "code": "654321",
                              **origin}


ENROL_FAULTS = {
    # the start
    "an allow to the start": ([starts(answer="allow")], UNUSABLE, "allows nobody in"),
    "a start that is not bound": ([faults.replies(sign=False, **STARTED)], UNUSABLE, "no Counterfoil-MAC"),
    "a start of another user": ([starts(user="mallory")], UNUSABLE, "another user"),
    "a start of another request": ([starts(request_id=OTHER_ID)], UNUSABLE, "another request"),
    "a start as another operation": ([starts(operation="confirm")], UNUSABLE, "another operation"),
    "a start without its key": ([starts(secret=None)], UNUSABLE, "lacks what is to be shown"),
    "a start without its id": ([starts(factor_id=None)], UNUSABLE, "lacks what is to be shown"),
    "a start without its picture": ([starts(otpauth_uri=None)], UNUSABLE, "lacks what is to be shown"),
    "a key that moves the cursor": ([starts(secret="ABCD\x1b[2J")], UNUSABLE, "of another kind"),
    "a key too long": ([starts(secret="A" * 65)], UNUSABLE, "of another kind"),
    "an empty key": ([starts(secret="")], UNUSABLE, "of another kind"),
    "a key that is none": ([starts(secret=7)], UNUSABLE, "of another kind"),
    "an id that is none": ([starts(factor_id="../x")], UNUSABLE, "of another kind"),
    "a picture too large": ([starts(otpauth_uri="otpauth://totp/" + "A" * 498)], UNUSABLE, "of another kind"),
    "a picture with a line's end": ([starts(otpauth_uri="otpauth://totp/\n")], UNUSABLE, "of another kind"),
    "a page without TLS": ([starts(enroll_url="http://shop.example/enroll#x")], UNUSABLE, "of another kind"),
    "a page that is none": ([starts(enroll_url="https://")], UNUSABLE, "of another kind"),
    "a page that moves the cursor": ([starts(enroll_url="https://shop.example/\x1b[2J")], UNUSABLE, "of another kind"),
    "a page on two lines": ([starts(enroll_url="https://shop.example/\nPassword:")], UNUSABLE, "of another kind"),
    "a page too long": ([starts(enroll_url="https://" + "x" * 193)], UNUSABLE, "of another kind"),
    "401 to the start": ([faults.status("401 Unauthorized")], REFUSED, "revoked, expired or unknown"),
    "404 of a service that cannot": ([faults.status("404 Not Found")], UNUSABLE, "status 404"),
    "503 to the start": ([faults.status("503 Service Unavailable")], UNAVAILABLE, "status 503"),
    "no reply to the start, twice": ([faults.loses_reply], UNAVAILABLE, ""),
    # the confirmation
    "another start to the confirmation": ([starts()], UNUSABLE, "starts what nobody asked for"),
    "a confirmation that is not bound": ([starts(), faults.replies(sign=False)], UNUSABLE, "no Counterfoil-MAC"),
    "a confirmation bound as a start": ([starts(), sign(operation="start")], UNUSABLE, "not bound to this request"),
    "a confirmation of another request": ([starts(), sign(request_id=OTHER_ID)], UNUSABLE, "not bound to this request"),
    "a confirmation under another key": ([starts(), sign(secret="B" * 43)], UNUSABLE, "not bound to this request"),
    "a confirmation of another user": ([starts(), faults.replies(user="mallory")], UNUSABLE, "another user"),
    "a confirmation as a start": ([starts(), faults.replies(operation="start")], UNUSABLE, "another operation"),
    "codes that move the cursor": ([starts(), faults.replies(recovery_codes="\x1b]0;x")], UNUSABLE, "of another kind"),
    "codes without an end": ([starts(), faults.replies(recovery_codes="A" * 321)], UNUSABLE, "of another kind"),
    "codes in a list": ([starts(), faults.replies(recovery_codes=["A"])], UNUSABLE, "not one flat JSON object"),
    "a confirmation cut off, twice": ([starts(), faults.cuts_reply(-1)], UNUSABLE, ""),
    "no confirmation, twice": ([starts(), faults.loses_reply], UNAVAILABLE, ""),
    "a reset in its place, twice": ([starts(), reset_after_question], UNAVAILABLE, ""),
}


@pytest.mark.parametrize("name", ENROL_FAULTS)
def test_a_fault_while_somebody_enrols_lets_nobody_in_and_is_never_ignored(host, service, name):
    acts, (code, priority, reason), detail = ENROL_FAULTS[name]
    done = enrol(host, service, *acts, fail="ignore_unavailable")
    assert (done["auth"], done.entry.priority, done.entry["reason"]) == (code, priority, reason), done.log
    assert detail in done.entry["detail"] and done.state == "state same"
    assert not [line for line in done.lines if "\x1b" in line]
    for secret in (service.secret, *TYPED[:2], STARTED["secret"]):
        assert secret not in done.entry.text


def test_a_start_and_a_confirmation_that_were_lost_are_asked_for_once_more(host, service):
    done = enrol(host, service, faults.loses_reply, starts(), faults.cuts_reply(100), faults.replies(recovery_codes=CODES))
    assert done["auth"] == "SUCCESS" and service.connections == 5
    _, start, start_again, confirm, confirm_again = service.questions
    assert start.body == start_again.body and confirm.body == confirm_again.body and start.body != confirm.body


def test_a_sign_in_that_is_told_of_a_start_starts_nothing(host, service):
    service.play(starts())
    host.configure(unenrolled="enroll", enroll_cidrs="192.0.2.0/24")
    done = host.talk(TYPED, "auth", options=["--item", "rhost=192.0.2.7"])
    assert (done["auth"], done.entry.priority) == ("AUTHINFO_UNAVAIL", "CRIT") and len(done.prompts) == 2


# --- counterfoil pam check -------------------------------------------------------------------------------------------

def check(host, folder):
    """pam-check of HOST with one good stack: its exit status and what it says."""
    folder.mkdir(exist_ok=True)
    (folder / "desk").write_text("auth required pam_counterfoil.so\naccount required pam_counterfoil.so\n")
    done = subprocess.run([worlds.installed("pam-check"), "--conf", host.conf, "--pam-dir", folder], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def test_pam_check_proves_key_and_code_with_a_user_that_nobody_is(host, service, tmp_path):
    service.play(headers(Date=email.utils.formatdate(usegmt=True), answer="unknown_user"))
    status, said = check(host, tmp_path / "pam.d")
    question, = service.questions
    assert (question.path, question.fields["user"]) == ("/v1/pam/account", "pam-check.invalid")
    assert status == 0 and "ok       back end      it answers: certificate, host key and the code" in said, said
    assert "ok       clock         it agrees with the service's" in said


@pytest.mark.parametrize("act, words", [
    (faults.status("401 Unauthorized"), ["does not take this host's key", "counterfoil client create HOST"]),
    (faults.replies(sign=False, answer="unknown_user"), ["has no Counterfoil-MAC", "is it the service that answers"]),
    ("wrong-name", ["certificate", "is it the service that answers"]),
    (headers(Date="Thu, 01 Jan 2026 00:00:00 GMT", answer="unknown_user"), ["ahead of the service's", "run chrony"]),
])
def test_pam_check_says_what_is_wrong_with_the_service_and_how_to_mend_it(host, service, certificates, tmp_path, act, words):
    service.play(certificates.get(act, act))
    status, said = check(host, tmp_path / "pam.d")
    assert all(word in said for word in words), said
    assert status == (0 if "run chrony" in words else 78)


@pytest.mark.parametrize("what", ["no key", "a key that others may read", "nobody to trust", "a short pin"])
def test_pam_check_says_what_is_wrong_with_the_helper_s_file(host, service, tmp_path, what):
    changes, detail = MISCONFIGURED[what]
    host.write_helper_conf(**changes)
    status, said = check(host, tmp_path / "pam.d")
    assert status == 78 and detail in said and "mend [authd] in pam-helper.conf" in said, said
