"""docs/http-api.yaml and authd say the same: routes, scopes, limits, fields, and every reply."""

import json
import re
import subprocess

import jsonschema
import pytest
import requests
import world as worlds
from conftest import SEEN
from contract import Contract
from pam_host import PamHost, member
from raw_http import Raw, expect, request

CONTRACT = Contract((worlds.TOP / "docs/http-api.yaml").read_text())
NOBODY = "00000000-0000-4000-8000-000000000000"
TOKEN = "A" * 43
OF_API = [op for op in CONTRACT.operations if op.listener == "api"]
WITH_KEY = [op for op in OF_API if op.scope != "-"]
HOSTS = {}              # world: its PAM host
WITH_BODY = [op for op in OF_API if op.request]


def name(operation):
    return repr(operation)


def path_of(operation, account=NOBODY, **names):
    return operation.path.format(**{"factor": NOBODY, "challenge": TOKEN, "session": NOBODY, "device": NOBODY,
                                    "account": account, **names})


def good_key(world, operation):
    """The shop's, or the one that a PAM host has."""
    if operation.scope != "pam":
        return world.api_key
    if world not in HOSTS:
        HOSTS[world] = PamHost(world)
    return HOSTS[world].key


def call(world, operation, body=None, path=None, key="", **options):
    return world.api(key=good_key(world, operation) if key == "" else key).call(operation.method, path or path_of(operation), body, **options)


def example(operation):
    """The contract's own example of a request, NO body where it shows none."""
    return operation.request["content"]["application/json"].get("example") if operation.request else None


# --- the document itself ---------------------------------------------------------------------------------------------

def every(node, where=()):
    """(where, dict) for each dict of the document."""
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            yield from every(value, where + (key,))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from every(value, where + (number,))


def test_every_reference_leads_somewhere_and_every_schema_is_one():
    for where, node in every(CONTRACT.document):
        if isinstance(node.get("$ref"), str):
            CONTRACT.resolve(node)
        if where and (where[-1] == "schema" or where[:2] == ("components", "schemas") and len(where) == 3):
            jsonschema.Draft202012Validator.check_schema(node)


def test_every_component_is_used():
    used = {node["$ref"] for _, node in every(CONTRACT.document) if isinstance(node.get("$ref"), str)}
    defined = {f"#/components/{kind}/{name}" for kind, members in CONTRACT.document["components"].items()
               for name in members if kind != "securitySchemes"}
    assert defined - used == set()


def test_every_example_fits_its_schema():
    found = 0
    for where, node in every(CONTRACT.document):
        if "schema" not in node or not {"example", "examples"} & set(node):
            continue
        values = [node["example"]] if "example" in node else [one["value"] for one in node["examples"].values()]
        for value in values:
            CONTRACT.validator(node["schema"]).validate(value)
            found += 1
    assert found > 10


def test_every_operation_has_a_name_a_summary_and_a_default():
    names = [op.body["operationId"] for op in CONTRACT.operations]
    assert len(names) == len(set(names))
    for operation in CONTRACT.operations:
        assert operation.body["summary"].endswith((".", "?")), operation
        assert "default" in operation.body["responses"], operation
        assert set(operation.body["tags"]) <= {tag["name"] for tag in CONTRACT.document["tags"]}, operation


def test_every_problem_type_has_the_status_that_the_program_gives_it():
    """A type means one status, everywhere."""
    statuses = {}
    for schema in CONTRACT.document["components"]["schemas"].values():
        for part in schema.get("allOf", []):
            kind = part.get("properties", {}).get("type", {}).get("const")
            if kind:
                statuses.setdefault(kind, set()).add(part["properties"]["status"]["const"])
    assert len(statuses) > 15
    assert {kind: codes for kind, codes in statuses.items() if len(codes) != 1} == {}


# --- router and contract, both ways ----------------------------------------------------------------------------------

