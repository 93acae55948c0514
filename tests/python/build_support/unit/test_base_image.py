"""What the base image is made of, with stand-ins for Docker and for the maker of its files."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = "build-support/docker/base-image"
# Archives are folders with a file of packages; what is made of them depends on that alone.
MAKER = """#!/bin/bash
folder=$1 archive=$2
[[ $archive == *snapshot* ]] && packages=$STATE/snapshot || packages=$STATE/mirror
[[ -e $packages ]] || { echo "E: no archive" >&2; exit 1; }
for name in builder python; do echo "$name of $(paste -sd, "$packages")" >"$folder/$name.tar"; done
cp "$packages" "$folder/packages.txt"
"""
DOCKER = """#!/bin/bash
case "$1 $2" in
    "version "*) ;;
    "image inspect")
        if [[ $* == *org.mesh.base* ]]; then cat "$STATE/label-${!#//\\//-}" 2>/dev/null; else echo described; fi ;;
    "run "*)
        mkdir "$STATE/made"
        "$MAKER" "$STATE/made" "${@:11}" && tar --create --directory "$STATE/made" .
        code=$?
        rm -r "$STATE/made"
        exit $code ;;
    "import "*)
        label=$(sed 's/.*org.mesh.base=\\([^ ]*\\) .*/\\1/' <<<"$*")
        echo "$label" >"$STATE/label-${!#//\\//-}"
        echo "${@: -1}: $(cat "${@: -2:1}")" >>"$STATE/imported" ;;
esac
"""


class Machine:
    """A repository and an archive of Debian's packages."""

    def __init__(self, folder: Path, user: int) -> None:
        self.folder = folder
        self.lock = folder / "docker/base.lock"
        for path, content in (
            (SCRIPT, Path(SCRIPT).read_text()),
            ("build-support/docker/base-files", MAKER),
            ("bin/docker", DOCKER),
            ("bin/mmdebstrap", ""),
            ("bin/id", f"#!/bin/bash\necho {user}\n"),
            ("docker/base.lock", ""),
        ):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(0o755)

    def archive(self, name: str, *packages: str) -> None:
        (self.folder / name).write_text("\n".join(packages) + "\n")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        snapshots = self.folder / "snapshots"
        shutil.rmtree(snapshots, ignore_errors=True)
        if (self.folder / "snapshot").exists():
            [time] = [
                line.split()[1]
                for line in self.lock.read_text().splitlines()
                if line.startswith("time ")
            ]
            release = snapshots / "debian" / time / "dists/bookworm/InRelease"
            release.parent.mkdir(parents=True)
            release.touch()
        return subprocess.run(
            [str(self.folder / SCRIPT), *arguments],
            env={
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "STATE": str(self.folder),
                "MAKER": str(self.folder / "build-support/docker/base-files"),
                "DEBIAN_SNAPSHOT": snapshots.as_uri(),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def imported(self) -> list[str]:
        file = self.folder / "imported"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


def images(packages: str) -> list[str]:
    return [
        f"localhost/mesh-python:3.11-bookworm: python of {packages}",
        f"localhost/mesh-builder:3.11-bookworm: builder of {packages}",
    ]


# root makes the files itself, another user in a container.
@pytest.fixture(params=[0, 1000])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Machine:
    machine = Machine(tmp_path, request.param)
    machine.archive("mirror", "bash 1", "openssl 1")
    process = machine.run("--lock")
    assert process.returncode == 0, process.stderr
    machine.imported()
    return machine


def forget(machine: Machine) -> None:
    for label in machine.folder.glob("label-*"):
        label.unlink()


def test_lock_names_the_packages_and_the_digests_of_the_layers(machine: Machine) -> None:
    words = [line.split() for line in machine.lock.read_text().splitlines() if line[0] != "#"]

    assert [line[1:] for line in words if line[0] == "package"] == [["bash", "1"], ["openssl", "1"]]
    layer = hashlib.sha256(b"python of bash 1,openssl 1\n").hexdigest()
    assert ["layer", "localhost/mesh-python:3.11-bookworm", f"sha256:{layer}"] in words


@pytest.mark.parametrize("option", [[], ["--locked"]])
def test_locked_base_is_made_once(machine: Machine, option: list[str]) -> None:
    forget(machine)

    assert machine.run(*option).returncode == 0
    assert machine.imported() == images("bash 1,openssl 1")
    process = machine.run(*option)
    assert (process.returncode, machine.imported()) == (0, [])
    assert "is there already" in process.stderr


def test_new_lock_replaces_the_image(machine: Machine) -> None:
    machine.archive("mirror", "bash 1", "openssl 2")
    before = machine.lock.read_text()

    assert machine.run().returncode == 0
    assert machine.imported() == []
    assert machine.run("--lock").returncode == 0
    assert machine.imported() == images("bash 1,openssl 2")
    assert machine.lock.read_text() != before


def test_unchanged_lock_is_not_written(machine: Machine) -> None:
    before = machine.lock.stat().st_mtime_ns

    assert machine.run("--lock").returncode == 0
    assert machine.lock.stat().st_mtime_ns == before


def test_newer_packages_are_taken_with_a_warning_and_never_for_a_locked_base(
    machine: Machine,
) -> None:
    forget(machine)
    machine.archive("mirror", "bash 1", "openssl 2")

    refused = machine.run("--locked")
    assert (refused.returncode, machine.imported()) == (1, [])
    assert "the locked base can't be made" in refused.stderr
    warned = machine.run()
    assert (warned.returncode, machine.imported()) == (0, images("bash 1,openssl 2"))
    assert "> package openssl 2" in warned.stderr
    assert "so the images stand on Debian's newest packages" in warned.stderr
    assert machine.run().returncode == 0
    assert machine.imported() == []
    # It isn't the locked one.
    assert machine.run("--locked").returncode == 1


@pytest.mark.parametrize("option", [[], ["--locked"]])
def test_older_packages_come_from_the_snapshots(machine: Machine, option: list[str]) -> None:
    forget(machine)
    machine.archive("mirror", "bash 1", "openssl 2")
    machine.archive("snapshot", "bash 1", "openssl 1")

    assert machine.run(*option).returncode == 0
    assert machine.imported() == images("bash 1,openssl 1")


def test_unreachable_archive_makes_nothing(machine: Machine) -> None:
    forget(machine)
    (machine.folder / "mirror").unlink()

    process = machine.run()

    assert (process.returncode, machine.imported()) == (1, [])
    assert "E: no archive" in process.stderr
    assert "can't be made of Debian's packages" in process.stderr
