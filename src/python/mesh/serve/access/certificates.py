"""TLS of the server, and the certificates of its clients."""

import asyncio
import logging
import ssl
from pathlib import Path

from mesh.core.errors import UsageError
from mesh.serve.access.settings import AccessSettings
from mesh.serve.access.watched import state_of

logger = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
"""Time between two looks at the certificate."""


def server_context(settings: AccessSettings, protocols: list[str]) -> ssl.SSLContext | None:
    """What TLS needs, for both HTTP servers; None where it is off.

    Clients may come without a certificate, since probes have none: the app refuses their requests.
    A wrong certificate ends the connection.

    Args:
        protocols: that clients may choose (ALPN).

    Raises:
        UsageError: a file can't be read, or files don't fit together.
    """
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(protocols)
    load_certificate(context, settings)
    if settings.tls_client_ca_file is not None:
        _load_authorities(context, settings.tls_client_ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def load_certificate(context: ssl.SSLContext, settings: AccessSettings) -> None:
    """Use the certificates and key of the settings for new connections.

    Raises:
        UsageError: a file can't be read, or they don't fit together; the context is as it was.
    """
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    given = settings.tls_key_password
    password = given.get_secret_value() if given else ""
    for name, path in (("SERVE_TLS_CERT_FILE", certificate), ("SERVE_TLS_KEY_FILE", key)):
        _require_readable(name, path)
    for each in (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), context):
        try:
            # A function, since OpenSSL would ask at the terminal for a password that isn't given.
            each.load_cert_chain(str(certificate), key, lambda: password)
        except (ssl.SSLError, ValueError) as error:
            raise UsageError(
                f"SERVE_TLS_CERT_FILE={certificate} and SERVE_TLS_KEY_FILE={key} are not a "
                f"certificate and its key in PEM ({_reason(error)}); an encrypted key needs "
                "SERVE_TLS_KEY_PASSWORD."
            ) from error


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    _require_readable("SERVE_TLS_CLIENT_CA_FILE", path)
    try:
        context.load_verify_locations(path)
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(
            f"SERVE_TLS_CLIENT_CA_FILE={path} has no certificates in PEM ({_reason(error)})."
        ) from error


def _require_readable(name: str, path: Path | None) -> None:
    try:
        if path is not None:
            path.read_bytes()
    except OSError as error:
        raise UsageError(f"{name}={path} can't be read: {error.strerror}.") from error


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error)


async def renew(context: ssl.SSLContext, settings: AccessSettings) -> None:
    """Load certificate and key again when they change, until it is cancelled.

    It belongs into the event loop: connections are opened there, and see both files of one time.
    """
    paths = [path for path in (settings.tls_cert_file, settings.tls_key_file) if path]
    loaded = [state_of(path) for path in paths]
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        states = [state_of(path) for path in paths]
        if states == loaded:
            continue
        try:
            load_certificate(context, settings)
            logger.info("The certificate %s was read again", settings.tls_cert_file)
        except UsageError as error:
            logger.error("%s The former certificate is still used.", error)
        # A damaged one is reported once.
        loaded = states
