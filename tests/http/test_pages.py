"""The pages listener over HTTP: what every reply carries, what has no name there, and the few routes of the page's script."""

import concurrent.futures
import datetime
import re
import subprocess

import pytest
import visitor as visitors
import world as worlds

EXPECTED = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                               "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
                               "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Robots-Tag": "noindex, nofollow",
}
FILES = {
    "/enroll": ("enroll.html", "text/html; charset=utf-8"),
    "/activity": ("activity.html", "text/html; charset=utf-8"),
    "/assets/activity.js": ("activity.js", "text/javascript; charset=utf-8"),
    "/assets/page.css": ("page.css", "text/css; charset=utf-8"),
    "/assets/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/assets/enroll.js": ("enroll.js", "text/javascript; charset=utf-8"),
    "/assets/strings.en.js": ("strings.en.js", "text/javascript; charset=utf-8"),
    "/assets/mark.svg": ("mark.svg", "image/svg+xml"),
}


@pytest.fixture
def visitor(world):
    return visitors.Visitor(world)


@pytest.fixture
def opened(world, visitor):
    """A visitor whose link has been exchanged; .account is whose link it was."""
    visitor.account = world.create_account()
    reply = visitor.exchange(visitors.token_of(visitors.make_link(world, visitor.account)))
    assert reply.status_code == 204, reply.text
    return visitor


def problem_of(reply):
    assert reply.headers["Content-Type"] == "application/problem+json", reply.text
    return reply.status_code, reply.json()["type"].rsplit("/", 1)[1]


def raw_status(world, target, method="GET"):
    answer = visitors.raw(world, f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return int(answer.split(b" ", 2)[1])


# --- static pages ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", FILES)
def test_a_static_page_is_the_installed_file_to_the_byte(visitor, path):
    name, content_type = FILES[path]
    reply = visitor.get(path)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, content_type)
    assert reply.content == (worlds.ROOT / "share/counterfoil/web" / name).read_bytes()


def test_every_reply_carries_the_headers_that_browsers_need_r115_r116_r117_r118_r122_r042(visitor, opened):
    replies = [visitor.get(path) for path in FILES]
    replies += [opened.state(), opened.start(), opened.start(), opened.confirm("000000"), opened.confirm("x")]
    replies += [visitor.get("/nowhere"), visitor.session.post(visitor.url + "/enroll", timeout=30),
                visitor.post("/pages/v1/enrollment/start", {}, headers={"Sec-Fetch-Site": "cross-site"})]
    assert {reply.status_code for reply in replies} == {200, 201, 403, 404, 405, 409, 422}
    for reply in replies:
        found = {name: reply.headers.get(name) for name in EXPECTED}
        assert found == EXPECTED, (reply.url, reply.status_code)
        assert "Server" not in reply.headers and "Access-Control-Allow-Origin" not in reply.headers
        assert re.fullmatch(r"[0-9a-f-]{36}", reply.headers["X-Request-Id"])


def test_head_has_the_headers_of_get_and_no_body(visitor):
    reply = visitor.session.head(visitor.url + "/enroll", timeout=30)
    assert reply.status_code == 200 and reply.content == b""
    assert int(reply.headers["Content-Length"]) == len(visitor.get("/enroll").content)


@pytest.mark.parametrize("target", [
    "/", "/enroll/", "/enroll.html", "/ENROLL", "/assets", "/assets/", "/assets/enroll.html", "/assets//page.css",
    "//assets/page.css", "/assets/./page.css", "/assets/../assets/page.css", "/assets/../../../../../etc/passwd",
    "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fetc%2fpasswd", "/assets/%70age.css", "/assets/page.css%00",
    "/assets/page.css/", "/assets/page.css;x", "/assets/..\\page.css", "/etc/passwd", "/pages/v1", "/pages/v1/enrollment/",
    "/pages/v1/enrollment/../enrollment", "/v1/openapi.yaml", "/v1/logins", "/healthz", "/metrics",
    "/assets/" + "a" * 1000,
])
def test_what_the_table_does_not_name_is_not_there(world, target):
    assert raw_status(world, target) == 404


