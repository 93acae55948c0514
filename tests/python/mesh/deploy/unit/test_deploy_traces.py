"""Addresses of collectors that manifests can't have."""

import pytest

from mesh.core.errors import UsageError
from mesh.deploy.traces import TraceSettings


@pytest.mark.parametrize(
    ("endpoint", "share", "problem"),
    [
        ("http://key:secret@c:4318", 1, r"http://key:\*\*\*@c:4318 holds a user or a query"),
        (
            "http://c:4318?key=secret",
            1,
            "put OTEL_EXPORTER_OTLP_HEADERS into the secret mesh-traces",
        ),
        ("collector:4318", 1, "'collector:4318' is no collector's address"),
        ("grpc://c:4317", 1, "is no collector's address: write http://HOST:PORT"),
        ("http://c:port", 1, "is no collector's address"),
        ("http://c d:4318", 1, "is no collector's address"),
        ("", 1, "'' is no collector's address"),
        ("http://c:4318/v1/traces/", 1, "Leave /v1/traces out of"),
        ("http://c:4318", 1.5, "from 0 to 1, not 1.5"),
        ("http://c:4318", float("nan"), "from 0 to 1, not nan"),
    ],
)
def test_collectors_that_can_not_be(endpoint: str, share: float, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as refused:
        TraceSettings(endpoint, share)
    assert "secret@" not in str(refused.value)
    assert "=secret" not in str(refused.value)
