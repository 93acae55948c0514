import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.secrets import managed_secrets
from services.http import running

KEPT = "projects/team/secrets/registry/versions/3"


class Google(BaseHTTPRequestHandler):
    """The metadata server and Secret Manager."""

    def do_GET(self) -> None:
        if self.path.startswith("/computeMetadata/") and self.headers["Metadata-Flavor"]:
            self.respond(200, {"access_token": "a-token"})
        elif (
            self.headers["Authorization"] == "Bearer a-token" and self.path == f"/v1/{KEPT}:access"
        ):
            data = base64.b64encode(b"postgresql://mesh").decode()
            self.respond(200, {"payload": {"data": data}})
        else:
            self.respond(403, {})

    def respond(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def google() -> Iterator[str]:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Google)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def named(**secrets: str) -> dict[str, str]:
    return {"MESH_SECRETS": json.dumps(secrets)}


def test_values_are_read_with_the_service_account_s_token(google: str) -> None:
    found = managed_secrets(named(MESH_REGISTRY_URI=KEPT), manager=google, metadata=google)
    assert found == {"MESH_REGISTRY_URI": "postgresql://mesh"}


def test_variable_that_is_set_is_left_alone_and_nothing_is_asked() -> None:
    environment = {**named(MESH_REGISTRY_URI=KEPT), "MESH_REGISTRY_URI": "sqlite:///x"}
    nowhere = "http://127.0.0.1:9"
    assert managed_secrets(environment, manager=nowhere, metadata=nowhere) == {}
    assert managed_secrets({}, manager=nowhere, metadata=nowhere) == {}


def test_forbidden_secret_names_variable_and_reference(google: str) -> None:
    other = KEPT.replace("registry", "other")
    with pytest.raises(MeshError, match=f"HF_TOKEN \\({other}\\) can't be read \\(HTTP 403\\)"):
        managed_secrets(named(HF_TOKEN=other), manager=google, metadata=google)


def test_no_metadata_server_is_one_sentence() -> None:
    with pytest.raises(MeshError, match="The service account can't be read"):
        managed_secrets(named(HF_TOKEN=KEPT), metadata="http://127.0.0.1:9")


@pytest.mark.parametrize("text", ["x", "[]", '{"A": 1}', "[" * 100_000])
def test_malformed_variable_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="MESH_SECRETS must be"):
        managed_secrets({"MESH_SECRETS": text})