def test_a_method_that_a_path_lacks_is_405_with_those_that_it_has(visitor):
    for path, method, allowed in [("/enroll", "POST", "GET, HEAD"), ("/assets/page.css", "DELETE", "GET, HEAD"),
                                  ("/pages/v1/enrollment/start", "GET", "POST"),
                                  ("/pages/v1/enrollment", "PUT", "GET, HEAD"),
                                  ("/pages/v1/enrollment/exchange", "OPTIONS", "POST")]:
        reply = visitor.session.request(method, visitor.url + path, timeout=30)
        assert (reply.status_code, reply.headers.get("Allow")) == (405, allowed), (method, path)


def test_security_txt_names_whom_to_tell_and_is_never_a_year_old_r122(world, behind_proxies):
    url = world.authds[behind_proxies].pages_url
    reply = visitors.Visitor(world, behind_proxies).get("/.well-known/security.txt")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    fields = dict(line.split(": ", 1) for line in reply.text.splitlines())
    assert fields["Contact"] == "mailto:security@shop.example"
    assert fields["Canonical"] == url + "/.well-known/security.txt"
    expires = datetime.datetime.fromisoformat(fields["Expires"].replace("Z", "+00:00")).timestamp()
    assert world.now_s() + 86400 < expires < world.now_s() + 365 * 86400
    assert visitors.Visitor(world).get("/.well-known/security.txt").status_code == 404


def complaint_of(configuration):
    """What authd says when it does not start."""
    done = subprocess.run([str(worlds.installed("authd")), "--config", str(configuration)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
    assert done.returncode == 78, done.stdout       # EX_CONFIG
    return done.stdout


def test_authd_does_not_start_without_one_of_its_pages_and_says_which(world, tmp_path):
    for name, _ in FILES.values():
        (tmp_path / name).write_text("x")
    (tmp_path / "enroll.js").unlink()
    configuration = world.installation.write_configuration(
        {"api": worlds.free_port(), "pages": worlds.free_port(), "management": worlds.free_port()},
        tmp_path / "authd.conf", {("pages", "directory"): tmp_path})

    def complaint():
        return complaint_of(configuration)
    assert f"{tmp_path}/enroll.js: No such file" in complaint()
    (tmp_path / "enroll.js").write_text("")
    assert f"{tmp_path}/enroll.js: must have 1 to 262144 bytes" in complaint()
    (tmp_path / "enroll.js").write_bytes(b"x" * 262145)
    assert f"{tmp_path}/enroll.js: must have 1 to 262144 bytes" in complaint()
    (tmp_path / "enroll.js").unlink()
    (tmp_path / "enroll.js").mkdir()
    assert f"{tmp_path}/enroll.js: is not a regular file" in complaint()


# --- the link and the cookie ----------------------------------------------------------------------------------------

def test_a_link_is_exchanged_once_for_a_host_only_cookie_r091_r106(world, visitor):
    link = visitors.make_link(world, world.create_account())
    assert link.startswith(world.authd.pages_url + "/enroll#")
    reply = visitor.exchange(visitors.token_of(link))
    assert (reply.status_code, reply.content) == (204, b"")
    cookie = visitors.cookie_of(reply)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", cookie.value) and cookie.value != visitors.token_of(link)
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == \
        (True, True, "Strict", "/", "")
    assert 0 < int(cookie["max-age"]) <= 600
    again = visitors.Visitor(world).exchange(visitors.token_of(link))
    assert problem_of(again) == (409, "conflict")
    assert "Set-Cookie" not in again.headers


def test_two_at_once_exchange_one_link_once(world):
    for _ in range(5):
        token = visitors.token_of(visitors.make_link(world, world.create_account()))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(lambda _, t=token: visitors.Visitor(world).exchange(t).status_code, range(8)))
        assert statuses == [204] + [409] * 7


def test_two_at_once_start_one_page_once(world):
    for _ in range(5):
        visitor = visitors.Visitor(world)
        assert visitor.exchange(visitors.token_of(visitors.make_link(world, world.create_account()))).status_code == 204
        cookie = {"Cookie": f"{visitors.COOKIE}={visitor.session.cookies[visitors.COOKIE]}"}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(lambda _, c=cookie: visitors.Visitor(world).start(headers=c).status_code, range(8)))
        assert statuses == [201] + [409] * 7


