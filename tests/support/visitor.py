"""visitor.py: what a browser says to the pages listener, without a browser: cookies, and the headers of a page's script."""

import http.cookies
import socket
import ssl
import urllib.parse

import requests
import world as worlds

COOKIE = "__Host-counterfoil-enrollment"


def make_link(world, account, **members):
    """What the shop asks for; returns the whole link."""
    reply = world.api().post(f"/v1/accounts/{account.id}/enrollment-links", members or None)
    if reply.status_code != 201:
        raise worlds.WorldError(f"enrollment link: {reply.status_code} {reply.text}")
    return reply.json()["url"]


def token_of(link):
    return urllib.parse.urlsplit(link).fragment


class Visitor:
    """One person at the pages of a world, with cookies of their own."""

    def __init__(self, world, number=0):
        self.url = world.authds[number].pages_url
        self.session = requests.Session()
        self.session.verify = str(world.ca)
        self.session.trust_env = False

    def get(self, path, **options):
        return self.session.get(self.url + path, timeout=30, **options)

    def post(self, path, body, headers=None, **options):
        """As our own page's script does it; HEADERS override, None leaves one out."""
        sent = {"Origin": self.url, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        return self.session.post(self.url + path, json=body, timeout=30, headers=sent, **options)

    def exchange(self, token, **options):
        return self.post("/pages/v1/enrollment/exchange", {"token": token}, **options)

    def state(self):
        return self.get("/pages/v1/enrollment")

    def start(self, proof=None, **options):
        return self.post("/pages/v1/enrollment/start", {"proof": proof} if proof else {}, **options)

    def confirm(self, code, **options):
        return self.post("/pages/v1/enrollment/confirm", {"code": code}, **options)


def cookie_of(response, name=COOKIE):
    """The one Set-Cookie of NAME as a morsel."""
    jar = http.cookies.SimpleCookie()
    jar.load(response.headers["Set-Cookie"])
    return jar[name]


def raw(world, request, url=None):
    """Send REQUEST, bytes as they are, to the pages listener; returns the bytes of the answer."""
    address = urllib.parse.urlsplit(url or world.authd.pages_url)
    context = ssl.create_default_context(cafile=str(world.ca))
    with socket.create_connection((address.hostname, address.port), timeout=20) as plain, \
            context.wrap_socket(plain, server_hostname=address.hostname) as tls:
        tls.sendall(request)
        answer = b""
        try:
            while chunk := tls.recv(65536):
                answer += chunk
        except (ConnectionResetError, ssl.SSLError):
            pass
        return answer
