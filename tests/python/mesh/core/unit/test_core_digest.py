import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.digest import code_digest, fingerprint, sha256_file
from mesh.core.errors import MeshError

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


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "digested"
    (folder / "sub").mkdir(parents=True)
    for name in ("__init__.py", "a.py", "sub/__init__.py", "sub/b.py"):
        (folder / name).write_text(f"raise RuntimeError({name!r})" if name == "sub/b.py" else "")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_code_digest_of_a_package_covers_all_below(package: Path) -> None:
    before = code_digest(["digested"])
    (package / "sub/b.py").write_text("changed = True")
    assert code_digest(["digested"]) != before


def test_code_digest_of_a_module_covers_it_alone(package: Path) -> None:
    before = code_digest(["digested.a"])
    (package / "sub/b.py").write_text("changed = True")
    assert code_digest(["digested.a"]) == before
    (package / "a.py").write_text("changed = True")
    assert code_digest(["digested.a"]) != before


def test_code_digest_does_not_depend_on_where_the_code_lies(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = code_digest(["digested", "digested.a"])
    (tmp_path / "elsewhere").mkdir()
    package.rename(tmp_path / "elsewhere/digested")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert code_digest(["digested.a", "digested"]) == before


@pytest.mark.parametrize("module", ["not_there", "not_there.below", "digested.not_there", "sys"])
@pytest.mark.usefixtures("package")
def test_code_digest_of_what_has_no_source(module: str) -> None:
    with pytest.raises(MeshError, match=f"{module!r} can't be found"):
        code_digest([module])
