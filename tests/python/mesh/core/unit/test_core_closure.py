import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.core.closure import Closure, find_closure, package_versions
from mesh.core.errors import MeshError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the source folder, which is returned."""

    def to(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path

    return to


def files(root: Path, *modules: str, excluded: tuple[str, ...] = ()) -> set[str]:
    return set(find_closure(modules or ("own.root",), excluded, root).files)


def changed(root: Path, before: Closure) -> bool:
    return find_closure(("own.root",), (), root).digests() != before.digests()


@pytest.mark.parametrize(
    "text",
    [
        "import own.other",
        "import own.other as short",
        "from own import other",
        "from own.other import name",
        "from own.other import *",
        "from . import other",
        "from .other import name",
        "def later():\n    from own.other import name",
        "class Lazy:\n    async def later(self):\n        import own.other",
        "try:\n    import own.other\nexcept ImportError:\n    pass",
        "if True:\n    import own.other",
        "if not TYPE_CHECKING:\n    import own.other",
        "if TYPE_CHECKING:\n    import json\nelse:\n    import own.other",
    ],
)
def test_every_kind_of_import_is_followed(write: Write, text: str) -> None:
    write("own/other.py", "name = 1")
    assert files(write("own/root.py", text)) == {"own/root.py", "own/other.py"}


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_type_checkers_do_not_count(write: Write, test: str) -> None:
    write("own/other.py", "")
    root = write("own/root.py", f"import typing\nif {test}:\n    from own.other import name")
    assert files(root) == {"own/root.py"}


def test_imports_are_followed_through_others_and_around(write: Write) -> None:
    write("own/root.py", "import own.a")
    write("own/a.py", "from own.deep.b import name")
    write("own/deep/b.py", "from ..root import something")
    root = write("own/alone.py", "unused = 1")
    assert files(root) == {"own/root.py", "own/a.py", "own/deep/b.py"}


def test_package_counts_if_it_has_code(write: Write) -> None:
    write("own/root.py", "import own.deep.b")
    write("own/deep/b.py", "b = 1")
    root = write("own/deep/__init__.py", '"""Only words."""\n')
    assert files(root) == {"own/root.py", "own/deep/b.py"}
    write("own/deep/__init__.py", '"""Words."""\nfrom .c import c')
    write("own/deep/c.py", "c = 1")
    assert files(root) == {"own/root.py", "own/deep/__init__.py", "own/deep/b.py", "own/deep/c.py"}


def test_what_is_excluded_hides_what_only_it_imports(write: Write) -> None:
    write("own/root.py", "import own.logs, own.shared, numpy, yaml")
    write("own/logs.py", "import own.colours, own.shared")
    write("own/colours.py", "red = 1")
    root = write("own/shared.py", "shared = 1")
    closure = find_closure(("own.root",), ("own.l*", "yaml"), root)
    assert set(closure.files) == {"own/root.py", "own/shared.py"}
    assert closure.imports == {"numpy"}


def test_packages_of_others_are_named_once_and_the_standard_library_is_not(write: Write) -> None:
    write("mesh/part.py", "import torch.nn\nimport os.path")
    root = write("own/root.py", "from torch import nn\nimport mesh.part\nimport json, sklearn")
    closure = find_closure(("own.root",), (), root)
    assert closure.imports == {"torch", "sklearn"}
    assert set(closure.files) == {"own/root.py", "mesh/part.py"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("files('own') / 'data'", {"own/data/a.txt", "own/data/deep/b.json"}),
        ("resources.files('own').joinpath('data', 'a.txt')", {"own/data/a.txt"}),
        ("files('own.data') / 'deep' / f'{name}.json'", {"own/data/deep/b.json"}),
        ("files('own') / name", {"own/data/a.txt", "own/data/deep/b.json"}),
        ("files(name) / 'data'", set()),
        ("files('elsewhere') / 'data'", set()),
    ],
)
def test_data_files_count_that_modules_read(write: Write, text: str, read: set[str]) -> None:
    write("own/data/a.txt", "a")
    write("own/data/deep/b.json", "{}")
    root = write("own/root.py", f"from importlib.resources import files\nfound = {text}")
    assert files(root) == {"own/root.py", *read}


def test_every_change_of_a_file_is_seen(write: Write) -> None:
    write("own/root.py", "from importlib.resources import files\nfiles('own') / 'a.txt'")
    root = write("own/a.txt", "one")
    before = find_closure(("own.root",), (), root)
    assert not changed(root, Closure(dict(before.files), before.imports))
    stored = before.digests()
    write("own/a.txt", "two")
    assert before.digests() != stored


def test_paths_do_not_depend_on_where_the_code_lies(write: Write, tmp_path: Path) -> None:
    first = find_closure(("own.root",), (), write("own/root.py", "a = 1")).digests()
    second = tmp_path / "elsewhere"
    write("elsewhere/own/root.py", "a = 1")
    assert find_closure(("own.root",), (), second).digests() == first


def test_root_of_another_folder_is_where_python_finds_it(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("lonely/inner.py", "import mesh.core.markup")
    root = write("lonely/__init__.py", "from lonely import inner")
    monkeypatch.syspath_prepend(root)
    closure = find_closure(("lonely",), ("mesh",))
    assert set(closure.files) == {"lonely/__init__.py", "lonely/inner.py", "mesh/core/markup.py"}
    with pytest.raises(MeshError, match="'not_there' can't be found"):
        find_closure(("not_there",))


def test_root_that_is_not_there(write: Write) -> None:
    root = write("own/root.py", "")
    with pytest.raises(MeshError, match=r"'own\.other' can't be found"):
        find_closure(("own.other",), (), root)


def test_import_of_what_is_not_there(write: Write) -> None:
    root = write("own/root.py", "from own.other import name")
    with pytest.raises(MeshError, match=r"own\.root imports own\.other, which can't be found"):
        files(root)


def test_module_that_cannot_be_parsed(write: Write) -> None:
    with pytest.raises(MeshError, match=r"root\.py can't be parsed"):
        files(write("own/root.py", "def"))


def test_versions_of_distributions() -> None:
    versions = package_versions({"dotenv", "pydantic", "not_there"})
    assert versions == {
        "not_there": None,
        "pydantic": importlib.metadata.version("pydantic"),
        "python-dotenv": importlib.metadata.version("python-dotenv"),
    }


def test_second_search_reads_no_file_again(monkeypatch: pytest.MonkeyPatch) -> None:
    roots = ("mesh.core.program",)
    before = find_closure(roots).digests()
    monkeypatch.delattr(Path, "read_bytes")
    closure = find_closure(roots)
    assert closure.digests() == before
    assert "mesh/core/settings.py" in closure.files
