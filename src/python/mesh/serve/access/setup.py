"""What a server's settings ask for, put together. Only what they name is imported."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter
from starlette.middleware import Middleware

from mesh.core.errors import UsageError
from mesh.serve.access.lists import parse_networks, parse_origins, split_list
from mesh.serve.access.scopes import Caller, parse_scopes
from mesh.serve.access.settings import AccessSettings
from mesh.serve.access.watched import WatchedFile, watch

if TYPE_CHECKING:
    from mesh.serve.access.keys import Keys


class Access:
    """What stands before an app, and what is read again while it serves.

    Args:
        inspect_port: the real one, where it is on.

    Attributes:
        first: middleware that every request passes before all other.
        last: middleware that a request passes when it is known to be well-formed.

    Raises:
        UsageError: a file of the settings can't be used.
    """

    def __init__(
        self, settings: AccessSettings, registry: CollectorRegistry, inspect_port: int | None
    ) -> None:
        self.first: list[Middleware] = []
        self.last: list[Middleware] = []
        self._ended = threading.Event()
        self._starts: list[Callable[[], None]] = []
        self._ends: list[Callable[[], None]] = [self._ended.set]
        if settings.trusted_proxies:
            from mesh.serve.access.forwarded import Forwarded

            proxies = parse_networks(settings.trusted_proxies)
            self.first.append(Middleware(Forwarded, proxies=proxies))
        if settings.cors_origins:
            from mesh.serve.access.cors import Cors

            origins = parse_origins(settings.cors_origins)
            self.last.append(Middleware(Cors, origins=origins))
        if settings.guards:
            self._add_guard(settings, registry, inspect_port)

    def start(self) -> None:
        """Look at the files from now on, and fetch the issuer's keys."""
        for start in self._starts:
            start()

    def close(self) -> None:
        """Look no more."""
        for end in self._ends:
            end()

    def _add_guard(
        self, settings: AccessSettings, registry: CollectorRegistry, inspect_port: int | None
    ) -> None:
        from mesh.serve.access.guard import Guard
        from mesh.serve.access.rates import RateLimiter

        refusals = Counter(
            "access_refusals_total",
            "Requests of callers who weren't let in, by reason.",
            ("reason",),
            registry=registry,
        )
        keys = self._open_keys(settings)
        guard = Middleware(
            Guard,
            keys=(lambda: keys.value) if keys else None,
            check_token=self._check_token(settings) if settings.has_tokens else None,
            needs_certificate=settings.tls_client_ca_file is not None,
            requests_per_minute=settings.requests_per_minute,
            inspect_port=inspect_port,
            refusals=refusals,
            rates=RateLimiter(),
        )
        self.last.append(guard)

    def _open_keys(self, settings: AccessSettings) -> "WatchedFile[Keys] | None":
        from mesh.serve.access.keys import read_keys

        path = settings.api_keys_file
        if path is None:
            return None
        file = WatchedFile(path, read_keys)
        if not (settings.has_tokens or (file.value and file.value.can_open)):
            raise UsageError(
                f"The file of keys {path} has no key that is valid now, so nobody could ask; "
                "`mesh keys new` makes one."
            )
        self._watch(file)
        return file

    def _check_token(self, settings: AccessSettings) -> Callable[[str], Caller]:
        from mesh.serve.access.key_sets import IssuerKeys, read_key_set
        from mesh.serve.access.tokens import Tokens

        algorithm = settings.jwt_algorithm
        if settings.jwt_jwks_file is None:
            issuer = IssuerKeys(settings.jwt_issuer, algorithm)
            self._starts.append(issuer.start)
            self._ends.append(issuer.close)
            keys, want = (lambda: issuer.value), issuer.want
        else:
            file = WatchedFile(settings.jwt_jwks_file, lambda path: read_key_set(path, algorithm))
            self._watch(file)
            keys, want = (lambda: file.value), lambda: None
        tokens = Tokens(
            keys,
            want,
            algorithm=algorithm,
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
            default_scopes=parse_scopes(split_list(settings.jwt_default_scopes)),
        )
        return tokens.check

    def _watch(self, file: WatchedFile[Any]) -> None:
        self._starts.append(lambda: watch(file.look, self._ended))
