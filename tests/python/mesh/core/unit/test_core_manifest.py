import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest, check_no_links


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, content in {"a-b/x": "1", "a/y": "22", "a/z": "", "c.json": "{}"}.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "files"


def test_lists_every_file_with_size_and_digest(directory: Path) -> None:
    manifest = Manifest.of(directory)
    assert [(entry.path, entry.size) for entry in manifest.files] == [
        ("a/y", 2),
        ("a/z", 0),
        ("a-b/x", 1),
        ("c.json", 2),
    ]
    # echo -n 1 | sha256sum
    assert (
        manifest.files[2].sha256
        == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    )
    assert manifest.size == 5


def test_written_manifest_is_read_back_and_not_listed(directory: Path) -> None:
    manifest = Manifest.of(directory)
    manifest.write(directory)
    assert Manifest.read(directory) == manifest == Manifest.of(directory)
    assert manifest.problems(directory) == []


def test_a_manifest_deeper_down_is_a_file_as_any_other(directory: Path) -> None:
    (directory / "a/manifest.json").write_text("{}")
    assert "a/manifest.json" in [entry.path for entry in Manifest.of(directory).files]


def test_digest_depends_on_paths_and_contents(directory: Path) -> None:
    digest = Manifest.of(directory).digest
    (directory / "c.json").write_text("[]")
    changed = Manifest.of(directory).digest
    (directory / "c.json").rename(directory / "d.json")
    renamed = Manifest.of(directory).digest
    assert len({digest, changed, renamed}) == 3
    (directory / "d.json").rename(directory / "c.json")
    (directory / "c.json").write_text("{}")
    os.utime(directory / "c.json", (0, 0))
    assert Manifest.of(directory).digest == digest


def test_every_difference_is_one_problem(directory: Path, tmp_path: Path) -> None:
    manifest = Manifest.of(directory)
    (directory / "a/y").write_text("33")
    (directory / "a/z").write_text("longer")
    (directory / "a-b/x").unlink()
    (directory / "extra").write_text("")
    assert manifest.problems(directory) == [
        "a/y has other content than was published (its sha256 differs)",
        "a/z has 6 bytes instead of 0",
        "a-b/x is missing",
        "extra is not in the manifest",
    ]
    assert len(manifest.problems(tmp_path / "nowhere")) == 4


def test_verified_files_are_not_read_again_for_the_manifest_of_a_folder_in_it(
    directory: Path,
) -> None:
    inner, outer = Manifest.of(directory / "a"), Manifest.of(directory)
    other = Manifest(
        files=(inner.files[0].model_copy(update={"sha256": "0" * 64}), *inner.files[1:])
    )
    (directory / "a" / "y").write_text("33")
    with outer.verified(directory):
        assert inner.problems(directory / "a") == []
        assert other.problems(directory / "a") == [
            "y has other content than was published (its sha256 differs)"
        ]
        (directory / "a" / "new").touch()
        assert inner.problems(directory / "a") == ["new is not in the manifest"]
    assert inner.problems(directory / "a") == [
        "y has other content than was published (its sha256 differs)",
        "new is not in the manifest",
    ]


def test_links_are_problems_even_to_the_same_content(directory: Path, tmp_path: Path) -> None:
    manifest = Manifest.of(directory)
    (directory / "c.json").rename(tmp_path / "c.json")
    (directory / "c.json").symlink_to(tmp_path / "c.json")
    assert manifest.problems(directory) == [
        "c.json is a link or a special file",
        "c.json is missing",
    ]


@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to("x"), os.mkfifo], ids=["link", "pipe"]
)
def test_only_plain_files_are_listed(directory: Path, make: Callable[[Path], None]) -> None:
    make(directory / "special")
    with pytest.raises(MeshError, match="special is a link or a special file"):
        Manifest.of(directory)


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"files": [{"path": "a"}]}', '{"schema_version": 2, "files": []}']
)
def test_malformed_manifests(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(MeshError, match=r"manifest\.json is malformed: "):
        Manifest.read(tmp_path)


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="nowhere does not exist"):
        Manifest.of(tmp_path / "nowhere")


def test_paths_that_lead_out_are_never_opened(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    manifest = Manifest(files=(FileEntry.of(tmp_path / "secret", "../secret"),))
    assert "../secret is missing" in manifest.problems(directory)


@pytest.mark.parametrize("target", ["c.json", "a", "/nowhere"])
def test_links_are_refused_by_name(directory: Path, tmp_path: Path, target: str) -> None:
    check_no_links(directory)
    (tmp_path / "linked").symlink_to(directory)
    check_no_links(tmp_path / "linked")
    (directory / "a/weights").symlink_to(directory / target)
    with pytest.raises(MeshError, match=rf"a/weights is a link to {directory / target}, .* cp -rL"):
        check_no_links(directory)
