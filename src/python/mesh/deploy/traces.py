"""Where a deployed server sends its traces, by OpenTelemetry's own variables."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mesh.core.errors import UsageError
from mesh.core.names import written_for_kubernetes
from mesh.core.urls import mask_url

SECRET = "mesh-traces"  # noqa: S105 - a name
"""The secret with the headers that the collector asks for; there need not be one."""

HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
"""The variable, and the key of the secret."""

DEFAULT_SHARE = 0.01

_PATH = "/v1/traces"
"""What OpenTelemetry adds to an endpoint."""

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class TraceSettings:
    """What a server is told of traces.

    Args:
        endpoint: of the collector, as its pods see it.
        share: of the requests that are no part of a trace yet, from 0 to 1; callers decide about
            the others.

    Raises:
        UsageError: one of them is wrong, or the endpoint holds a secret.
    """

    endpoint: str
    share: float = DEFAULT_SHARE

    def __post_init__(self) -> None:
        shown = mask_url(self.endpoint)
        if "@" in self.endpoint or shown != self.endpoint:
            raise UsageError(
                f"{shown} holds a user or a query, which would be readable in the manifests: put "
                f"{HEADERS} into the secret {SECRET}."
            )
        if self._address is None:
            raise UsageError(
                f"{shown!r} is no collector's address: write http://HOST:PORT or https://HOST:PORT."
            )
        if self.endpoint.rstrip("/").endswith(_PATH):
            raise UsageError(f"Leave {_PATH} out of {shown}: the server adds it.")
        if not 0 <= self.share <= 1:
            raise UsageError(f"The share of traces is from 0 to 1, not {self.share:g}.")

    @property
    def port(self) -> int:
        """The collector's."""
        address = self._address
        assert address is not None  # noqa: S101 - __post_init__ checks it
        return address.port or _PORTS[address.scheme]

    @property
    def _address(self) -> SplitResult | None:
        if any(map(str.isspace, self.endpoint)):
            return None
        try:
            address = urlsplit(self.endpoint)
            is_known = address.scheme in _PORTS and bool(address.hostname) and address.port != 0
        except ValueError:
            return None
        return address if is_known else None

    def variables(self, service: str) -> list[dict[str, Any]]:
        """Of the server's container.

        Args:
            service: the name of the server in traces.
        """
        values = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": written_for_kubernetes(self.endpoint),
            "OTEL_SERVICE_NAME": service,
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": f"{self.share:g}",
        }
        secret = {"name": SECRET, "key": HEADERS, "optional": True}
        return [
            *({"name": name, "value": value} for name, value in values.items()),
            {"name": HEADERS, "valueFrom": {"secretKeyRef": secret}},
        ]
