"""`protocol-spec/openapi.yaml` and `openapi-broker.yaml`: valid files, whose examples keep to them. What the broker's describes, it has;
the ticket API's is held against the route table by the Swift tests, and against the answers by `test_schemathesis.py`."""

from pathlib import Path

import jsonschema
import pytest
import requests
import yaml
from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV31SpecValidator

FOLDER = Path(__file__).parents[2] / "protocol-spec"
TICKETS, BROKER = (yaml.safe_load((FOLDER / name).read_text()) for name in ("openapi.yaml", "openapi-broker.yaml"))
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
OPERATIONS = [
    pytest.param(path, method, id=item[method]["operationId"])
    for path, item in BROKER["paths"].items() for method in METHODS if method in item
]


both = pytest.mark.parametrize("document", [TICKETS, BROKER], ids=["tickets", "broker"])


@both
def test_the_file_is_valid(document):
    OpenAPIV31SpecValidator(SchemaPath.from_dict(document)).validate()


def contents(node):
    """Every object that has a schema and examples, wherever it stands."""
    if isinstance(node, dict):
        if "schema" in node and ("example" in node or "examples" in node):
            yield node["schema"], [node["example"]] if "example" in node else [e["value"] for e in node["examples"].values()]
        for child in node.values():
            yield from contents(child)
    elif isinstance(node, list):
        for child in node:
            yield from contents(child)


@both
def test_the_examples_keep_to_their_schemas(document):
    found = list(contents(document))
    for schema, examples in found:
        # Beside the schema, so that its references are found.
        validator = jsonschema.Draft202012Validator({"components": document["components"], "allOf": [schema]})
        for example in examples:
            validator.validate(example)
    assert len(found) > 30


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    from switchboard import Server
    server = Server(tmp_path_factory.mktemp("openapi"), "broker").ready()
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("path, method", OPERATIONS)
def test_the_broker_has_every_operation(broker, path, method):
    for name, value in {"app_id": broker.app_id, "channel_name": "presence-ops", "user_id": "u-17"}.items():
        path = path.replace("{" + name + "}", value)
    url = f"http://127.0.0.1:{broker.broker}{path}"
    answer = requests.request(method, url, timeout=30)
    # Nothing is signed here.
    assert answer.status_code == (200 if path == "/up" else 401), answer.text
    answer = requests.request("delete", url, timeout=30)
    assert answer.status_code == 405 and method.upper() in answer.headers["Allow"]


def test_the_broker_has_no_operation_beside_them(broker):
    for path in ("", "/", "/apps", f"/apps/{broker.app_id}", f"/apps/{broker.app_id}/connections", "/metrics", "/ready"):
        assert requests.get(f"http://127.0.0.1:{broker.broker}{path}", timeout=30).status_code == 404