def test_links_that_are_wrong_replaced_or_expired_are_told_apart_r193(world, visitor):
    account = world.create_account()
    assert problem_of(visitor.exchange("A" * 43)) == (404, "not-found")
    replaced, newest = visitors.make_link(world, account), visitors.make_link(world, account)
    assert problem_of(visitor.exchange(visitors.token_of(replaced))) == (404, "not-found")
    world.advance(601)
    assert problem_of(visitor.exchange(visitors.token_of(newest))) == (410, "expired")
    assert visitor.state().status_code == 404


@pytest.mark.parametrize("token, problem", [
    ("", (422, "invalid")), ("A" * 65, (422, "invalid")), (7, (422, "invalid")), (None, (422, "invalid")),
    ({"a": 1}, (422, "invalid")), ("A" * 42, (404, "not-found")), ("A" * 44, (404, "not-found")),
    ("A" * 42 + "=", (404, "not-found")), ("A" * 42 + "é", (404, "not-found")), ("../" * 14 + "A", (404, "not-found")),
])
def test_a_token_of_another_form_is_no_link(visitor, token, problem):
    assert problem_of(visitor.exchange(token)) == problem


def test_a_page_is_over_when_its_time_is(world, opened):
    assert opened.state().json()["state"] == "opened"
    world.advance(601)
    assert problem_of(opened.state()) == (409, "conflict")
    assert problem_of(opened.start()) == (409, "conflict")
    assert problem_of(opened.confirm("123456")) == (409, "conflict")


def lock_and_unlock(world, account):
    assert world.api().post(f"/v1/accounts/{account.id}/lock", {"reason": "test"}).status_code == 200
    assert world.api().post(f"/v1/accounts/{account.id}/unlock").status_code == 200


def change_password(world, account):
    reply = world.api().put(f"/v1/accounts/{account.id}/password",
                            {"current": account.password, "new": "three ferries before breakfast"})
    assert reply.status_code == 204, reply.text


def reset_password(world, account):
    ticket = world.api().post(f"/v1/accounts/{account.id}/password-reset").json()["ticket"]
    reply = world.api().put(f"/v1/accounts/{account.id}/password", {"ticket": ticket, "new": "a new one, long enough"})
    assert reply.status_code == 204, reply.text


def end_sessions(world, account):
    assert world.api().delete(f"/v1/accounts/{account.id}/sessions").status_code == 200


def bind_elsewhere(world, account):
    world.enroll(account)


def bind_and_revoke(world, account):
    world.enroll(account)
    reply = world.api().delete(f"/v1/accounts/{account.id}/factors/{account.factor_id}")
    assert reply.status_code == 204, reply.text


@pytest.mark.parametrize("event", [lock_and_unlock, change_password, reset_password, end_sessions, bind_elsewhere,
                                   bind_and_revoke])
def test_a_link_and_a_page_of_a_thief_end_with_the_sessions_of_the_account(world, event):
    account = world.create_account()
    thief, started = visitors.Visitor(world), None
    assert thief.exchange(visitors.token_of(visitors.make_link(world, account))).status_code == 204
    if event is not bind_elsewhere and event is not bind_and_revoke:        # these take the place of what was begun
        started = thief.start().json()["secret"].replace(" ", "")
    unopened = visitors.token_of(visitors.make_link(world, account))
    event(world, account)
    assert problem_of(thief.state()) == (409, "conflict")
    assert problem_of(thief.start()) == (409, "conflict")
    code = worlds.totp(started, world.now_s()) if started else "123456"
    assert problem_of(thief.confirm(code)) == (409, "conflict")
    assert problem_of(thief.exchange(unopened)) == (410, "expired")


