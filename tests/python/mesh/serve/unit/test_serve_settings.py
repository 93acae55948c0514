"""Settings of a server."""

import pytest

from mesh.core.errors import UsageError
from mesh.core.secret_values import mask_secret
from mesh.core.settings import load_settings
from mesh.serve.settings import ServeSettings


@pytest.mark.parametrize("hosts", ["localhost:8001", "http://a", "a b", "a.*", "a,/"])
def test_hosts_that_are_none(hosts: str) -> None:
    with pytest.raises(UsageError, match="SERVE_ALLOWED_HOSTS=.* names without ports are needed"):
        load_settings([ServeSettings], flags=[f"--allowed-hosts={hosts}"])


def test_http_2_needs_hypercorn() -> None:
    with pytest.raises(UsageError, match="SERVE_HTTP2=.*only hypercorn speaks HTTP/2"):
        load_settings([ServeSettings], flags=["--http2"])
    (settings,) = load_settings([ServeSettings], flags=["--http2", "--server=hypercorn"])
    assert settings.http2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--jwt-issuer=https://a"], "SERVE_JWT_AUDIENCE is required"),
        (["--jwt-jwks-file=a.json"], "SERVE_JWT_AUDIENCE is required"),
        (["--jwt-audience=a"], "SERVE_JWT_AUDIENCE needs SERVE_JWT_ISSUER"),
        (["--jwt-issuer=http://a.com", "--jwt-audience=a"], "SERVE_JWT_ISSUER: .*https://"),
        (["--jwt-issuer=a", "--jwt-audience=a"], "SERVE_JWT_ISSUER: .*https://"),
        (["--jwt-issuer=https://[", "--jwt-audience=a"], "SERVE_JWT_ISSUER: .*https://"),
        (["--jwt-algorithm=HS256"], "SERVE_JWT_ALGORITHM='HS256'"),
        (["--jwt-algorithm=none"], "SERVE_JWT_ALGORITHM='none'"),
        (["--jwt-default-scopes=all"], "SERVE_JWT_DEFAULT_SCOPES='all'"),
        (["--requests-per-minute=0"], "SERVE_REQUESTS_PER_MINUTE"),
        (["--port=8000", "--inspect-port=8000"], "the server's own port"),
        (["--tls-cert-file=a"], "TLS needs both"),
        (["--tls-key-file=a"], "TLS needs both"),
        (["--tls-client-ca-file=a"], "SERVE_TLS_CLIENT_CA_FILE needs"),
        (["--cors-origins=app.example.com"], "SERVE_CORS_ORIGINS=.*is not an origin"),
        (["--cors-origins=https://a.com/"], "SERVE_CORS_ORIGINS=.*is not an origin"),
        (["--cors-origins=https://*.a.com"], "SERVE_CORS_ORIGINS=.*is not an origin"),
        (["--trusted-proxies=*"], "SERVE_TRUSTED_PROXIES=.*is not an address"),
        (["--trusted-proxies=proxy"], "SERVE_TRUSTED_PROXIES=.*is not an address"),
        (["--trusted-proxies=10.0.0.0/8,0.0.0.0/0"], "any client claim another address"),
        (["--trusted-proxies=::/0"], "any client claim another address"),
        (["--trusted-proxies=10.0.0.7/8"], "is not an address"),
    ],
)
def test_access_that_would_protect_nothing(flags: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_settings([ServeSettings], flags=flags)


def test_access_is_off_by_default() -> None:
    settings = ServeSettings()
    assert not settings.needs_access
    assert not settings.asks_callers
    assert settings.tls_cert_file is None
    assert settings.host == "127.0.0.1"
    # Longer than load balancers keep theirs.
    assert settings.keep_alive_seconds > 60


def test_what_is_said_of_tokens_is_no_secret() -> None:
    flags = ["--jwt-issuer=https://u:word@a.com/realm", "--jwt-audience=mesh"]
    (settings,) = load_settings([ServeSettings], flags=flags)
    shown = settings.model_dump(mode="json")
    assert shown["jwt_issuer"] == "https://u:***@a.com/realm"
    assert mask_secret("jwt_audience", "mesh") == "mesh"
    assert mask_secret("jwt_algorithm", "RS256") == "RS256"
    assert mask_secret("tls_key_password", "word") == "***"
