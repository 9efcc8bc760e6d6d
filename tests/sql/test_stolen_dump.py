"""Whoever holds a dump of the database and no keyring holds nothing: no name, no secret, nothing to compute with."""

import base64
import hashlib

import pytest
import world as worlds

LOGIN = "Margarethe.Lindqvist@example.com"
PASSWORD = "eleven copper kettles on a shelf"
EXTERNAL_ID = "external-4711-not-a-secret"


def decoded(value):
    """VALUE as text, and the raw bytes behind it where it is base32, base64url or hex."""
    text = value.replace("-", "").replace(" ", "")
    found = [value.encode(), text.encode(), value.lower().encode()]
    for decode in (lambda: base64.b32decode(text + "=" * (-len(text) % 8)),
                   lambda: base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)),
                   lambda: bytes.fromhex(text)):
        try:
            raw = decode()
        except ValueError:
            continue
        if len(raw) >= 10:
            found.append(raw)
    return found


def forms(value):
    """How VALUE might stand in a dump so that a thief could use or test it: clear, encoded, or hashed without a key."""
    for raw in decoded(value):
        for data in [raw] + [hashlib.new(name, raw).digest() for name in ("md5", "sha1", "sha256", "sha512", "blake2b")] \
                + [hashlib.blake2b(raw, digest_size=32).digest()]:
            yield data.hex()
            yield base64.b64encode(data).decode().rstrip("=")
            yield base64.urlsafe_b64encode(data).decode().rstrip("=")
            yield base64.b32encode(data).decode().rstrip("=")
        try:
            yield raw.decode("utf-8")
        except UnicodeDecodeError:
            pass


def seen_in(dump, value):
    return [form for form in forms(value) if len(form) >= 6 and form.lower() in dump]


@pytest.fixture(scope="module")
def secrets_and_dump(world):
    """Everything that the main job makes of secrets, and the dump taken after it."""
    secret = {"login": LOGIN, "password": PASSWORD, "API key": world.api_key.rsplit("_", 1)[1]}
    reply = world.api().create_account(LOGIN, PASSWORD, external_id=EXTERNAL_ID)
    assert reply.status_code == 201, reply.text
    account = world.enroll(worlds.Account(reply.json()["id"], LOGIN, PASSWORD))
    secret["seed"] = account.seed
    for number, code in enumerate(account.recovery_codes):
        secret[f"recovery code {number}"] = code
    world.advance(30)
    signed_in = world.sign_in(account)
    assert signed_in.status_code == 200, signed_in.text
    secret["session token"] = signed_in.json()["session_token"]
    secret["challenge"] = world.challenge(account)
    link = world.api().post(f"/v1/accounts/{account.id}/enrollment-links", {}).json()["url"]
    secret["enrollment link"] = link.rsplit("#", 1)[1].rsplit("=", 1)[-1]
    pending = world.api().post(f"/v1/accounts/{world.create_account().id}/totp").json()
    secret["pending seed"] = pending["secret"]
    world.api().login("Nobody.At.All@example.com", "a password typed into the void")
    secret["unknown login"] = "Nobody.At.All@example.com"
    secret["unknown password"] = "a password typed into the void"
    dump = worlds.run(worlds.postgresql_bin() / "pg_dump", "--inserts",
                      world.postgres.url(world.installation.database)).lower()
    return secret, dump


def test_the_search_finds_what_is_in_a_dump(secrets_and_dump):
    _, dump = secrets_and_dump
    assert seen_in(dump, EXTERNAL_ID), "the search itself is blind"
    assert seen_in(dump + hashlib.sha256(LOGIN.lower().encode()).hexdigest(), LOGIN), "blind for plain hashes"


def test_R038_R046_a_dump_holds_no_login_seed_password_token_or_recovery_code_readable_or_testable_without_the_keyring(
        secrets_and_dump):
    secret, dump = secrets_and_dump
    assert len(secret) >= 19
    found = {name: seen_in(dump, value) for name, value in secret.items() if seen_in(dump, value)}
    assert not found


def test_R021_a_dump_holds_no_password_hash(secrets_and_dump):
    _, dump = secrets_and_dump
    for mark in ("$argon2", "$argon2".encode().hex(), base64.b64encode(b"$argon2i").decode()[:9].lower()):
        assert mark not in dump, mark


def test_a_dump_holds_no_key_of_the_keyring(world, secrets_and_dump):
    _, dump = secrets_and_dump
    keys = [line.split()[3] for line in world.installation.keyring.read_text().splitlines()
            if line and not line.startswith("#")]
    assert len(keys) >= 6
    for key in keys:
        assert not seen_in(dump, key)
