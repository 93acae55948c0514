"""The parts of plans that need no Pants."""

import json
import subprocess
from pathlib import Path

import pytest
from planning.affected import Reason, find_affected
from planning.changes import Change, find_base, find_changes, write_tree
from planning.errors import PlanError
from planning.graph import Graph, Target
from planning.pants import may_be_owned
from planning.plan import ALL_CHECKS, EVERYTHING, Item, Plan
from planning.report import dump, from_json, table
from planning.run import commands, run_plan

CHANGE = Change("a.py", "modified")


def graph(*targets: Target) -> Graph:
    return Graph(targets)


def source(name: str, *dependencies: str, content: str = "1") -> Target:
    return Target(name, "python_source", frozenset({name}), frozenset(dependencies), {}, content)


def pex(name: str, *dependencies: str, **fields: bool) -> Target:
    return Target(name, "pex_binary", frozenset(), frozenset(dependencies), fields)


def test_halves_of_a_program_are_reached_by_what_they_hold() -> None:
    requirement = Target("torch", "python_requirement")
    deps = pex("deps", "a.py", include_sources=False)
    srcs = pex("srcs", "a.py", include_requirements=False)
    found = graph(requirement, source("a.py", "torch"), deps, srcs)

    assert found.reach(["torch"]).keys() == {"torch", "a.py", "deps"}
    assert found.reach(["a.py"]).keys() == {"a.py", "srcs"}


def test_sources_that_import_one_another_are_followed_once() -> None:
    found = graph(source("a.py", "b.py"), source("b.py", "a.py"), source("c.py"))

    assert found.reach(["b.py"]) == {"b.py": ("b.py",), "a.py": ("b.py", "a.py")}


def test_packages_follow_an_import_that_is_gone() -> None:
    requirement = Target("torch", "python_requirement")
    deps = pex("deps", "a.py", include_sources=False)
    base = graph(requirement, source("a.py", "torch"), deps)
    head = graph(requirement, source("a.py", content="2"), deps)

    assert find_affected(base, head, [CHANGE]) == {
        "a.py": Reason(CHANGE, (), ("a.py",)),
        "deps": Reason(CHANGE, (), ("a.py",)),
    }


def test_equal_graphs_affect_nothing() -> None:
    found = graph(source("a.py", "b.py"), source("b.py"))

    assert find_affected(found, found, [CHANGE]) == {}


@pytest.mark.parametrize(
    ("build_file", "owned"),
    [
        ('files(sources=["docs/*.md"])', True),
        ('files(sources=["**/*.md"])', True),
        ('files(sources=["docs/build.md"])', True),
        ('files(sources=["*.txt"])', False),
        ("files(", True),
    ],
)
def test_documentation_that_a_target_may_own(tmp_path: Path, build_file: str, owned: bool) -> None:
    (tmp_path / "BUILD").write_text(build_file)

    assert may_be_owned(tmp_path, "docs/build.md") is owned


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--initial-branch=main")
    for name in ("kept", "edited", "moved é", "removed"):
        (folder / name).write_text(f"{name}\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--message=x")
    return folder


def test_changes_of_commits_and_of_the_working_tree(repository: Path, tmp_path: Path) -> None:
    base = find_base(repository, "main")
    git(repository, "switch", "--create=work")
    git(repository, "mv", "moved é", "moved to é")
    git(repository, "rm", "removed")
    git(repository, "commit", "--message=y")
    (repository / "edited").write_text("again\n")
    (repository / "new").write_text("new\n")

    assert find_changes(repository, base) == [
        Change("edited", "modified"),
        Change("moved to é", "added"),
        Change("moved é", "deleted"),
        Change("new", "added"),
        Change("removed", "deleted"),
    ]
    before = subprocess.check_output(["git", "status", "--porcelain"], cwd=repository)
    write_tree(repository, base, tmp_path / "base")
    assert {path.name for path in (tmp_path / "base").iterdir()} == {
        "kept",
        "edited",
        "moved é",
        "removed",
    }
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=repository) == before


