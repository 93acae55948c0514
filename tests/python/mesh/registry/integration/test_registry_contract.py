"""The promises of every backend; a new one joins through the `place` fixture."""

import os
from pathlib import Path

import pytest

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry

NAME = "KEYWORDS-TRAINED"


def content(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def states(directory: Path) -> dict[str, tuple[int, int]]:
    """The inode and the time of the last change of each file."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_versions_count_up_from_one_for_each_model(registry, source, card):
    assert registry.publish(NAME, source, card).reference == "KEYWORDS-TRAINED-1"
    assert registry.publish(NAME, source, card).reference == "KEYWORDS-TRAINED-2"
    assert registry.publish("KEYWORDS-COMPILED", source, card).reference == "KEYWORDS-COMPILED-1"


def test_fetched_files_are_the_published_ones(registry, source, card, tmp_path):
    published = registry.publish(NAME, source, card)
    target = tmp_path / "models" / published.reference
    fetched = registry.fetch(published.reference, target)
    received = content(target)
    assert Manifest.read(target) == fetched.manifest == Manifest.of(target)
    assert ModelCard.read(target) == fetched.card == card
    assert {
        name: received[name]
        for name in received
        if name not in ("model_card.json", "manifest.json")
    } == content(source)


def test_get_returns_the_published_version(registry, registry_settings, source, card):
    published = registry.publish(NAME, source, card)
    for reader in (registry, open_registry(registry_settings)):
        assert reader.get(published.reference) == published
        assert reader.list(NAME) == [published]
    assert published.version == 1
    assert published.aliases == ()
    assert published.attachments == {}
    assert published.created >= card.created.replace(microsecond=0)


def test_directory_is_left_as_it_was(registry, source, card):
    before = states(source)
    registry.publish(NAME, source, card)
    assert states(source) == before


def test_a_fetched_version_can_be_published_with_another_card(
    registry, source, make_card_with, tmp_path
):
    registry.fetch(
        registry.publish(NAME, source, make_card_with("a")).reference, tmp_path / "first"
    )
    second = registry.publish(NAME, tmp_path / "first", make_card_with("b"))
    registry.fetch(second.reference, tmp_path / "second")
    assert ModelCard.read(tmp_path / "second").fingerprint == "b"
    assert ModelCard.read(tmp_path / "first").fingerprint == "a"


def test_large_cards_and_long_manifests(registry, source, card, tmp_path):
    for number in range(400):
        (source / f"shard-{number:04}-of-0400-with-a-rather-long-name.json").write_text(str(number))
    large = card.model_copy(update={"settings": {"texts": ["ключевое слово 🔑 " * 10] * 500}})
    published = registry.publish(NAME, source, large)
    assert registry.get(published.reference) == published
    assert registry.fetch(published.reference, tmp_path / "fetched").card == large


@pytest.mark.parametrize("kind", ["link", "dangling link", "linked folder", "pipe"])
def test_only_plain_files_are_published(registry, source, card, kind):
    path = source / "model_artifacts" / "special"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(
            {"link": source / "test_files/inputs.json", "linked folder": "/etc"}.get(
                kind, "nowhere"
            )
        )
    with pytest.raises(MeshError, match="special is a link or a special file"):
        registry.publish(NAME, source, card)
    assert registry.list() == []


@pytest.mark.parametrize("kind", ["missing", "empty", "only empty folders", "a file"])
def test_a_version_needs_files(registry, tmp_path, card, kind):
    directory = tmp_path / "nothing"
    if kind == "a file":
        directory.write_text("x")
    elif kind != "missing":
        (directory / "folder" if "folders" in kind else directory).mkdir(parents=True)
    with pytest.raises(MeshError, match="nothing"):
        registry.publish(NAME, directory, card)
    assert registry.list() == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "keywords-trained",
        "KEYWORDS",
        "../X-TRAINED",
        "A/B-TRAINED",
        "A' OR '1-TRAINED",
        "-TRAINED",
    ],
)
def test_bad_names_are_refused_everywhere(registry, source, card, tmp_path, name):
    for action in (
        lambda: registry.publish(name, source, card),
        lambda: registry.list(name),
        lambda: registry.find(name, "x"),
        lambda: registry.get(f"{name}-1"),
        lambda: registry.fetch(f"{name}:latest", tmp_path / "fetched"),
    ):
        with pytest.raises(UsageError):
            action()
    assert registry.list() == []
    assert not (tmp_path / "fetched").exists()


def test_errors_for_unknown_names_list_the_known_ones(registry, source, card, tmp_path):
    with pytest.raises(
        MeshError, match="No version of KEYWORDS-TRAINED is registered; registered are: none"
    ):
        registry.get("KEYWORDS-TRAINED:latest")
    registry.publish(NAME, source, card)
    registry.publish(NAME, source, card)
    registry.alias("KEYWORDS-TRAINED-1", "prod")
    with pytest.raises(MeshError, match="There is no KEYWORDS-TRAINED-3; .* are 1, 2"):
        registry.get("KEYWORDS-TRAINED-3")
    with pytest.raises(MeshError, match=r"KEYWORDS-TRAINED has no alias 'dev'; it has: prod \(1\)"):
        registry.fetch("KEYWORDS-TRAINED:dev", tmp_path / "fetched")
    with pytest.raises(
        MeshError, match="No version of NER-TRAINED is registered; registered are: KEYWORDS-TRAINED"
    ):
        registry.list("NER-TRAINED")
    assert not (tmp_path / "fetched").exists()


def test_latest_is_the_highest_number(registry, source, card):
    for _ in range(11):
        registry.publish(NAME, source, card)
    assert registry.get("KEYWORDS-TRAINED:latest").version == 11
    assert [version.version for version in registry.list(NAME)] == list(range(1, 12))


def test_list_is_ordered_and_knows_aliases(registry, source, card):
    for name in ("B-TRAINED", "A-COMPILED", "B-TRAINED"):
        registry.publish(name, source, card)
    registry.alias("B-TRAINED-1", "prod")
    registry.alias("B-TRAINED-1", "dev")
    listed = [(version.reference, version.aliases) for version in registry.list()]
    assert listed == [("A-COMPILED-1", ()), ("B-TRAINED-1", ("dev", "prod")), ("B-TRAINED-2", ())]


def test_find_gives_the_newest_with_the_fingerprint(registry, source, make_card_with):
    assert registry.find(NAME, "a") is None
    for fingerprint in ("a", "b", "a", "b'"):
        registry.publish(NAME, source, make_card_with(fingerprint))
    registry.publish("NER-TRAINED", source, make_card_with("c"))
    newest = registry.alias("KEYWORDS-TRAINED-3", "prod")
    assert registry.find(NAME, "a") == newest
    assert registry.find(NAME, "A") is None
    assert registry.find(NAME, "b'").reference == "KEYWORDS-TRAINED-4"
    assert registry.find(NAME, "c") is None


def test_an_alias_moves(registry, source, card):
    for _ in range(2):
        registry.publish(NAME, source, card)
    assert registry.alias("KEYWORDS-TRAINED-1", "prod").aliases == ("prod",)
    assert registry.get("KEYWORDS-TRAINED:prod").reference == "KEYWORDS-TRAINED-1"
    moved = registry.alias("KEYWORDS-TRAINED:latest", "prod")
    assert moved.reference == "KEYWORDS-TRAINED-2"
    assert registry.get("KEYWORDS-TRAINED:prod") == moved
    assert registry.get("KEYWORDS-TRAINED-1").aliases == ()


def test_an_alias_belongs_to_one_model(registry, source, card):
    registry.publish("A-TRAINED", source, card)
    registry.publish("B-TRAINED", source, card)
    registry.alias("A-TRAINED-1", "prod")
    assert registry.alias("A-TRAINED:prod", "stage").aliases == ("prod", "stage")
    with pytest.raises(MeshError, match="B-TRAINED has no alias 'prod'"):
        registry.get("B-TRAINED:prod")


def test_aliases_are_checked(registry, source, card):
    registry.publish(NAME, source, card)
    for alias in ("latest", "v1", "1", "a b", "../x", ""):
        with pytest.raises(UsageError):
            registry.alias("KEYWORDS-TRAINED-1", alias)
    with pytest.raises(MeshError, match="There is no KEYWORDS-TRAINED-2"):
        registry.alias("KEYWORDS-TRAINED-2", "prod")
    assert registry.get("KEYWORDS-TRAINED-1").aliases == ()


def test_fetch_does_nothing_where_the_version_is_intact(registry, source, card, tmp_path):
    registry.publish(NAME, source, card)
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    before = states(tmp_path / "fetched")
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert states(tmp_path / "fetched") == before


def flip_bit(directory: Path) -> None:
    path = directory / "model_artifacts/model.bin"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(directory: Path) -> None:
    os.truncate(directory / "model_artifacts/model.bin", 100)


def link_file(directory: Path) -> None:
    path = directory / "model_artifacts/model.bin"
    path.rename(directory.parent / "elsewhere.bin")
    path.symlink_to(directory.parent / "elsewhere.bin")


def link_folder(directory: Path) -> None:
    (directory / "model_artifacts").rename(directory.parent / "elsewhere")
    (directory / "model_artifacts").symlink_to(directory.parent / "elsewhere")


DAMAGES = {
    "flipped bit": flip_bit,
    "truncated": truncate,
    "missing": lambda directory: (directory / "test_files/inputs.json").unlink(),
    "extra": lambda directory: (directory / "extra.json").write_text("{}"),
    "other card": lambda directory: (directory / "model_card.json").write_text("{}"),
    "no manifest": lambda directory: (directory / "manifest.json").unlink(),
    "bad manifest": lambda directory: (directory / "manifest.json").write_text("{"),
    "linked file": link_file,
    "linked folder": link_folder,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_fetch_repairs_a_damaged_copy(registry, source, card, tmp_path, damage):
    published = registry.publish(NAME, source, card)
    target = tmp_path / "fetched"
    registry.fetch(published.reference, target)
    damage(target)
    registry.fetch(published.reference, target)
    assert Manifest.of(target) == Manifest.read(target) == published.manifest


def test_fetch_replaces_another_version(registry, source, make_card_with, tmp_path):
    registry.publish(NAME, source, make_card_with("a"))
    (source / "more.json").write_text("{}")
    second = registry.publish(NAME, source, make_card_with("b"))
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    registry.fetch("KEYWORDS-TRAINED-2", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == second.manifest


def test_fetch_refuses_directories_of_something_else(registry, source, card, tmp_path):
    registry.publish(NAME, source, card)
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear")
    with pytest.raises(MeshError, match="holds other files"):
        registry.fetch("KEYWORDS-TRAINED-1", home)
    with pytest.raises(MeshError, match="isn't a directory"):
        registry.fetch("KEYWORDS-TRAINED-1", home / "letter.txt")
    assert content(home) == {"letter.txt": b"dear"}


def test_fetch_into_a_folder_that_cannot_be_written(registry, source, card, tmp_path):
    registry.publish(NAME, source, card)
    (tmp_path / "file").write_text("x")
    with pytest.raises(MeshError, match="can't be written"):
        registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "file" / "models" / "KEYWORDS-TRAINED-1")


def test_changing_a_fetched_copy_changes_nothing_else(registry, source, card, tmp_path):
    registry.publish(NAME, source, card)
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "first")
    for path in (tmp_path / "first").rglob("*"):
        if path.is_file():
            path.write_bytes(b"changed")
    assert registry.verify("KEYWORDS-TRAINED-1") == []
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "second")
    assert Manifest.of(tmp_path / "second") == registry.get("KEYWORDS-TRAINED-1").manifest


def test_changing_the_source_later_changes_nothing(registry, source, card):
    registry.publish(NAME, source, card)
    (source / "model_artifacts/model.bin").write_bytes(b"changed")
    (source / "test_files/inputs.json").unlink()
    assert registry.verify("KEYWORDS-TRAINED-1") == []


@pytest.mark.parametrize(
    "path", ["report.json", "test_results/serve:1.2@sha256+é/unit tests.json", "a/b/c/d"]
)
def test_attachments_are_added_later(registry, registry_settings, source, card, tmp_path, path):
    registry.publish(NAME, source, card)
    file = tmp_path / "result"
    file.write_bytes(b"\x00result")
    registry.attach("KEYWORDS-TRAINED:latest", path, file)
    version = open_registry(registry_settings).get("KEYWORDS-TRAINED-1")
    assert list(version.attachments) == [path]
    assert version.attachments[path].size == 7
    assert registry.read_attachment("KEYWORDS-TRAINED-1", path) == b"\x00result"
    assert registry.verify("KEYWORDS-TRAINED-1") == []


def test_attaching_again_replaces(registry, source, card, tmp_path):
    registry.publish(NAME, source, card)
    file = tmp_path / "result.json"
    for text in ("first", "second", "first"):
        file.write_text(text)
        registry.attach("KEYWORDS-TRAINED-1", "result.json", file)
        registry.attach("KEYWORDS-TRAINED-1", f"{text}.json", file)
        assert registry.read_attachment("KEYWORDS-TRAINED-1", "result.json") == text.encode()
    assert list(registry.get("KEYWORDS-TRAINED-1").attachments) == [
        "first.json",
        "result.json",
        "second.json",
    ]


def test_attachments_are_not_files_of_the_version(registry, source, card, tmp_path):
    published = registry.publish(NAME, source, card)
    registry.attach(
        "KEYWORDS-TRAINED-1", "model_artifacts/config.json", source / "test_files/inputs.json"
    )
    registry.fetch("KEYWORDS-TRAINED-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest


@pytest.mark.parametrize("path", ["", ".", "../x", "/etc/x", "a/../b", "a\\b", "a\nb", "a//b"])
def test_attachment_paths_are_checked(registry, source, card, path):
    registry.publish(NAME, source, card)
    with pytest.raises(UsageError):
        registry.attach("KEYWORDS-TRAINED-1", path, source / "test_files/inputs.json")
    assert registry.get("KEYWORDS-TRAINED-1").attachments == {}


def test_only_plain_files_are_attached(registry, source, card, tmp_path):
    registry.publish(NAME, source, card)
    (tmp_path / "link").symlink_to(source / "test_files/inputs.json")
    for file in (tmp_path / "link", tmp_path, tmp_path / "missing"):
        with pytest.raises(MeshError, match="is not a plain file"):
            registry.attach("KEYWORDS-TRAINED-1", "x.json", file)
    with pytest.raises(MeshError, match="There is no KEYWORDS-TRAINED-7"):
        registry.attach("KEYWORDS-TRAINED-7", "x.json", source / "test_files/inputs.json")


def test_errors_for_unknown_attachments_list_the_known_ones(registry, source, card):
    registry.publish(NAME, source, card)
    registry.attach("KEYWORDS-TRAINED-1", "a.json", source / "test_files/inputs.json")
    with pytest.raises(MeshError, match="has no attachment 'b.json'; it has: a.json"):
        registry.read_attachment("KEYWORDS-TRAINED-1", "b.json")


def test_an_intact_version_has_no_problems(registry, source, card):
    registry.publish(NAME, source, card)
    assert registry.verify("KEYWORDS-TRAINED-1") == []
    with pytest.raises(MeshError, match="There is no KEYWORDS-TRAINED-2"):
        registry.verify("KEYWORDS-TRAINED-2")
