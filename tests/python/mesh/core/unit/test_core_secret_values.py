"""Names and values that look like secrets, and those that don't."""

import pytest

from mesh.core.secret_values import is_secret_name, is_secret_value, looks_random, mask_secret


@pytest.mark.parametrize(
    "name",
    "DB_PASS APIKEY PASSPHRASE AUTHORIZATION MYSQL_PWD PGPASSWORD githubToken api-key KEY DATABASE_DSN "
    "AWS_SECRET_ACCESS_KEY SIGNING_KEY X_AUTH SMTP_PASSWD HF_TOKEN clientSecret "
    "OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_TRACES_HEADERS".split(),
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert mask_secret(name, "tram") == "***"


@pytest.mark.parametrize(
    "name",
    "MAX_TOKENS TOKENIZERS_PARALLELISM SORT_KEY PUBLIC_KEY MESH_REGISTRY_TRUSTED_KEYS PASSWORD_FILE "
    "TOKEN_PATH COMPASS AUTHOR KEYWORDS MONKEY BYPASS_CACHE PASSAGES TRAIN_EPOCHS".split(),
)
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)
    assert mask_secret(name, "tram") == "tram"


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://u:p@h/db",
        "redis://:pw@host:6379/0",
        "https://u:p%40q@example.org",
        "host=db user=x password=abc",
        "Server=db;Uid=u;Pwd=x;",
        "jdbc:mysql://h/db?user=u&password=x",
        "https://h.example/p?token=abc",
        "https://store.example/y?sv=1&sig=abc",
        "AKIA" + 16 * "A",
        "ghp_" + 36 * "a",
        "Bearer abcdefghijkl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_values_of_secrets(value: str) -> None:
    assert is_secret_value(value)
    assert mask_secret("x", value) != value


@pytest.mark.parametrize(
    "value",
    [
        "https://host/path",
        "http://user@host/x",
        "s3://bucket/key",
        "hf://org/name@8b3219a92973c328a8e22fadcfa821b5dc75636a",
        "sqlite:///.mesh/registry.db",
        "package://model/folder",
        "tram=3",
        "a@b.example",
        "monkey = banana",
        "",
    ],
)
def test_other_values(value: str) -> None:
    assert not is_secret_value(value)
    assert mask_secret("x", value) == value


def test_random_values() -> None:
    assert looks_random("aGVsbG8gd29ybGQgdGhpcyBpcyByYW5kb20x")
    for value in ("outputs/keywords/compiled/model_2024", 40 * "ab", 30 * "1", "tram"):
        assert not looks_random(value)


def test_nested_values_are_masked_by_their_names() -> None:
    value = {"db": {"password": "a", "host": "b"}, "urls": ["http://u:p@h/x", 3]}
    assert mask_secret("settings", value) == {
        "db": {"password": "***", "host": "b"},
        "urls": ["http://u:***@h/x", 3],
    }


def test_public_keys_are_shown() -> None:
    key = "aGVsbG8gd29ybGQgdGhpcyBpcyByYW5kb20x"
    assert mask_secret("trusted_keys", key) == mask_secret("PUBLIC_KEY", key) == key
    assert mask_secret("other", key) == "***"
