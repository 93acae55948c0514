"""Tokens of callers."""

import json
import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest

from access_files import AUDIENCE, ISSUER, Signer
from mesh.core.errors import MeshError, UsageError
from mesh.serve.access import tokens as tokens_module
from mesh.serve.access.key_sets import EXPIRY_SECONDS, IssuerKeys, parse_key_set, read_key_set
from mesh.serve.access.refusals import RefusalError
from mesh.serve.access.scopes import Scope
from mesh.serve.access.tokens import MAX_BYTES, Tokens
from services.http import Handler, running

SIGNER = Signer()
STRANGER = Signer()


def tokens(
    key_set: Any = SIGNER.key_set, issuer: str = ISSUER, default: frozenset[Scope] = frozenset()
) -> Tokens:
    keys = parse_key_set(key_set, "ES256", "The set") if key_set else None
    return Tokens(
        lambda: keys,
        lambda: None,
        algorithm="ES256",
        audience=AUDIENCE,
        issuer=issuer,
        default_scopes=default,
    )


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "predict"}, {Scope.PREDICT}),
        ({"scope": "openid inspect predict"}, {Scope.PREDICT, Scope.INSPECT}),
        ({"scope": "predict-all"}, set()),
        ({"scope": ""}, set()),
        ({"scope": None}, set()),
        ({"scope": None, "scp": ["inspect"]}, {Scope.INSPECT}),
        ({"scope": None, "scp": "predict inspect"}, {Scope.PREDICT, Scope.INSPECT}),
        ({"scope": 3}, set()),
        ({"scope": {"predict": 1}}, set()),
        ({"scope": "predict", "aud": ["other", AUDIENCE]}, {Scope.PREDICT}),
    ],
)
def test_what_tokens_allow(claims: dict[str, Any], scopes: set[Scope]) -> None:
    caller = tokens().check(SIGNER.token(**claims))
    assert (caller.kind, caller.name) == ("token", "alice")
    assert caller.scopes == scopes


def test_tokens_without_scopes_have_those_of_the_setting() -> None:
    default = frozenset({Scope.PREDICT})
    assert tokens(default=default).check(SIGNER.token(scope=None)).scopes == default
    assert tokens(default=default).check(SIGNER.token(scope="")).scopes == frozenset()


def forged() -> str:
    """A token that is signed by the public key, as if that were a shared secret."""
    public = SIGNER.key_set["keys"][0]["x"]
    claims = jwt.decode(SIGNER.token(), options={"verify_signature": False})
    return jwt.encode(claims, public, "HS256", headers={"kid": "one"})


def unsigned() -> str:
    claims = jwt.decode(SIGNER.token(), options={"verify_signature": False})
    return jwt.encode(claims, "", "none", headers={"kid": "one"})


def _expired() -> str:
    return SIGNER.token(exp=time.time() - 60)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_expired, "expired"),
        *(
            (make, "unknown")
            # They are made when they are needed: those that don't end at once end soon.
            for make in (
                lambda: SIGNER.token(exp=None),
                lambda: SIGNER.token(exp="never"),
                lambda: SIGNER.token(exp=1e400),
                lambda: SIGNER.token(aud="other"),
                lambda: SIGNER.token(aud=None),
                lambda: SIGNER.token(iss="https://other.example.com"),
                lambda: SIGNER.token(iss=None),
                lambda: SIGNER.token(sub=None),
                lambda: SIGNER.token(nbf=time.time() + 600),
                lambda: SIGNER.token(iat=time.time() + 600),
                lambda: SIGNER.token(headers={"kid": "two"}),
                lambda: SIGNER.token(headers={"kid": None}),
                lambda: SIGNER.token(headers={"crit": ["b64"], "b64": False}),
                lambda: STRANGER.token(),
                lambda: SIGNER.token()[:-6] + "AAAAAA",
                lambda: SIGNER.token().rpartition(".")[0] + ".",
                forged,
                unsigned,
                lambda: "",
                lambda: ".",
                lambda: "..",
                lambda: "a.b.c",
                lambda: "é" * 20,
                lambda: "eyJ" * 2000,
                lambda: SIGNER.token(padding="a" * MAX_BYTES),
            )
        ),
    ],
)
def test_tokens_that_are_refused(make: Callable[[], str], reason: str) -> None:
    token = make()
    # The token without a key's id would do, if the set had one key alone.
    key_set = {"keys": [*SIGNER.key_set["keys"], *Signer("three").key_set["keys"]]}
    with pytest.raises(RefusalError) as caught:
        tokens(key_set).check(token)
    assert (caught.value.status, caught.value.reason) == (401, reason)
    assert caught.value.headers is not None
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer ")
    assert len(token) < 9 or token not in caught.value.detail


def test_a_deep_header_is_malformed() -> None:
    head = jwt.utils.base64url_encode(b'{"alg":' + b"[" * 5000).decode()
    with pytest.raises(RefusalError, match="The token"):
        tokens().check(f"{head}.e30.AA")


def test_the_only_key_needs_no_id() -> None:
    signer = Signer(key_id=None)
    assert tokens(signer.key_set).check(signer.token()).name == "alice"


