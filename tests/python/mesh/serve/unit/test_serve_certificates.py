"""Certificates of servers, and files that are none."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from access_files import Authority
from mesh.core.errors import UsageError
from mesh.serve.access.certificates import load_certificate, server_context
from mesh.serve.connections import client_name
from mesh.serve.settings import ServeSettings


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def made(files: tuple[Path, Path], **more: Any) -> ssl.SSLContext | None:
    settings = ServeSettings(tls_cert_file=files[0], tls_key_file=files[1], **more)
    return server_context(settings, ["http/1.1"])


def test_no_files_no_tls() -> None:
    assert server_context(ServeSettings(), []) is None


def test_old_versions_of_tls_are_refused(authority: Authority) -> None:
    context = made(authority.issue("server"))
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing key", "SERVE_TLS_KEY_FILE=.* can't be read: No such file"),
        ("missing certificate", "SERVE_TLS_CERT_FILE=.* can't be read: No such file"),
        ("folder", "SERVE_TLS_CERT_FILE=.* can't be read: Is a directory"),
        ("empty key", "are not a certificate and its key"),
        ("empty certificate", "are not a certificate and its key"),
        ("another's key", "are not a certificate and its key"),
        ("locked", "an encrypted key needs SERVE_TLS_KEY_PASSWORD"),
        ("no authorities", "SERVE_TLS_CLIENT_CA_FILE=.* has no certificates"),
        ("missing authorities", "SERVE_TLS_CLIENT_CA_FILE=.* can't be read"),
    ],
)
def test_files_that_do_not_do(
    authority: Authority, tmp_path: Path, damage: str, message: str
) -> None:
    certificate, key = authority.issue("server", password="word" if damage == "locked" else "")
    empty = tmp_path / "empty"
    empty.touch()
    missing = tmp_path / "missing"
    found = {
        "missing key": (certificate, missing),
        "missing certificate": (missing, key),
        "folder": (tmp_path, key),
        "empty key": (certificate, empty),
        "empty certificate": (empty, key),
        "another's key": (certificate, authority.issue("another")[1]),
    }.get(damage, (certificate, key))
    authorities = {"no authorities": empty, "missing authorities": missing}.get(damage)
    with pytest.raises(UsageError, match=message):
        made(found, tls_client_ca_file=authorities)


def test_a_wrong_password_is_not_shown(authority: Authority) -> None:
    files = authority.issue("server", password="word")
    with pytest.raises(UsageError) as caught:
        made(files, tls_key_password="wrong-secret")
    assert "wrong-secret" not in str(caught.value)
    assert made(files, tls_key_password="word") is not None


def test_a_damaged_certificate_leaves_the_context_as_it_was(authority: Authority) -> None:
    files = authority.issue("server")
    settings = ServeSettings(tls_cert_file=files[0], tls_key_file=files[1])
    context = server_context(settings, ["http/1.1"])
    assert context is not None
    files[1].write_bytes(authority.issue("another")[1].read_bytes())
    with pytest.raises(UsageError):
        load_certificate(context, settings)
    assert handshake(context, authority) == "server"


def handshake(server: ssl.SSLContext, authority: Authority) -> str:
    """The name that a client sees of a server with a context."""
    client = ssl.create_default_context(cafile=authority.file)
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(one, other, server_hostname="localhost")
    answering = server.wrap_bio(other, one, server_side=True)
    for _ in range(4):
        for each in (asking, answering):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = asking.getpeercert()
    assert certificate is not None
    return str(certificate["subject"][0][0][1])


class Transport:
    def __init__(self, certificate: Any) -> None:
        self._certificate = certificate

    def get_extra_info(self, name: str) -> Any:
        return self._certificate if name == "peercert" else None


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        (None, None),
        ({}, None),
        ({"subject": ((("commonName", "alice"),),)}, "alice"),
        (
            {"subject": ((("countryName", "DE"),), (("commonName", "alice"),))},
            "alice",
        ),
        ({"subject": (), "subjectAltName": (("URI", "spiffe://a/b"),)}, "spiffe://a/b"),
        ({"issuer": ()}, "without a name"),
    ],
)
def test_names_in_certificates(certificate: Any, name: str | None) -> None:
    assert client_name(Transport(certificate)) == name  # type: ignore[arg-type]