def test_no_cookie_a_false_one_and_an_api_key_open_nothing(world, visitor):
    for headers in ({}, {"Cookie": f"{visitors.COOKIE}={'A' * 43}"}, {"Cookie": f"{visitors.COOKIE}=x"},
                    {"Cookie": f"{visitors.COOKIE}="}, {"Authorization": f"Bearer {world.api_key}"}):
        assert problem_of(visitor.get("/pages/v1/enrollment", headers=headers)) == (404, "not-found")
        assert problem_of(visitor.post("/pages/v1/enrollment/start", {}, headers=headers)) == (404, "not-found")
        assert problem_of(visitor.post("/pages/v1/enrollment/confirm", {"code": "123456"}, headers=headers)) == \
            (404, "not-found")


# --- who may post ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": None, "Origin": None},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": None, "Origin": "null"}, {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
    {"Origin": "https://localhost"}, {"Origin": "http://{here}"}, {"Origin": "https://{here}.evil.example"},
    {"Origin": "https://{here}/"}, {"Origin": ""},
])
def test_a_post_from_another_page_is_refused_before_it_does_anything_r092(world, visitor, headers):
    here = world.authd.pages_url.removeprefix("https://")
    headers = {name: value and value.format(here=here) for name, value in headers.items()}
    token = visitors.token_of(visitors.make_link(world, world.create_account()))
    assert problem_of(visitor.exchange(token, headers=headers)) == (403, "cross-site")
    assert visitor.exchange(token).status_code == 204
    assert problem_of(visitor.start(headers=headers)) == (403, "cross-site")
    assert visitor.state().json()["state"] == "opened"


def test_either_header_of_a_browser_is_enough(world):
    for headers in ({"Sec-Fetch-Site": None}, {"Origin": None},
                    {"Sec-Fetch-Site": None, "Origin": world.authd.pages_url.upper().replace("HTTPS", "https")}):
        token = visitors.token_of(visitors.make_link(world, world.create_account()))
        assert visitors.Visitor(world).exchange(token, headers=headers).status_code == 204


def test_what_a_foreign_form_can_send_is_no_json(world, visitor):
    token = visitors.token_of(visitors.make_link(world, world.create_account()))
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", None):
        headers = {"Origin": visitor.url, "Sec-Fetch-Site": "same-origin", "Content-Type": content_type}
        reply = visitor.session.post(visitor.url + "/pages/v1/enrollment/exchange", data=f'{{"token":"{token}"}}',
                                     headers=headers, timeout=30)
        assert problem_of(reply) == (415, "unsupported-media-type")
    assert visitor.exchange(token).status_code == 204


def test_bodies_are_bounded_and_strict(opened):
    path = "/pages/v1/enrollment/confirm"
    assert problem_of(opened.post(path, {"code": "1" * 17000})) == (413, "too-large")
    assert problem_of(opened.post(path, {"code": "1" * 65})) == (422, "invalid")
    assert problem_of(opened.post(path, {"code": 123456})) == (422, "invalid")
    assert problem_of(opened.post(path, {"code": "123456", "x": 1})) == (422, "invalid")
    assert problem_of(opened.post(path, {})) == (422, "invalid")
    assert problem_of(opened.post("/pages/v1/enrollment/start", {"name": "x"})) == (422, "invalid")


def test_get_changes_nothing_r092(world, opened):
    def everything():
        return world.query("SELECT state, count(*) FROM counterfoil.link GROUP BY 1 ORDER BY 1"), \
            world.query("SELECT count(*), max(id) FROM counterfoil.event"), \
            world.query("SELECT count(*) FROM counterfoil.factor")
    before = everything()
    for path in [*FILES, "/pages/v1/enrollment", "/pages/v1/enrollment/start", "/pages/v1/enrollment/confirm",
                 "/pages/v1/enrollment/exchange"]:
        opened.get(path)
    assert everything() == before


# --- enrolling ------------------------------------------------------------------------------------------------------