def test_a_token_that_was_checked_is_checked_again_when_it_ends_or_keys_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = [parse_key_set(SIGNER.key_set, "ES256", "The set")]
    wanted: list[None] = []
    checker = Tokens(
        lambda: keys[-1],
        lambda: wanted.append(None),
        algorithm="ES256",
        audience=AUDIENCE,
        issuer=ISSUER,
        default_scopes=frozenset(),
    )
    checked = []
    decode = jwt.decode

    def count(*arguments: Any, **options: Any) -> Any:
        checked.append(arguments[0])
        return decode(*arguments, **options)

    monkeypatch.setattr(jwt, "decode", count)
    token = SIGNER.token()
    for _ in range(3):
        assert checker.check(token).name == "alice"
    assert checked == [token]
    keys.append(parse_key_set(Signer("two").key_set, "ES256", "The set"))
    with pytest.raises(RefusalError, match="unknown"):
        checker.check(token)
    # Its key may be a new one of the issuer.
    assert len(wanted) == 1
    keys.pop()
    assert checker.check(token).name == "alice"
    assert len(checked) == 1
    later = time.time() + 10_000
    monkeypatch.setattr(time, "time", lambda: later)
    checker.check(token)
    assert len(checked) == 2


def test_tokens_without_end_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "MAX_KNOWN", 3)
    checker = tokens()
    for number in range(10):
        checker.check(SIGNER.token(sub=str(number)))
    assert len(checker._known) == 3


def test_names_for_the_log_are_plain() -> None:
    assert tokens().check(SIGNER.token(sub="a\n\x1b[31mé")).name == "a??[31m?"
    assert len(tokens().check(SIGNER.token(sub="a" * 5000)).name) < 400


def test_without_keys_tokens_are_not_refused_for_good() -> None:
    with pytest.raises(RefusalError) as caught:
        tokens(None).check(SIGNER.token())
    assert caught.value.status == 503
    assert caught.value.headers == {"Retry-After": "1"}


[PUBLIC] = SIGNER.key_set["keys"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "is not a JSON Web Key Set"),
        ({}, "is not a JSON Web Key Set"),
        ({"keys": {}}, "is not a JSON Web Key Set"),
        ({"keys": []}, "has no key for ES256"),
        ({"keys": [1, None]}, "has no key for ES256"),
        ({"keys": [{**PUBLIC, "alg": "ES384"}]}, "has no key for ES256"),
        ({"keys": [{**PUBLIC, "use": "enc"}]}, "has no key for ES256"),
        ({"keys": [{**PUBLIC, "x": "!"}]}, "has no key for ES256"),
        ({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}, "has no key for ES256"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "has a private key"),
        ({"keys": [{**PUBLIC, "d": "c2VjcmV0"}]}, "has a private key"),
    ],
)
def test_key_sets_that_are_none(tmp_path: Path, document: Any, message: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=message) as caught:
        read_key_set(path, "ES256")
    assert str(path) in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


class Issuer(ThreadingHTTPServer):
    """An issuer, whose answers a test may change."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), IssuerHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
            },
            "/keys": SIGNER.key_set,
        }


class IssuerHandler(Handler):
    server: Issuer

    def do_GET(self) -> None:
        found = self.server.answers.get(self.path)
        content = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.answer(404 if found is None else 200, content)


DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DISCOVERY, None),
        (DISCOVERY, b"<html>"),
        (DISCOVERY, []),
        (DISCOVERY, {"issuer": "https://other.example.com", "jwks_uri": "https://other/keys"}),
        (DISCOVERY, {"jwks_uri": "no issuer"}),
        ("/keys", None),
        ("/keys", b"[" * 5000),
        ("/keys", {"keys": []}),
        ("/keys", b" " * 2_000_000),
    ],
)
def test_an_issuer_that_fails_leaves_the_keys_until_they_are_old(
    path: str, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    with running(Issuer()) as issuer:
        keys = IssuerKeys(issuer.url, "ES256", lambda: now)
        assert keys.value is None
        assert keys.refresh()
        assert set(keys.value or ()) == {"one"}
        issuer.answers[path] = answer
        now = EXPIRY_SECONDS - 1
        assert not keys.refresh()
        assert not keys.refresh()
        assert keys.value is not None
        now = EXPIRY_SECONDS + 1
        assert keys.value is None
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1


def test_an_issuer_whose_keys_are_elsewhere_without_https() -> None:
    with running(Issuer()) as issuer:
        issuer.answers[DISCOVERY]["jwks_uri"] = "http://example.com/keys"
        assert not IssuerKeys(issuer.url, "ES256").refresh()


def test_an_issuer_that_is_away() -> None:
    keys = IssuerKeys("http://127.0.0.1:1", "ES256")
    assert not keys.refresh()
    assert keys.value is None


def test_new_keys_of_an_issuer_replace_the_old() -> None:
    with running(Issuer()) as issuer:
        keys = IssuerKeys(issuer.url, "ES256")
        keys.refresh()
        issuer.answers["/keys"] = Signer("two").key_set
        keys.refresh()
        assert set(keys.value or ()) == {"two"}


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="missing.json"):
        read_key_set(tmp_path / "missing.json", "ES256")