def routes():
    """{(listener, method, path): (scope, body limit, query)} as the program says."""
    lines = subprocess.run([worlds.OBJ / "authd/authd-testclock", "--routes"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    found = {}
    for line in lines:
        listener, method, path, scope, limit, _, query = line.split(" ", 6)
        if listener != "pages":         # they are for browsers, and no interface
            found[listener, method, path] = (scope, int(limit), [] if query == "-" else sorted(query.split()))
    return found


def test_the_router_and_the_contract_have_the_same_routes_scopes_limits_and_parameters():
    promised = {(op.listener, op.method, op.path): (op.scope, op.request.get("x-max-bytes", 0), op.query())
                for op in CONTRACT.operations}
    assert routes() == promised


def test_authd_serves_this_contract(world):
    served = requests.get(world.authd.url + "/v1/openapi.yaml", verify=str(world.ca), timeout=20)
    assert served.status_code == 200
    assert served.text == (worlds.TOP / "docs/http-api.yaml").read_text()


def test_head_answers_wherever_get_does(world):
    for operation in OF_API:
        if operation.method == "GET":
            reply = world.api().call("HEAD", path_of(operation))
            assert reply.status_code in (200, 404) and not reply.content, operation


# --- requests: what the schemas refuse, authd refuses ----------------------------------------------------------------

def bodies_outside(schema, body):
    """(field, body) pairs, each with one thing that SCHEMA does not allow."""
    schema = CONTRACT.resolve(schema)
    yield "surprise", {**body, "surprise": 1}
    for field in schema.get("required", []):
        yield field, {other: value for other, value in body.items() if other != field}
    for field, member in schema.get("properties", {}).items():
        member = CONTRACT.resolve(member)
        for other in (7, None, [], True, {"a": 1}, "text"):
            if not CONTRACT.validator({"type": member["type"]}).is_valid(other):
                yield field, {**body, field: other}
        if "maxLength" in member:
            yield field, {**body, field: "a" * (member["maxLength"] + 1)}
        if member.get("minLength"):
            yield field, {**body, field: ""}
        if member["type"] == "object":
            for inner, part in bodies_outside(member, body.get(field, {})):
                yield f"{field}.{inner}", {**body, field: part}


@pytest.mark.parametrize("operation", WITH_BODY, ids=name)
def test_what_the_schema_of_a_request_does_not_allow_is_refused_and_named(world, operation):
    good = example(operation) or {}
    CONTRACT.validator(operation.request_schema()).validate(good)
    account = world.create_account()
    path = path_of(operation, account.id)
    for field, body in bodies_outside(operation.request_schema(), good):
        with pytest.raises(jsonschema.ValidationError):
            CONTRACT.validator(operation.request_schema()).validate(body)
        # The field itself, or for an object that is none of its kind what is in it.
        problem = expect(call(world, operation, body, path), 422, "invalid")
        assert problem["field"] == field or problem["field"].startswith(field + "."), (field, body, problem)


@pytest.mark.parametrize("operation", WITH_BODY, ids=name)
def test_each_route_with_a_body_takes_strict_json_and_no_more_than_it_says(world, operation):
    media, limit = {"Content-Type": "application/json"}, operation.request["x-max-bytes"]
    expect(call(world, operation, data=b"{", headers=media), 400, "malformed")
    expect(call(world, operation, data=b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported-media-type")
    expect(call(world, operation, data=b" " * (limit + 1), headers=media), 413, "too-large")
    assert call(world, operation, data=b"[" + b" " * (limit - 2) + b"]", headers=media).status_code == 422
    if operation.request["required"]:
        expect(call(world, operation, headers=media), 400, "malformed")
    with Raw(world.authd.url, world.ca) as raw:
        raw.send(request(operation.method, path_of(operation), ["Transfer-Encoding: chunked"], key=world.api_key))
        reply = raw.reply()
    CONTRACT.check(operation.method, operation.path, reply.status, reply.headers, reply.body)
    expect(reply, 411, "length-required")


@pytest.mark.parametrize("operation", [op for op in OF_API if not op.request], ids=name)
def test_each_route_without_a_body_takes_none(world, operation):
    if operation.scope != "-":
        expect(call(world, operation, {}), 413, "too-large")


@pytest.mark.parametrize("operation", OF_API, ids=name)
def test_a_query_parameter_that_the_contract_lacks_is_refused(world, operation):
    expect(call(world, operation, example(operation), path_of(operation) + "?surprise=1"), 422, "invalid",
           field="surprise")


def query_values(schema):
    """(values outside SCHEMA, one inside) of a query parameter, as text."""
    schema = CONTRACT.resolve(schema)
    if schema.get("type") == "integer":
        low, high = schema.get("minimum", 0), schema.get("maximum", 10 ** 18)
        return ["", "x", "1.5", "-1", "0x1", str(low - 1), str(high + 1), "9" * 30, "1%00"], str(max(low, 1))
    if schema.get("type") == "boolean":
        return ["", "yes", "1", "TRUE", "true%00"], "true"
    if "enum" in schema:
        return ["", "x", schema["enum"][0].upper() + "%00"], schema["enum"][0]
    if schema.get("format") == "date-time":
        return ["", "yesterday", "2026-13-01T00:00:00Z", "2026-08-01", "2026-08-01T09:30:00"], "2026-08-01T09:30:00Z"
    if schema.get("format") == "uuid":
        return ["", "bob", NOBODY.upper() + "A", NOBODY + "%00"], NOBODY
    return ["", "%00", "a" * 1000, "%ff", "a%20b", "../x", "a%0Ab"], None


QUERIED = [(op, parameter) for op in CONTRACT.operations for parameter in op.parameters if parameter["in"] == "query"]


@pytest.mark.parametrize("operation, parameter", QUERIED, ids=[f"{op} {p['name']}" for op, p in QUERIED])
def test_a_query_parameter_outside_its_schema_is_refused_and_named(world, operation, parameter):
    bad, good = query_values(parameter["schema"])
    for value in bad:
        expect(call(world, operation, path=f"{path_of(operation)}?{parameter['name']}={value}"), 422, "invalid",
               field=parameter["name"])
    if good:
        assert call(world, operation, path=f"{path_of(operation)}?{parameter['name']}={good}").status_code == 200
        twice = f"{path_of(operation)}?{parameter['name']}={good}&{parameter['name']}={good}"
        expect(call(world, operation, path=twice), 422, "invalid", field=parameter["name"])


# --- keys and scopes -------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def narrow_keys(world):
    """{scope: a key with every other scope}"""
    return {scope: world.installation.make_client("narrow", scopes=[s for s in worlds.SCOPES if s != scope])
            for scope in sorted({op.scope for op in WITH_KEY})}


@pytest.mark.parametrize("operation", WITH_KEY, ids=name)
def test_each_route_wants_a_valid_key_with_its_scope(world, narrow_keys, operation):
    unknown = "cf_" + "0" * 16 + "_" + TOKEN
    for key in (None, "cf_nothing", unknown, world.api_key[:-1] + ("A" if world.api_key[-1] != "A" else "B")):
        expect(call(world, operation, example(operation), key=key), 401, "unauthenticated")
    expect(call(world, operation, example(operation), key=narrow_keys[operation.scope]), 403, "forbidden")


@pytest.mark.parametrize("operation", WITH_KEY, ids=name)
def test_a_wrong_request_with_a_wrong_key_learns_of_the_key_alone(world, narrow_keys, operation):
    """What a body should look like is no business of strangers."""
    if operation.request:
        expect(call(world, operation, {"surprise": 1}, key="cf_" + "0" * 16 + "_" + TOKEN), 401, "unauthenticated")
        expect(call(world, operation, {"surprise": 1}, key=narrow_keys[operation.scope]), 403, "forbidden")


# --- replies ---------------------------------------------------------------------------------------------------------

def test_the_life_of_an_account_as_the_contract_tells_it(world):
    """Every route's own replies; conftest.py holds each against its schema."""
    api, account = world.api(), world.create_account()
    where = f"/v1/accounts/{account.id}"
    assert api.create_account(account.login, account.password).status_code == 409
    assert api.create_account("short@example.com", "short").status_code == 422
    assert api.get(where).status_code == 200
    for kind in ("enrollment-links", "activity-links"):
        link = api.post(f"{where}/{kind}", {"return_to": "https://shop.example/account"})
        assert link.status_code == 201
    assert api.post(where + "/recovery-codes").status_code == 409
    assert api.login(account.login, account.password).json()["aal"] == 1

    factor = api.post(where + "/totp", {"name": "Bob's telephone"})
    assert factor.status_code == 201
    account.seed, account.factor_id = factor.json()["secret"], factor.json()["factor_id"]
    confirm = f"{where}/totp/{account.factor_id}/confirm"
    wrong = f"{(int(world.code(account)) + 1) % 1000000:06d}"
    assert api.post(confirm, {"code": wrong}).status_code == 403
    assert api.post(confirm, {"code": world.code(account)}).status_code == 200
    assert api.post(confirm, {"code": world.code(account)}).status_code == 409
    world.advance(worlds.PERIOD_S)
    assert api.get(where + "/factors").json()["factors"][0]["state"] == "active"

    challenge = world.challenge(account)
    assert api.code(challenge, world.code(account)).status_code == 200
    assert api.code(challenge, world.code(account)).status_code == 403
    codes = api.post(where + "/recovery-codes")
    assert codes.status_code == 201
    signed_in = api.code(world.challenge(account), codes.json()["recovery_codes"][0])
    assert signed_in.json()["recovery_codes_left"] == 9

    change = {"current": account.password, "new": "three ferries before breakfast"}
    assert api.put(where + "/password", {**change, "new": "short"}).status_code == 422
    assert api.put(where + "/password", {**change, "current": "not this one"}).status_code == 403
    assert api.put(where + "/password", change).status_code == 204
    assert api.post(where + "/lock", {"reason": "reported stolen"}).json()["state"] == "locked"
    assert api.post(where + "/totp").status_code == 409
    assert api.post(where + "/unlock").json()["state"] == "active"
    assert api.delete(f"{where}/factors/{account.factor_id}").status_code == 204
    assert api.delete(f"{where}/factors/{account.factor_id}").status_code == 409


def test_sessions_and_step_ups_as_the_contract_tells_them(fresh_world):
    fresh_world.changes[("realm store", "device_ttl_s")] = 86400
    world = fresh_world.start()
    api, account = world.api(), world.customer()
    where = f"/v1/accounts/{account.id}"
    first = api.post(f"/v1/logins/{world.challenge(account)}/code",
                     {"code": world.code(account), "remember_device": True}).json()
    again = api.post("/v1/logins", {"login": account.login, "password": account.password,
                                    "trusted_device": first["trusted_device"]}).json()
    assert again["aal"] == 1 and again["trusted_device"] != first["trusted_device"]
    told = api.post("/v1/sessions/introspect", {"token": again["session_token"]}).json()
    assert told["active"] and told["trusted_device"] and told["session_id"] == again["session_id"]
    assert len(api.get(where + "/sessions").json()["sessions"]) == 2
    assert api.delete(f"/v1/sessions/{first['session_id']}").status_code == 204
    assert api.delete(f"/v1/sessions/{NOBODY}").status_code == 404
    assert api.post("/v1/sessions/introspect", {"token": first["session_token"]}).json() == {"active": False}
    [device] = api.get(where + "/trusted-devices").json()["trusted_devices"]
    assert api.delete(f"{where}/trusted-devices/{device['id']}").status_code == 204
    assert api.post("/v1/sessions/introspect", {"token": again["session_token"]}).json() == {"active": False}
    assert api.delete(where + "/trusted-devices").json() == {"ended": 0}
    assert api.delete(where + "/sessions").json() == {"ended": 0}

    assert expect(api.post(where + "/totp"), 403, "step-up-required")["purpose"] == "add_factor"
    world.advance(worlds.PERIOD_S)
    step_up = api.post(where + "/step-ups", {"purpose": "add_factor", "digest": "order-4711"})
    assert step_up.status_code == 201
    done = api.post(f"/v1/step-ups/{step_up.json()['challenge']}/code", {"code": world.code(account)})
    assert (done.json()["purpose"], done.json()["digest"]) == ("add_factor", "order-4711")
    assert api.post(f"/v1/step-ups/{TOKEN}/code", {"code": "000000"}).status_code == 403
    assert api.post(where + "/totp", {"proof": step_up.json()["challenge"]}).status_code == 201
    other = world.create_account()
    assert api.post(f"/v1/accounts/{other.id}/step-ups", {"purpose": "checkout"}).status_code == 409

    ticket = api.post(where + "/password-reset")
    assert ticket.status_code == 201
    body = {"ticket": ticket.json()["ticket"], "new": "three ferries before breakfast"}
    assert api.put(where + "/password", {**body, "new": "short"}).status_code == 422
    assert api.put(where + "/password", body).status_code == 204
    assert api.put(where + "/password", body).status_code == 403
    assert api.post(where + "/lock").status_code == 200
    assert api.post(where + "/password-reset").status_code == 409


def test_what_pam_hosts_ask_as_the_contract_tells_it(world):
    host, alice = PamHost(world), member(world)
    assert host.verify(alice)["answer"] == "allow"
    assert host.look(alice.login)["enrolled"]
    assert host.session(alice.login, target="root")["answer"] == "allow"
    assert host.breakglass(alice.login)["answer"] == "allow"
    assert host.change(alice, "three ferries before breakfast")["answer"] == "allow"
    for path in ("/v1/pam/verify", "/v1/pam/session"):
        body = host.body(alice.login, operation="open") if "session" in path else host.question(alice)
        assert host.ask(path, body)["request_id"] == body["request_id"]
        expect(host.post(path, {**body, "user": "bob"}), 409, "conflict")
    bare = member(world, enrolled=False)
    body = host.body(bare.login, operation="start", password=bare.password, enroll_code="A" * 24)
    assert host.ask("/v1/pam/enroll", body)["reason"] == "wrong_enroll_code"
    expect(host.post("/v1/pam/enroll", {**body, "user": "bob"}), 409, "conflict")


def test_the_trail_and_the_rights_of_a_person_as_the_contract_tells_them(world):
    api, account = world.api(), world.customer()
    assert world.sign_in(account).status_code == 200
    first = api.get(f"/v1/events?account={account.id}&limit=2")
    assert len(first.json()["events"]) == 2
    rest = api.get(f"/v1/events?account={account.id}&after={first.json()['cursor']}&notify=true&since=2026-01-01T00:00:00Z")
    assert [event["kind"] for event in rest.json()["events"]] == ["factor_bound"]
    for wrong in ("after=x", "after=-1", "limit=0", "limit=1001", "account=bob", "kind=A", "notify=yes", "since=today",
                  "until=2026-02-31T00:00:00Z"):
        expect(api.get(f"/v1/events?{wrong}"), 422, "invalid", field=wrong.split("=")[0])
    export = api.get(f"/v1/accounts/{account.id}/export")
    assert export.json()["account"]["login"] == account.login
    assert api.delete(f"/v1/accounts/{account.id}").status_code == 204
    expect(api.get(f"/v1/accounts/{account.id}"), 404, "not-found")


@pytest.mark.parametrize("operation", [op for op in OF_API if "{account}" in op.path], ids=name)
def test_an_account_or_factor_that_is_not_there_is_not_found(world, operation):
    expect(call(world, operation, example(operation)), 404, "not-found")
    expect(call(world, operation, example(operation), path_of(operation, account="bob")), 404, "not-found")
    if "{factor}" in operation.path:
        account = world.create_account()
        expect(call(world, operation, example(operation), path_of(operation, account.id)), 404, "not-found")


def test_without_pages_there_are_no_links(fresh_world):
    fresh_world.changes.update({("pages", "listen"): "", ("pages", "public_url"): ""})
    fresh_world.start()
    account = fresh_world.create_account()
    for kind in ("enrollment-links", "activity-links"):
        expect(fresh_world.api().post(f"/v1/accounts/{account.id}/{kind}"), 409, "conflict")


def test_without_a_database_every_route_says_so_and_when_to_come_again(fresh_world):
    fresh_world.add_authd(changes={("database", "url"): "host=127.0.0.1 port=1 dbname=nowhere"}, wait=False)
    worlds.wait_until(lambda: fresh_world.authd.management("/healthz") == 200, "authd to live")
    for operation in WITH_KEY:
        reply = call(fresh_world, operation, example(operation))
        expect(reply, 503, "unavailable")
        assert int(reply.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("operation", [op for op in CONTRACT.operations if op.listener == "management"], ids=name)
def test_the_operators_replies(world, operation):
    reply = requests.get(world.authd.management_url + operation.path, timeout=20)
    assert reply.status_code == 200
    CONTRACT.check("GET", operation.path, 200, reply.headers, reply.content)
    expect(requests.get(world.authd.management_url + operation.path + "?surprise=1", timeout=20), 422, "invalid")
    expect(requests.post(world.authd.management_url + operation.path, timeout=20), 405, "method-not-allowed")


def test_what_is_not_ready_says_why(fresh_world):
    fresh_world.add_authd(changes={("database", "url"): "host=127.0.0.1 port=1 dbname=nowhere"}, wait=False)
    worlds.wait_until(lambda: fresh_world.authd.management("/healthz") == 200, "authd to live")
    reply = requests.get(fresh_world.authd.management_url + "/readyz", timeout=20)
    CONTRACT.check("GET", "/readyz", 503, reply.headers, reply.content)
    assert expect(reply, 503, "unavailable")["database"] is False


# A defect cannot be ordered; throttling has tests of its own.
NOT_HERE = {"default", "500", "429", "411"}


def test_every_reply_that_the_contract_promises_was_seen():
    """The last test of the file: what the others called must have met each documented status."""
    missing = [(repr(op), status) for op in OF_API for status in op.body["responses"]
               if status not in NOT_HERE and (repr(op), int(status)) not in SEEN]
    missing = [pair for pair in missing if pair[0] != "GET /v1/openapi.yaml"]
    assert missing == []


def test_a_reply_that_breaks_the_contract_is_noticed():
    """The judge itself: red for a wrong status, a member too many, one too few, a missing header."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
               "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
               "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
               "X-Request-Id": NOBODY, "Content-Type": "application/json"}
    body = {"factors": [], "recovery_codes_left": 0}
    path = f"/v1/accounts/{NOBODY}/factors"
    CONTRACT.check("GET", path, 200, headers, json.dumps(body).encode())
    for wrong in ({**body, "secret": "A"}, {"factors": []}, {**body, "recovery_codes_left": 11}):
        with pytest.raises((AssertionError, jsonschema.ValidationError)):
            CONTRACT.check("GET", path, 200, headers, json.dumps(wrong).encode())
    for status, less in ((201, {}), (200, {"X-Request-Id": None}), (200, {"Cache-Control": None})):
        fewer = {key: value for key, value in {**headers, **less}.items() if value is not None}
        with pytest.raises((AssertionError, KeyError)):
            CONTRACT.check("GET", path, status, fewer, json.dumps(body).encode())


# --- what there is not

def test_R014_nothing_keeps_a_hint_or_a_security_question(world):
    hint = re.compile("hint|question|security_|maiden|memorable", re.I)
    names = {str(key) for _, node in every(CONTRACT.document) for key in node.get("properties", {})}
    assert len(names) > 50 and not [name for name in names if hint.search(name)]
    columns = [row[0] for row in world.query("SELECT table_name || '.' || column_name FROM information_schema.columns "
                                             "WHERE table_schema = 'counterfoil'")]
    assert len(columns) > 80 and not [column for column in columns if hint.search(column)]


def test_R194_neither_mail_nor_a_text_message_is_a_factor(world):
    schemas = CONTRACT.document["components"]["schemas"]
    assert set(schemas["FactorKinds"]["items"]["enum"]) == {"totp", "recovery_code"}
    assert schemas["Factor"]["properties"]["kind"] == {"enum": ["totp"]}
    [[check]] = world.query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'factor_check'")
    assert re.findall(r"kind = '(\w+)'", check) == ["totp"]
    assert not re.search("sms|phone|e_?mail", " ".join(schemas), re.I)
