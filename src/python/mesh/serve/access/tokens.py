"""JSON Web Tokens of callers, checked by PyJWT."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from jwt import PyJWK
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from mesh.serve.access.key_sets import KeySet
from mesh.serve.access.refusals import RefusalError, unauthorized
from mesh.serve.access.scopes import Caller, Scope
from mesh.serve.problems import RETRY_AFTER, shorten

MAX_BYTES = 8192
LEEWAY_SECONDS = 5
"""By so much clocks may differ."""

MAX_KNOWN = 10_000
"""Tokens that are remembered, since checking a signature takes longer than all else of a request."""

_REQUIRED = ["exp", "aud", "sub"]
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class Tokens:
    """Checks the tokens of callers: signature, algorithm, audience, issuer and times.

    Args:
        keys: the public keys now, or None while there are none.
        want: called for a token of a key that is unknown.
        issuer: that tokens must be of; empty for any that the keys sign for.
        default_scopes: of tokens without the claim.
    """

    def __init__(
        self,
        keys: Callable[[], KeySet | None],
        want: Callable[[], None],
        *,
        algorithm: str,
        audience: str,
        issuer: str,
        default_scopes: frozenset[Scope],
    ) -> None:
        self._keys = keys
        self._want = want
        self._algorithm = algorithm
        self._audience = audience
        self._issuer = issuer or None
        self._default_scopes = default_scopes
        # By digest: who has it, until when, and the keys that it was checked with.
        self._known: dict[bytes, tuple[Caller, float, KeySet]] = {}

    def check(self, text: str) -> Caller:
        """Who has a token.

        Raises:
            RefusalError: 401, or 503 while there are no keys.
        """
        if len(text) > MAX_BYTES:
            raise unauthorized("unknown", f"The token is longer than {MAX_BYTES} characters.")
        keys = self._keys()
        if keys is None:
            raise RefusalError(
                "unverifiable",
                503,
                "The server can't check tokens at the moment: it has no keys of their issuer.",
                headers=RETRY_AFTER,
            )
        digest = hashlib.sha256(text.encode()).digest()
        caller, end, checked_with = self._known.get(digest, (None, 0.0, None))
        if caller is not None and checked_with is keys and time.time() < end:
            return caller
        claims = self._claims(text, keys)
        name = _UNPRINTABLE.sub("?", shorten(str(claims["sub"])))
        caller = Caller("token", name, self._scopes(claims))
        self._known[digest] = (caller, float(claims["exp"]), keys)
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]
        return caller

    def _claims(self, text: str, keys: KeySet) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                text,
                self._key(text, keys),
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": [*_REQUIRED, *(["iss"] if self._issuer else [])]},
            )
        except ExpiredSignatureError:
            raise unauthorized("expired", "The token has expired.") from None
        except PyJWTError as error:
            reason = shorten(str(error))
            raise unauthorized("unknown", f"The token is not valid here: {reason}.") from None
        except (ArithmeticError, RecursionError, TypeError, ValueError):
            raise unauthorized("unknown", "The token is malformed.") from None
        return claims

    def _key(self, text: str, keys: KeySet) -> PyJWK:
        identifier = jwt.get_unverified_header(text).get("kid")
        if identifier is None and len(keys) == 1:
            return next(iter(keys.values()))
        if not isinstance(identifier, str | None) or identifier not in keys:
            self._want()
            raise PyJWTError("its key (kid) is unknown")
        return keys[identifier]

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[Scope]:
        """The scopes of a token: `scope` by RFC 8693, or `scp` as some issuers have it."""
        found = claims.get("scope", claims.get("scp"))
        if found is None:
            return self._default_scopes
        words = found.split() if isinstance(found, str) else found
        return frozenset(scope for scope in Scope if isinstance(words, list) and scope in words)
