"""Which licences are accepted."""

from collections.abc import Mapping
from pathlib import Path

import licences
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "BSD (unspecified)",
        "Apache-2.0 and BSD (unspecified)",
        "MIT AND (BSD-2-Clause OR GPL-3.0-only)",
        "GPL-2.0-or-later OR AGPL-3.0-only OR MIT",
        "EPL-2.0 OR GPL-2.0-or-later",
        "Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND MIT",
        "(MIT)",
        "LGPL-3.0-only",
    ],
)
def test_accepted(licence: str) -> None:
    assert licences.is_accepted(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only",
        "AGPL-3.0-or-later",
        "MIT AND GPL-2.0-only",
        "MIT and GPL-2.0-only",
        "(MIT OR ISC) AND AGPL-3.0-only",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "Proprietary",
        "LicenseRef-NVIDIA",
        "NOASSERTION",
        "MIT OR",
        "MIT MIT",
        "(MIT",
        "",
        "()",
        "AND",
    ],
)
def test_not_accepted(licence: str) -> None:
    assert not licences.is_accepted(licence)


@given(st.lists(st.sampled_from(["MIT", "GPL-2.0-only", "(", ")", "AND", "OR", "WITH"])))
def test_any_words_have_an_answer(words: list[str]) -> None:
    accepted = licences.is_accepted(" ".join(words))

    assert not (accepted and "MIT" not in words)


GOOD = {name: "unclear" for name in licences.EXCEPTIONS}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"a.lock": {"one": "MIT", **GOOD}}, []),
        (
            {"a.lock": {"one": "MIT"}, "b.lock": {"two": "GPL-3.0-only"}},
            ["b.lock: two has the licence 'GPL-3.0-only', which isn't accepted"],
        ),
        (
            {"a.lock": {"one": "NOASSERTION"}},
            ["a.lock: one has the licence 'NOASSERTION', which isn't accepted"],
        ),
    ],
)
def test_problems_name_lock_package_and_licence(
    found: Mapping[str, Mapping[str, str]], expected: list[str]
) -> None:
    assert list(licences.problems(found)) == expected


def test_exceptions_that_are_not_needed_are_named() -> None:
    assert licences.needless({"a.lock": GOOD}) == []
    first = min(licences.EXCEPTIONS)
    for gone in ({}, {first: "MIT"}):
        left = {**{name: "x" for name in GOOD if name != first}, **gone}
        assert licences.needless({"a.lock": left}) == [f"the exception for {first} isn't needed"]


def test_licences_of_a_folder(tmp_path: Path) -> None:
    for name, text in (("One_a", "License: MIT"), ("two", "Summary: none")):
        (tmp_path / f"{name}-1.dist-info").mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{text}\n"
        (tmp_path / f"{name}-1.dist-info/METADATA").write_text(metadata)

    assert licences.licences_of(tmp_path) == {"one-a": "MIT", "two": "NOASSERTION"}