def test_a_visitor_enrols_and_every_step_works_once(world, opened):
    page = opened.state().json()
    assert page["login"] == opened.account.login and page["issuer"] == "Lantern Shop"
    assert page["state"] == "opened" and page["return_to"] is None and 0 < page["expires_in"] <= 600
    started = opened.start()
    assert started.status_code == 201
    secret = started.json()["secret"].replace(" ", "")
    assert f"secret={secret}&" in started.json()["otpauth_uri"]
    assert started.json()["qr_svg"].startswith("<svg ")
    assert problem_of(opened.start()) == (409, "conflict")
    assert opened.state().json()["state"] == "started" and secret not in opened.state().text
    code = worlds.totp(secret, world.now_s())
    assert problem_of(opened.confirm(f"{(int(code) + 1) % 1000000:06d}")) == (403, "denied")
    assert problem_of(opened.confirm("12345")) == (422, "invalid")
    confirmed = opened.confirm(code)
    assert confirmed.status_code == 200, confirmed.text
    assert confirmed.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert problem_of(opened.confirm(code)) == (409, "conflict")
    assert opened.state().json()["state"] == "done"
    opened.account.seed = secret
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(opened.account).status_code == 200
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(opened.account, code=confirmed.json()["recovery_codes"][0]).status_code == 200


# --- a further app: a code of the one that is there comes first -------------------------------------------------------

@pytest.fixture
def enrolled(world):
    """A visitor at the page of an account that has an app."""
    made = visitors.Visitor(world)
    made.account = world.customer()
    assert made.exchange(visitors.token_of(visitors.make_link(world, made.account))).status_code == 204
    return made


def test_a_further_app_needs_a_code_of_the_first_and_both_sign_in_r061(world, enrolled):
    account = enrolled.account
    assert enrolled.state().json()["proof_required"] is True
    assert problem_of(enrolled.start()) == (403, "step-up-required")
    code = world.code(account)
    assert problem_of(enrolled.start(f"{(int(code) + 1) % 1000000:06d}")) == (403, "denied")
    assert problem_of(enrolled.start("12345")) == (422, "invalid")
    assert enrolled.state().json()["state"] == "opened"
    started = enrolled.start(code)
    assert started.status_code == 201, started.text
    second = started.json()["secret"].replace(" ", "")
    confirmed = enrolled.confirm(worlds.totp(second, world.now_s()))
    assert (confirmed.status_code, confirmed.json()) == (200, {"recovery_codes": []})
    world.advance(worlds.PERIOD_S)
    for seed in (account.seed, second):
        assert world.sign_in(account, code=worlds.totp(seed, world.now_s())).status_code == 200


def test_a_recovery_code_proves_too_and_is_used_up_by_it(world, enrolled):
    code = enrolled.account.recovery_codes[0]
    assert enrolled.start(code).status_code == 201
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(enrolled.account, code=code).status_code == 403


def test_a_page_asks_for_a_recovery_code_where_wrong_codes_have_disabled_the_app_r061(world, enrolled):
    world.query("UPDATE counterfoil.factor SET state = 'disabled' WHERE account_id = %s", (enrolled.account.id,))
    assert enrolled.state().json()["proof_required"] is True
    assert problem_of(enrolled.start()) == (403, "step-up-required")
    assert problem_of(enrolled.start(world.code(enrolled.account))) == (403, "denied")
    started = enrolled.start(enrolled.account.recovery_codes[0])
    assert started.status_code == 201, started.text
    assert enrolled.confirm(worlds.totp(started.json()["secret"].replace(" ", ""), world.now_s())).status_code == 200


def test_a_proof_is_no_replay_of_a_sign_in_and_a_sign_in_no_replay_of_a_proof(world, enrolled):
    code = world.code(enrolled.account)
    assert world.sign_in(enrolled.account, code=code).status_code == 200
    assert problem_of(enrolled.start(code)) == (403, "denied")
    world.advance(worlds.PERIOD_S)
    code = world.code(enrolled.account)
    assert enrolled.start(code).status_code == 201
    assert world.sign_in(enrolled.account, code=code).status_code == 403


def test_wrong_proofs_are_slowed_down_with_the_wrong_codes_of_sign_ins(world, enrolled):
    wrong = f"{(int(world.code(enrolled.account)) + 1) % 1000000:06d}"
    for _ in range(30):
        reply = enrolled.start(wrong)
        if reply.status_code != 403:
            break
    assert problem_of(reply) == (429, "throttled") and int(reply.headers["Retry-After"]) >= 1
    assert enrolled.start(world.code(enrolled.account)).status_code == 429


