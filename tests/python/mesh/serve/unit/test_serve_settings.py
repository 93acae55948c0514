"""Settings of a server."""

import pytest

from mesh.core.errors import UsageError
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
