"""YAML that every reader reads as it was meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mesh.deploy.yaml_text import to_yaml

# ruamel reads escapes of others as two characters.
TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
SCALARS = TEXTS | st.integers() | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


def read(text: str, version: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    return yaml.load(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "no",
        "On",
        "y",
        "null",
        "~",
        "1",
        "1e3",
        "0x10",
        "1:30",
        "2026-01-01",
        ".inf",
        "a: b",
        "a #b",
        "- a",
        "*a",
        "'",
        '"\\n',
        "a\nb",
        "\x00\x1b\x85\u2028😀",
        "500m",
        "{}",
        "=",
        "<<",
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_texts_stay_texts(text: str, version: str) -> None:
    assert read(to_yaml({"key": text}), version) == {"key": text}


@given(st.dictionaries(TEXTS, VALUES))
def test_what_is_read_is_what_was_written(value: dict[str, Any]) -> None:
    assert read(to_yaml(value), "1.2") == (value or None)


def test_plain_texts_have_no_quotes() -> None:
    value = {"kind": "Service", "list": [{"a": 1, "b": [True, None]}, []], "none": {}}
    assert to_yaml(value) == (
        "kind: Service\nlist:\n  - a: 1\n    b:\n      - true\n      - null\n  - []\nnone: {}\n"
    )