def test_the_code_of_another_account_proves_nothing(world, enrolled):
    assert problem_of(enrolled.start(world.code(world.customer()))) == (403, "denied")


def test_a_proof_that_nobody_asked_for_is_still_looked_at(world, opened):
    assert opened.state().json()["proof_required"] is False
    assert problem_of(opened.start("123456")) == (403, "denied")
    assert opened.start().status_code == 201


def test_one_visitors_page_is_not_anothers(world, opened):
    other = visitors.Visitor(world)
    other.account = world.create_account()
    assert other.exchange(visitors.token_of(visitors.make_link(world, other.account))).status_code == 204
    mine, theirs = opened.start().json(), other.start().json()
    assert mine["secret"] != theirs["secret"]
    assert problem_of(other.confirm(worlds.totp(mine["secret"].replace(" ", ""), world.now_s()))) == (403, "denied")
    assert (opened.state().json()["login"], other.state().json()["login"]) == (opened.account.login, other.account.login)


def test_an_account_that_began_ten_times_has_to_wait_on_the_page_too_and_its_link_stays_good_r071(world, opened):
    for _ in range(10):
        assert world.api().post(f"/v1/accounts/{opened.account.id}/totp").status_code == 201
    refused = opened.start()
    assert problem_of(refused) == (429, "throttled") and opened.state().json()["state"] == "opened"
    world.advance(int(refused.headers["Retry-After"]))
    assert opened.start().status_code == 201


def test_wrong_codes_are_counted_and_slowed_down(world, opened):
    secret = opened.start().json()["secret"].replace(" ", "")
    wrong = f"{(int(worlds.totp(secret, world.now_s())) + 1) % 1000000:06d}"
    for _ in range(20):
        reply = opened.confirm(wrong)
        if reply.status_code != 403:
            break
    assert problem_of(reply) == (429, "throttled")
    assert int(reply.headers["Retry-After"]) >= 1
    assert opened.confirm(worlds.totp(secret, world.now_s())).status_code == 429


def test_the_way_back_is_one_of_the_list_to_the_byte_r124(world, visitor):
    account = world.create_account()
    for bad in ("https://shop.example/account/", "https://shop.example/account?x", "https://shop.example",
                "https://shop.example.evil.example/account", "//evil.example", "https:\\\\shop.example/account",
                "HTTPS://shop.example/account", "https://shop.example/account https://shop.example/account",
                "javascript:alert(1)", "https://shop.example/account\u2028"):
        reply = world.api().post(f"/v1/accounts/{account.id}/enrollment-links", {"return_to": bad})
        assert problem_of(reply) == (422, "invalid"), bad
    link = visitors.make_link(world, account, return_to="https://shop.example/account")
    assert visitor.exchange(visitors.token_of(link)).status_code == 204
    assert visitor.state().json()["return_to"] == "https://shop.example/account"


def test_strangers_headers_do_no_harm_and_no_token_reaches_the_log(world, opened):
    opened.session.headers["User-Agent"] = b"\xff\xfe\xe9 " * 300
    secret = opened.start().json()["secret"].replace(" ", "")
    code = worlds.totp(secret, world.now_s())
    codes = opened.confirm(code).json()["recovery_codes"]
    cookie = opened.session.cookies[visitors.COOKIE]
    log = world.authd.log_text()
    for private in [secret, cookie, code, opened.account.login, *codes]:
        assert private not in log


def test_the_link_does_not_follow_the_host_header_r055(world, visitor):
    reply = world.api().post(f"/v1/accounts/{world.create_account().id}/enrollment-links",
                             headers={"Host": "evil.example"})
    assert reply.json()["url"].startswith(world.authd.pages_url + "/enroll#")


# --- whose address it is --------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def behind_proxies(world):
    """A second authd of the world, which believes X-Forwarded-For of some."""
    world.add_authd(changes={("pages", "proxies"): "127.0.0.1  10.0.0.0/8 2001:db8:1::/48",
                             ("pages", "security_contact"): "mailto:security@shop.example"})
    return len(world.authds) - 1


