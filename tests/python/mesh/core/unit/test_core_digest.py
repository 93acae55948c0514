import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.digest import fingerprint, sha256_file

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary(max_size=10_000))
def test_digest_of_a_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("digest") / "file"
    path.write_bytes(data)
    assert sha256_file(path) == hashlib.sha256(data).hexdigest()


def test_digest_of_a_file_of_several_blocks(tmp_path: Path) -> None:
    data = bytes(range(251)) * 40_000
    (tmp_path / "file").write_bytes(data)
    assert sha256_file(tmp_path / "file") == hashlib.sha256(data).hexdigest()


@given(st.dictionaries(st.text(), values))
def test_fingerprint_does_not_depend_on_order(mapping: dict[str, object]) -> None:
    assert fingerprint(mapping) == fingerprint(dict(reversed(mapping.items())))


@given(st.lists(values, min_size=2, max_size=5))
def test_fingerprint_depends_on_the_order_of_lists(items: list[object]) -> None:
    if items != items[::-1]:
        assert fingerprint(items) != fingerprint(items[::-1])


def test_fingerprint_of_what_has_no_json_form() -> None:
    with pytest.raises(TypeError):
        fingerprint({"a": object()})
    with pytest.raises(ValueError, match="float"):
        fingerprint([float("nan")])
