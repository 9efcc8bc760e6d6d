"""contract.py: docs/http-api.yaml as a judge of real replies.

    Contract.operations     every method and path of the contract
    Contract.find           the operation of a request
    Contract.check          is this reply one that the contract promises?"""

import json
import re

import jsonschema
import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
          "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
          "strict-transport-security": "max-age=63072000; includeSubDomains"}
NEVER = ("server", "access-control-allow-origin", "set-cookie", "x-powered-by")


class Operation:
    """One method of one path."""

    def __init__(self, contract, path, method, item):
        self.path, self.method, self.body = path, method.upper(), item[method]
        self.parameters = [contract.resolve(p) for p in item.get("parameters", []) + self.body.get("parameters", [])]
        self.pattern = re.compile(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path)) + r"\Z")
        self.listener = "management" if "servers" in item else "api"
        self.request = contract.resolve(self.body.get("requestBody", {}))

    def __repr__(self):
        return f"{self.method} {self.path}"

    @property
    def scope(self):
        """The scope's name, "-" where no key is asked for."""
        security = self.body["security"]
        return security[0]["apiKey"][0] if security else "-"

    def query(self):
        return sorted(p["name"] for p in self.parameters if p["in"] == "query")

    def request_schema(self):
        return self.request["content"]["application/json"]["schema"] if self.request else None


class Contract:
    def __init__(self, text):
        self.document = yaml.safe_load(text)
        self.resolver = jsonschema.RefResolver("", self.document)
        self.formats = jsonschema.FormatChecker()
        self.operations = [Operation(self, path, method, item) for path, item in self.document["paths"].items()
                           for method in METHODS if method in item]

    def resolve(self, node):
        while "$ref" in node:
            _, node = self.resolver.resolve(node["$ref"])
        return node

    def validator(self, schema):
        return jsonschema.Draft202012Validator(schema, resolver=self.resolver, format_checker=self.formats)

    def find(self, method, path):
        """The operation of a request, None where the contract has none.  HEAD is GET."""
        method = "GET" if method == "HEAD" else method
        return next((op for op in self.operations if op.method == method and op.pattern.match(path.split("?")[0])), None)

    # is a reply as promised?

    def check(self, method, path, status, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        for name, value in ALWAYS.items():
            assert headers.get(name) == value, (name, headers)
        assert not [name for name in NEVER if name in headers], headers
        operation = self.find(method, path)
        if operation is None:
            promised = self.document["components"]["responses"]["Refused"]
        else:
            responses = operation.body["responses"]
            promised = self.resolve(responses.get(str(status), responses.get("default", {})))
        self._check_headers(promised.get("headers", {}), headers)
        self._check_content(promised.get("content"), status, headers, body if method != "HEAD" else None)
        return operation

    def _check_headers(self, promised, headers):
        for name, header in promised.items():
            header, value = self.resolve(header), headers.get(name.lower())
            assert value is not None or not header.get("required"), f"{name} is missing: {headers}"
            schema = self.resolve(header["schema"])
            if value is not None:
                self.validator(schema).validate(int(value) if schema.get("type") == "integer" else value)

    def _check_content(self, content, status, headers, body):
        if content is None:
            assert not body, f"{status} has a body that the contract lacks: {body[:200]}"
            return
        media = headers["content-type"].split(";")[0]
        assert media in content, f"{status} as {media}; the contract has {list(content)}: {(body or b'')[:300]}"
        if body is None or "json" not in media:
            return
        value, schema = json.loads(body), content[media]["schema"]
        self.validator(schema).validate(value)
        assert media == "application/json" or value["status"] == status, value
        unknown = self._undocumented(schema, value)
        assert not unknown, f"these members are not in the contract: {unknown}"

    def _parts(self, schema, value):
        """The schema and those inside it that say something about VALUE."""
        schema = self.resolve(schema)
        yield schema
        for part in schema.get("allOf", []):
            yield from self._parts(part, value)
        for part in schema.get("oneOf", []) + schema.get("anyOf", []):
            if self.validator(part).is_valid(value):
                yield from self._parts(part, value)

    def _undocumented(self, schema, value, where=""):
        """Members of VALUE that no part of SCHEMA names."""
        parts, unknown = list(self._parts(schema, value)), []
        if isinstance(value, dict):
            for name, member in value.items():
                named = [part["properties"][name] for part in parts if name in part.get("properties", {})]
                unknown += [] if named else [f"{where}.{name}"]
                unknown += [found for inner in named[:1] for found in self._undocumented(inner, member, f"{where}.{name}")]
        if isinstance(value, list):
            for items in [part["items"] for part in parts if "items" in part][:1]:
                unknown += [found for member in value for found in self._undocumented(items, member, where + "[]")]
        return unknown