def source_of(world, number, headers):
    """The address in the event of a link that was exchanged with these header lines."""
    account = world.create_account()
    visitor = visitors.Visitor(world, number)
    token = visitors.token_of(visitors.make_link(world, account))
    body = f'{{"token":"{token}"}}'
    lines = "".join(f"X-Forwarded-For: {value}\r\n" for value in headers)
    answer = visitors.raw(world, (f"POST /pages/v1/enrollment/exchange HTTP/1.1\r\nHost: localhost\r\n{lines}"
                                  "Content-Type: application/json\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n"
                                  f"Content-Length: {len(body)}\r\n\r\n{body}").encode(), visitor.url)
    assert answer.startswith(b"HTTP/1.1 204 "), answer
    return world.query("SELECT host(source) FROM counterfoil.event WHERE account_id = %s AND kind = 'link_opened'",
                       (account.id,))[0][0]


@pytest.mark.parametrize("headers, source", [
    ([], "127.0.0.1"),
    (["198.51.100.7"], "198.51.100.7"),
    (["203.0.113.99, 198.51.100.7"], "198.51.100.7"),           # the left one is the stranger's own word
    (["203.0.113.99", "198.51.100.7"], "198.51.100.7"),         # and so is a line that came with the request
    (["198.51.100.7,10.1.2.3"], "198.51.100.7"),
    (["198.51.100.7 , 2001:db8:1::5,\t10.255.255.255"], "198.51.100.7"),
    (["198.51.100.7, 11.0.0.1"], "11.0.0.1"),
    (["198.51.100.7, 2001:db8:2::1"], "2001:db8:2::1"),
    (["::ffff:198.51.100.7"], "198.51.100.7"),
    (["198.51.100.7, ::ffff:10.0.0.1"], "198.51.100.7"),
    (["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
    (["198.51.100.7, unknown"], "127.0.0.1"), (["198.51.100.7:4711"], "127.0.0.1"), (["198.51.100.7,"], "127.0.0.1"),
    ([""], "127.0.0.1"), ([","], "127.0.0.1"), (["198.51.100.7, " + "9" * 200], "127.0.0.1"),
    (["198.51.100.7" + ", 10.0.0.1" * 200], "127.0.0.1"),       # too long: nobody's
])
def test_behind_proxies_the_source_is_the_rightmost_address_that_is_not_ours_r069(world, behind_proxies, headers, source):
    assert source_of(world, behind_proxies, headers) == source


def test_without_proxies_nobodys_word_counts(world):
    assert source_of(world, 0, ["198.51.100.7"]) == "127.0.0.1"


@pytest.mark.parametrize("value", ["javascript:alert(1)", "https://shop.example/account http://shop.example/account", "//x"])
def test_a_way_back_that_is_not_https_is_refused_at_the_start(world, tmp_path, value):
    configuration = world.installation.write_configuration(
        {"api": worlds.free_port(), "pages": worlds.free_port(), "management": worlds.free_port()},
        tmp_path / "authd.conf", {("pages", "return_to"): value})
    assert "[pages] return_to must be https:// addresses" in complaint_of(configuration)


@pytest.mark.parametrize("value", ["security@shop.example", "javascript:alert(1)", "mailto:", "mailto:a@b.example x"])
def test_a_contact_that_is_no_address_is_refused_at_the_start(world, tmp_path, value):
    configuration = world.installation.write_configuration(
        {"api": worlds.free_port(), "pages": worlds.free_port(), "management": worlds.free_port()},
        tmp_path / "authd.conf", {("pages", "security_contact"): value})
    assert "[pages] security_contact must begin with" in complaint_of(configuration)


@pytest.mark.parametrize("value", ["localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "2001:db8::/129", "10.0.0.0/8/8",
                                   "10.0.0.1, 10.0.0.2", "/8", "10.0.0/8", "10.0.0.0/1x"])
def test_proxies_that_are_no_addresses_are_refused_at_the_start(world, tmp_path, value):
    configuration = world.installation.write_configuration(
        {"api": worlds.free_port(), "pages": worlds.free_port(), "management": worlds.free_port()},
        tmp_path / "authd.conf", {("pages", "proxies"): value})
    assert "[pages] proxies must be addresses or networks" in complaint_of(configuration)
