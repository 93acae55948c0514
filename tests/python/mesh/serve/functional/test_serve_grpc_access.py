"""Who may ask a real server over gRPC: keys, rates, certificates."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from access_files import Authority, Signer, add_key
from grpc_calls import SERVICE, GrpcCaller, details_of, infer_request
from mesh.serve.access.scopes import Scope
from mesh.serve.grpc import messages_pb2 as messages

Start = Callable[..., Any]
Metadata = list[tuple[str, str]]

HEALTH = "grpc.health.v1.Health"


def code(caller: GrpcCaller, metadata: Metadata, name: str = "ModelInfer") -> grpc.StatusCode:
    """The status of a call of a method."""
    body = infer_request("a") if name == "ModelInfer" else messages.ServerMetadataRequest()
    call = caller.method(name).future(body.SerializeToString(), metadata=metadata, timeout=60)
    error = call.exception()
    return error.code() if error else grpc.StatusCode.OK


def until_loaded(server: Any) -> None:
    server.wait_until(lambda: "The model tiny is loaded" in server.log)


def test_calls_need_a_key_with_its_scope(launch: Start, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = add_key(file, "all")
    inspect = add_key(file, "inspect", Scope.INSPECT)
    expired = add_key(file, "expired", days=-1)
    slow = add_key(file, "slow", per_minute=2)
    server = launch(grpc_port=0, api_keys_file=file)
    until_loaded(server)
    with GrpcCaller(server.grpc_address) as caller:
        ok, unknown = grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED
        cases: list[tuple[Metadata, grpc.StatusCode]] = [
            ([("authorization", f"Bearer {key}")], ok),
            ([("x-api-key", key)], ok),
            ([], unknown),
            ([("x-api-key", key[:-1])], unknown),
            ([("x-api-key", expired)], unknown),
            ([("authorization", f"Bearer {key}"), ("x-api-key", key)], unknown),
            ([("x-api-key", inspect)], grpc.StatusCode.PERMISSION_DENIED),
        ]
        for metadata, expected in cases:
            for name in ("ModelInfer", "ServerMetadata"):
                assert code(caller, metadata, name) is expected
        # Probes need none.
        for name, service in (("ServerReady", SERVICE), ("Check", HEALTH)):
            assert caller.method(name, service)(b"", timeout=60) == b"\x08\x01"
        # The rate counts what is sent over both protocols.
        with server.client() as client:
            headers = {"authorization": f"Bearer {slow}"}
            path = "/v1/model/tiny/predict"
            assert client.post(path, json={"text": "a"}, headers=headers).status_code == 200
            assert code(caller, [("x-api-key", slow)]) is ok
            error = caller.refusal(infer_request("a"), metadata=[("x-api-key", slow)])
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert 0 < details_of(error)["RetryInfo"].retry_delay.seconds <= 60
            assert client.post(path, json={"text": "a"}, headers=headers).status_code == 429
    assert "mesh_" not in server.log
    assert '"caller": "key all"' in server.log


def test_tokens_are_taken(launch: Start, tmp_path: Path) -> None:
    signer = Signer()
    file = tmp_path / "keys.json"
    file.write_text(httpx.Response(200, json=signer.key_set).text)
    server = launch(
        grpc_port=0, jwt_jwks_file=file, jwt_audience="mesh", jwt_algorithm=signer.algorithm
    )
    until_loaded(server)
    with GrpcCaller(server.grpc_address) as caller:
        good = [("authorization", f"Bearer {signer.token()}")]
        assert code(caller, good) is grpc.StatusCode.OK
        other = [("authorization", f"Bearer {Signer().token()}")]
        assert code(caller, other) is grpc.StatusCode.UNAUTHENTICATED


def test_tls_has_the_files_of_http_and_their_changes(launch: Start, authority: Authority) -> None:
    files = authority.issue("server", password="word")
    server = launch(
        grpc_port=0, tls_cert_file=files[0], tls_key_file=files[1], tls_key_password="word"
    )
    until_loaded(server)
    trusted = grpc.ssl_channel_credentials(authority.file.read_bytes())
    with GrpcCaller(server.grpc_address, trusted) as caller:
        assert caller.infer(infer_request("a")).model_name == "tiny"
    with GrpcCaller(server.grpc_address) as plain:
        assert code(plain, []) is grpc.StatusCode.UNAVAILABLE
    # One by another authority: the first is trusted no more.
    other = Authority(authority.file.parent, "another")
    for new, old in zip(other.issue("renewed", password="word"), files, strict=True):
        os.replace(new, old)
    with GrpcCaller(server.grpc_address, trusted) as caller:
        assert code(caller, []) is grpc.StatusCode.UNAVAILABLE
    trusted = grpc.ssl_channel_credentials(other.file.read_bytes())
    with GrpcCaller(server.grpc_address, trusted) as caller:
        assert caller.infer(infer_request("a")).model_name == "tiny"
    # A damaged one is not used.
    files[0].write_text("damaged")
    with GrpcCaller(server.grpc_address, trusted) as caller:
        assert caller.infer(infer_request("a")).model_name == "tiny"
    assert "The former certificate is still used" in server.log


def test_every_connection_needs_a_certificate(launch: Start, authority: Authority) -> None:
    certificate, key = authority.issue("server")
    server = launch(
        grpc_port=0,
        tls_cert_file=certificate,
        tls_key_file=key,
        tls_client_ca_file=authority.file,
    )
    until_loaded(server)
    root = authority.file.read_bytes()
    own_certificate, own_key = authority.issue("alice")
    own = grpc.ssl_channel_credentials(root, own_key.read_bytes(), own_certificate.read_bytes())
    with GrpcCaller(server.grpc_address, own) as caller:
        assert code(caller, []) is grpc.StatusCode.OK
    with GrpcCaller(server.grpc_address, grpc.ssl_channel_credentials(root)) as caller:
        assert code(caller, []) is grpc.StatusCode.UNAVAILABLE
    assert '"caller": "certificate alice"' in server.log


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")
