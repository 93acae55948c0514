"""TLS of the server for gRPC: the files of the one for HTTP, read again when they change."""

import logging
from pathlib import Path

import grpc

from mesh.core.errors import UsageError
from mesh.serve.access.certificates import server_context
from mesh.serve.access.settings import AccessSettings
from mesh.serve.access.watched import state_of

logger = logging.getLogger(__name__)


def server_credentials(settings: AccessSettings) -> grpc.ServerCredentials | None:
    """What TLS needs; None where it is off.

    Where clients need certificates, a connection without one is closed: gRPC has no probes of
    clients that have none.

    Raises:
        UsageError: a file can't be read, or files don't fit together.
    """
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    if certificate is None or key is None:
        return None
    loaded = [state_of(path) for path in (certificate, key)]

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        """Called for each new connection, in a thread of gRPC's; None for no change."""
        nonlocal loaded
        states = [state_of(path) for path in (certificate, key)]
        if states == loaded:
            return None
        # A damaged one is reported once.
        loaded = states
        try:
            return _configuration(settings, certificate, key)
        except UsageError as error:
            logger.error("%s The former certificate is still used for gRPC.", error)
            return None

    return grpc.dynamic_ssl_server_credentials(
        _configuration(settings, certificate, key),
        renewed,
        require_client_authentication=settings.tls_client_ca_file is not None,
    )


def _configuration(
    settings: AccessSettings, certificate: Path, key: Path
) -> grpc.ServerCertificateConfiguration:
    # It checks that the files fit together.
    server_context(settings, [])
    authorities = settings.tls_client_ca_file
    return grpc.ssl_server_certificate_configuration(
        [(_plain_key(settings, key), certificate.read_bytes())],
        root_certificates=authorities.read_bytes() if authorities else None,
    )


def _plain_key(settings: AccessSettings, key: Path) -> bytes:
    """The key as gRPC takes it, which is without a password."""
    if settings.tls_key_password is None:
        return key.read_bytes()
    # What checks tokens brings it.
    from cryptography.hazmat.primitives import serialization  # pants: no-infer-dep

    password = settings.tls_key_password.get_secret_value().encode()
    loaded = serialization.load_pem_private_key(key.read_bytes(), password)
    return loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
