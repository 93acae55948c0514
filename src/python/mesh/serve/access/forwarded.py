"""What proxies say of their clients."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from mesh.serve.access.lists import Network, parse_address

_FOR = b"x-forwarded-for"
_PROTO = b"x-forwarded-proto"
_SCHEMES = ("http", "https")


class Forwarded:
    """Takes the client's address and scheme from X-Forwarded-For and -Proto of named proxies.

    Of the addresses, the last one counts that isn't a named proxy's: what stands before it may come
    from the client. Other clients' headers are ignored.

    Args:
        proxies: whose headers are believed.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope.get("client") and self._trusts(scope["client"][0]):
            scope["client"] = self._client(scope)
            schemes = _values(scope, _PROTO)
            if schemes and schemes[-1] in _SCHEMES:
                scope["scheme"] = schemes[-1]
        await self._app(scope, receive, send)

    def _trusts(self, text: str) -> bool:
        address = parse_address(text)
        return address is not None and any(address in network for network in self._proxies)

    def _client(self, scope: Scope) -> tuple[str, int]:
        """The client's address; of a text that isn't one, the proxy's before which it stands."""
        client: tuple[str, int] = tuple(scope["client"])
        for value in reversed(_values(scope, _FOR)):
            address = parse_address(_without_port(value))
            if address is None:
                return client
            client = (str(address), 0)
            if not self._trusts(client[0]):
                return client
        return client


def _values(scope: Scope, name: bytes) -> list[str]:
    values = [value.decode("latin-1") for header, value in scope["headers"] if header == name]
    return [part.strip().lower() for value in values for part in value.split(",")]


def _without_port(text: str) -> str:
    """An address without the port that some proxies add: `10.0.0.1:80`, `[::1]:80`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _, _ = text.partition(":")
    return host if text.count(":") == 1 else text