def test_what_others_did_on_the_main_branch_since_is_no_change(repository: Path) -> None:
    git(repository, "switch", "--create=work")
    git(repository, "switch", "main")
    (repository / "kept").write_text("by another\n")
    git(repository, "commit", "--all", "--message=y")
    git(repository, "switch", "work")

    assert find_changes(repository, find_base(repository, "main")) == []


@pytest.mark.parametrize("revision", ["nowhere", "0" * 40, "--all"])
def test_unknown_revision_is_named(repository: Path, revision: str) -> None:
    with pytest.raises(PlanError, match=revision):
        find_base(repository, revision)


def test_folder_of_another_owner_is_named_as_that(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(PlanError, match="dubious ownership"):
        find_base(repository, "main")


def make_plan() -> Plan:
    reason = Reason(CHANGE, ("src/a.py", "src:srcs"), ("a.py", "b.py"))
    return Plan(
        base="0123456789abcdef",
        changes=(CHANGE,),
        checks=(Item("src/a.py", reason),),
        tests=(Item("tests/test_a.py", reason, ("unit",)),),
        images=(Item("src:image", reason),),
        models=(
            Item(
                "keywords", Reason(CHANGE, ("a.py", "x.lock:torch"), ("a.py",)), (), "train:train"
            ),
        ),
    )


def test_plan_survives_json() -> None:
    assert from_json(json.loads(dump(make_plan()))) == make_plan()


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema_version": 0}', '{"schema_version": 1}'])
def test_other_json_is_no_plan(text: str) -> None:
    with pytest.raises(PlanError):
        from_json(json.loads(text))


def test_table_says_why() -> None:
    lines = table(make_plan()).splitlines()

    assert lines[0] == "1 files changed since 0123456789ab"
    assert (
        "images  src:image                  a.py modified and 1 more (src/a.py > src:srcs)" in lines
    )
    assert "models  keywords from train:train  a.py modified (x.lock:torch)" in lines
    assert lines[-1] == "1 checks, 1 tests, 0 pex, 1 images, 1 models"


def write_configuration(folder: Path) -> None:
    alias = "--filter-address-regex=-@resolve=serving$ tailor --check lint check ::"
    (folder / "pants.toml").write_text(f'[cli.alias]\nchecks = "{alias}"\n')


def test_commands_of_a_plan(tmp_path: Path) -> None:
    write_configuration(tmp_path)

    found = list(
        commands(
            tmp_path, make_plan(), ("checks", "tests", "pex", "images", "models"), "0/2", tmp_path
        )
    )

    assert found == [
        ["./pants", f"--spec-files={tmp_path}/checks", "tailor", "--check", "lint", "check"],
        ["./pants", f"--spec-files={tmp_path}/tests", "test", "--test-shard=0/2"],
        ["./pants", f"--spec-files={tmp_path}/images", "package"],
        [
            "./pants",
            "run",
            "src/python/mesh/cli:mesh",
            "--",
            "run",
            "keywords",
            "--from",
            "train:train",
        ],
    ]
    assert (tmp_path / "tests").read_text() == "tests/test_a.py\n"


def test_all_checks_are_the_usual_command(tmp_path: Path) -> None:
    plan = Plan(base=None, checks=(Item(ALL_CHECKS, Reason(CHANGE)),))

    assert list(commands(tmp_path, plan, ("checks", "tests"), None, tmp_path)) == [
        ["./pants", "checks"]
    ]


def test_a_failure_does_not_hide_the_rest(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_configuration(tmp_path)
    launcher = tmp_path / "pants"
    launcher.write_text('#!/bin/sh\necho "ran $*"\ncase "$*" in *test) exit 1 ;; esac\n')
    launcher.chmod(0o755)

    assert run_plan(tmp_path, make_plan(), ("tests", "images")) == 1

    out, err = capfd.readouterr()
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("ran")] == [
        "test",
        "package",
    ]
    assert err.startswith("failed: ./pants")
    assert run_plan(tmp_path, make_plan(), ("images",)) == 0


def test_what_everything_depends_on_is_there() -> None:
    for pattern in EVERYTHING:
        assert list(Path().glob(pattern)), pattern
