"""The transport: versions, ciphers, resumption, and certificates that change under load."""

import contextlib
import socket
import ssl
import subprocess
import threading

import pytest
import requests
import world as worlds
from raw_http import Raw, connect, request, tls_context


def client(world, version=None, ciphers=None):
    """A TLS client that would take anything, so that what is refused was refused by authd."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(world.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1
    if version:
        context.minimum_version = context.maximum_version = version
    context.set_ciphers((ciphers or "ALL:COMPLEMENTOFALL") + ":@SECLEVEL=0")
    return context


def handshake(world, context, url=None):
    """(version, cipher) of a connection, None when it is refused."""
    try:
        with connect(url or world.authd.url, context) as connection:
            return connection.version(), connection.cipher()[0]
    except (ssl.SSLError, ConnectionError):
        return None


@pytest.mark.parametrize("listener", ["url", "pages_url"])
def test_tls_1_3_and_1_2_are_served_and_nothing_older(world, listener):
    url = getattr(world.authd, listener)
    versions = {version.name: handshake(world, client(world, version), url) is not None
                for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2,
                                ssl.TLSVersion.TLSv1_3)}
    assert versions == {"TLSv1": False, "TLSv1_1": False, "TLSv1_2": True, "TLSv1_3": True}
    assert handshake(world, client(world), url)[0] == "TLSv1.3"


def test_only_forward_secret_authenticated_ciphers_are_served(world):
    names = subprocess.run(["openssl", "ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
                           stdout=subprocess.PIPE, text=True, check=True).stdout.strip().split(":")
    assert len(names) > 40
    served = set()
    for name in names:
        with contextlib.suppress(ssl.SSLError):         # a cipher that this client has not
            if handshake(world, client(world, ssl.TLSVersion.TLSv1_2, name)):
                served.add(name)
    assert served == {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(world, version):
    context = client(world, version)

    def one(session):
        plain = socket.create_connection(("localhost", int(world.authd.url.rsplit(":", 1)[1])), 20)
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as connection:
            connection.sendall(request("GET", "/v1/openapi.yaml"))
            assert connection.recv(100).startswith(b"HTTP/1.1 200")     # the ticket of TLS 1.3 has come by now
            return connection.session, connection.session_reused

    session, reused = one(None)
    assert not reused
    assert one(session)[1]


def test_plain_http_gets_no_answer_on_a_tls_listener(world):
    for url in (world.authd.url, world.authd.pages_url):
        with Raw(url) as raw:
            raw.send(request("GET", "/v1/openapi.yaml"))
            assert b"HTTP/" not in raw.rest()


def test_the_management_listener_serves_no_route_of_the_api(world):
    with Raw(world.authd.management_url) as raw:
        for path in ("/v1/openapi.yaml", "/v1/logins"):
            assert raw.send(request("GET", path, key=world.api_key)).reply().status == 404


def test_a_handshake_that_never_comes_is_cut_at_its_deadline(fresh_world):
    fresh_world.changes.update({("workers", "request_deadline_s"): 2, ("workers", "idle_timeout_s"): 600})
    authd = fresh_world.start().authd
    with connect(authd.url) as silent, connect(authd.url) as garbled:
        garbled.sendall(b"\x16\x03\x01\x02\x00\x01")       # the beginning of a ClientHello
        for connection in (silent, garbled):
            connection.settimeout(20)
            assert connection.recv(1) == b""
    worlds.wait_until(lambda: authd.metric("counterfoil_connections") <= 2, "the connections to be gone")


# --- certificates ----------------------------------------------------------------------------------------------------

class Changing:
    """A world whose API listener has a certificate of its own, which tests exchange."""

    def __init__(self, world):
        self.world, self.certificates = world, world.cluster.certificates
        self.certificate, self.key = world.directory / "api.pem", world.directory / "api.key"
        self.number = 0
        self.put(*self.make())
        world.changes.update({("api", "certificate"): self.certificate, ("api", "key"): self.key})
        world.start()

    def make(self, names=worlds.Certificates.NAMES):
        self.number += 1
        return self.certificates.issue(f"{self.world.directory.name}-{self.number}", "localhost", names)

    def put(self, certificate, key):
        """The files change as an ACME client changes them: each at once."""
        for source, target in ((certificate, self.certificate), (key, self.key)):
            fresh = target.with_suffix(".new")
            worlds.write_private(fresh, source.read_text())
            fresh.rename(target)

    def reload(self, event):
        """SIGHUP, and wait until the log says EVENT once more."""
        before = self.world.authd.log_text().count(f"event={event}")
        self.world.authd.reload()
        worlds.wait_until(lambda: self.world.authd.log_text().count(f"event={event}") > before, event)

    def served(self):
        """The certificate that a new connection sees, as DER."""
        with connect(self.world.authd.url, tls_context(self.world.ca)) as connection:
            return connection.getpeercert(binary_form=True)


def der(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text())


@pytest.fixture
def changing(fresh_world):
    return Changing(fresh_world)


def test_a_new_certificate_is_served_after_sighup_and_no_request_is_dropped(changing):
    """Callers with connections kept alive and callers with new ones, while the certificate changes again and again."""
    world, stop, done, wrong = changing.world, threading.Event(), [], []

    def call(keep):
        session = requests.Session()
        session.verify, session.trust_env = str(world.ca), False
        try:
            while not stop.is_set():
                get = session.get if keep else requests.get
                reply = get(world.authd.url + "/v1/openapi.yaml", verify=str(world.ca), timeout=20)
                done.append(reply.status_code)
        except requests.RequestException as error:
            wrong.append(error)

    callers = [threading.Thread(target=call, args=(number % 2 == 0,)) for number in range(4)]
    for caller in callers:
        caller.start()
    try:
        for _ in range(4):
            certificate, key = changing.make()
            so_far = len(done)
            worlds.wait_until(lambda: wrong or len(done) > so_far + 20, "requests to go on")    # noqa: B023
            changing.put(certificate, key)
            changing.reload("certificate_reloaded")
            assert changing.served() == der(certificate)
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    assert wrong == [] and set(done) == {200}


def broken_pairs(changing):
    """(what is wrong, certificate text, key text, mode of the key)"""
    other_certificate, other_key = changing.make()
    certificate, key = changing.certificate.read_text(), changing.key.read_text()
    yield "no file", None, key, 0o600
    yield "no PEM", "hello\n", key, 0o600
    yield "empty", "", key, 0o600
    yield "a key as certificate", key, key, 0o600
    yield "no key", certificate, "hello\n", 0o600
    yield "the key of another", certificate, other_key.read_text(), 0o600
    yield "the certificate of another", other_certificate.read_text(), key, 0o600
    yield "a key that all may read", other_certificate.read_text(), other_key.read_text(), 0o644
    yield "too large", other_certificate.read_text() + "\n" * 300000, other_key.read_text(), 0o600


def test_a_broken_certificate_is_refused_at_sighup_and_the_old_one_stays(changing):
    good = changing.served()
    for what, certificate, key, mode in list(broken_pairs(changing)):
        if certificate is None:
            changing.certificate.unlink()
        else:
            worlds.write_private(changing.certificate, certificate)
        worlds.write_private(changing.key, key, mode)
        changing.reload("certificate_kept")
        assert changing.served() == good, what
    line = [line for line in changing.world.authd.log_text().splitlines() if "certificate_kept" in line][0]
    assert "api.pem" in line and "level=error" in line and "BEGIN" not in line
    changing.put(*changing.make())
    changing.reload("certificate_reloaded")
    assert changing.served() == der(changing.certificate) != good


def test_a_broken_certificate_at_start_is_a_clear_error(changing):
    changing.world.authd.stop()
    for what, certificate, key, mode in list(broken_pairs(changing)):
        if certificate is None:
            changing.certificate.unlink()
        else:
            worlds.write_private(changing.certificate, certificate)
        worlds.write_private(changing.key, key, mode)
        for more in ([], ["--check"]):
            done = subprocess.run([worlds.installed("authd"), "--config", changing.world.authd.configuration, *more],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
            assert done.returncode == 78, (what, done.stdout)
            assert "/api." in done.stdout and "BEGIN" not in done.stdout, (what, done.stdout)
