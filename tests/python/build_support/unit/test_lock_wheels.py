"""Whether a lock can be installed on each platform from wheels that exist, looked up by a real uv."""

from dataclasses import replace
from pathlib import Path

import pytest
from locking import exemptions
from locking.errors import LockError
from locking.pins import read_pins
from locking.platforms import LINUX_ARM, LINUX_X86, MACOS_ARM, Platform
from locking.wheels import Proof, prove

from build_support.unit.lock_workshop import Workshop

X86 = "cp311-cp311-manylinux_2_28_x86_64"
ARM = "cp311-cp311-manylinux_2_28_aarch64"
MAC = "cp311-cp311-macosx_14_0_arm64"


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


def proof(workshop: Workshop, lock: str, platform: Platform) -> Proof:
    return prove("some.lock", list(read_pins(lock)), platform, "3.11", workshop.uv)


def test_wheels_for_all_platforms(workshop: Workshop) -> None:
    for tag in (X86, ARM, MAC):
        workshop.index.add_wheel("native", "1.0", tag=tag)
    lock = workshop.lock("native\ntiny\n")

    for platform in (LINUX_X86, LINUX_ARM, MACOS_ARM):
        found = proof(workshop, lock, platform)
        assert (found.problems, found.notes) == ([], [])
        assert {pin.name for pin in found.sizes} == {"native", "tiny", "small"}
        assert all(found.sizes.values())


def test_wheel_of_another_platform(workshop: Workshop) -> None:
    for tag in (X86, MAC):
        workshop.index.add_wheel("native", "1.0", tag=tag)
    lock = workshop.lock("native ; platform_machine != 'aarch64'\ntiny\n")
    lock = lock.replace(
        "native==1.0 ; sys_platform == 'darwin' or platform_machine == 'x86_64' and sys_platform == 'linux' \\",
        "native==1.0 \\",
    )

    assert proof(workshop, lock, LINUX_X86).problems == []
    [problem] = proof(workshop, lock, LINUX_ARM).problems
    assert problem.startswith("some.lock, Linux arm64, Python 3.11: ")
    assert "native==1.0 has no wheels with a matching platform tag" in problem


def test_wheel_for_a_newer_macos(workshop: Workshop) -> None:
    for tag in (X86, ARM, MAC.replace("14", "15")):
        workshop.index.add_wheel("native", "1.0", tag=tag)
    workshop.index.add_sources("native", "1.0")
    lock = workshop.lock("native\n")

    [problem] = proof(workshop, lock, MACOS_ARM).problems
    assert (
        "macOS arm64, Python 3.11: native 1.0 has no wheel, and would have to be built" in problem
    )


def test_platforms_may_differ_in_versions(workshop: Workshop) -> None:
    for version, tag in (("2.0", X86), ("2.0", ARM), ("1.0", MAC)):
        workshop.index.add_wheel("native", version, tag=tag)
    lock = workshop.lock(
        "native==2.0 ; sys_platform == 'linux'\nnative<2 ; sys_platform == 'darwin'\n"
    )

    assert "native==1.0 ; sys_platform == 'darwin' \\" in lock
    assert "native==2.0 ; sys_platform == 'linux' \\" in lock
    for platform in (LINUX_X86, LINUX_ARM, MACOS_ARM):
        assert proof(workshop, lock, platform).problems == []


def test_digest_that_the_lock_lacks(workshop: Workshop) -> None:
    digests = [workshop.index.add_wheel("native", "1.0", tag=tag) for tag in (X86, ARM, MAC)]
    lock = workshop.lock("native\n")
    lock = lock.replace(digests[1], "0" * 64)

    assert proof(workshop, lock, LINUX_X86).problems == []
    assert proof(workshop, lock, LINUX_ARM).problems == [
        "some.lock, Linux arm64, Python 3.11: the lock lacks the digests of the wheels of native 1.0."
    ]


def test_sources_alone(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = workshop.index.add_sources("old", "1.0")
    lock = workshop.lock("old\n")

    assert proof(workshop, lock, LINUX_X86).problems == [
        "some.lock, Linux x86-64, Python 3.11: old 1.0 has no wheel, and would have to be built;"
        " pin a version that has one."
    ]

    monkeypatch.setitem(exemptions.SOURCE_ONLY, "old", "its makers publish no wheels")
    found = proof(workshop, lock, LINUX_X86)
    assert (found.problems, found.source_only) == ([], {"old"})
    assert proof(workshop, lock.replace(digest, "0" * 64), LINUX_X86).problems == [
        "some.lock, Linux x86-64, Python 3.11: the lock lacks the digest of the sources of old 1.0."
    ]


KNOWN = exemptions.Elsewhere("native", "1.0", LINUX_ARM, f"native-1.0-{ARM}.whl", "a" * 64)


def test_wheel_on_another_index(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemptions, "ELSEWHERE", (KNOWN,))
    for tag in (X86, MAC):
        workshop.index.add_wheel("native", "1.0", tag=tag)

    lock = workshop.lock("native\n")

    assert f"--hash=sha256:{KNOWN.digest} \\" in lock
    assert workshop.lock("native\n") == lock
    found = proof(workshop, lock, LINUX_ARM)
    assert found.problems == []
    assert found.notes == [
        f"some.lock, Linux arm64, Python 3.11: {KNOWN.file}, which is on no index of this machine"
    ]
    assert proof(workshop, lock, MACOS_ARM).notes == []


@pytest.mark.parametrize("right", [True, False])
def test_wheel_that_can_be_looked_up_after_all(
    right: bool, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [workshop.index.add_wheel("native", "1.0", tag=tag) for tag in (X86, ARM, MAC)]
    known = replace(KNOWN, digest=digests[1]) if right else KNOWN
    monkeypatch.setattr(exemptions, "ELSEWHERE", (known,))

    found = proof(workshop, workshop.lock("native\n"), LINUX_ARM)

    assert found.notes == []
    assert (found.problems == []) == right
    assert right or "the index has another digest" in found.problems[0]


def test_exemptions_that_are_no_longer_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemptions, "ELSEWHERE", (KNOWN,))
    monkeypatch.setattr(exemptions, "SOURCE_ONLY", {"old": "a reason", "new": "a reason"})
    pins = list(read_pins("native==1.1 \\\n    --hash=sha256:00\n"))

    first, second = exemptions.find_stale(pins, {"old"})

    assert "new has wheels, or is in no lock: remove it" in first
    assert f"no lock pins native 1.0: replace or remove {KNOWN.file}" in second
    assert exemptions.find_stale(read_pins("native==1.0 \\\n"), {"old", "new"}) == []


def test_address_in_a_lock_is_refused(workshop: Workshop) -> None:
    digest = workshop.index.add_wheel("direct", "1.0")
    wheel = f"{workshop.index.address}/direct/direct-1.0-py3-none-any.whl#sha256={digest}"

    with pytest.raises(
        LockError, match=r"some.lock would name an index in line \d+ \(direct @ file"
    ):
        workshop.lock(f"direct @ {wheel.partition('#')[0]}\n")


def test_requirements_without_a_solution(workshop: Workshop) -> None:
    with pytest.raises(LockError, match=r"some.lock can't be made: [\s\S]*tiny"):
        workshop.lock("tiny==7\n")


def test_pins_stay_until_an_upgrade(workshop: Workshop) -> None:
    (workshop.root / "some.lock").write_text(workshop.lock("tiny<2\n"))

    assert "tiny==1.0 \\" in workshop.lock("tiny\n")
    assert "tiny==2.0 \\" in workshop.lock("tiny\n", upgrade=True)
