"""The pages of this repository: their links lead somewhere, and each can be reached from the README."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

README = Path("README.md")
PAGES = sorted([*Path().glob("*.md"), *Path("docs").glob("*.md")])

_CODE = re.compile(r"^```.*?^```|^ {4}[^\n]*|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The file and the anchor of each link that stays in the repository."""
    for target in _LINK.findall(_CODE.sub("", page.read_text())):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path if path else page), anchor


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = _HEADING.findall(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in links(page):
        assert target.is_file(), f"{page} links to {target}, which is not there"
        assert not anchor or anchor in anchors(target), f"{page}: {target} has no #{anchor}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    found = {README}
    unread = [README]
    while unread:
        for target, _ in links(unread.pop()):
            page = target.resolve().relative_to(Path().resolve())
            if page.suffix == ".md" and page not in found:
                found.add(page)
                unread.append(page)
    assert set(PAGES) - found == set()


def test_a_broken_link_and_a_missing_heading_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading: here\n\n[a](other.md#x) [b](#a-heading-here) `[c](d.md)`\n")
    assert list(links(page)) == [(tmp_path / "other.md", "x"), (page, "a-heading-here")]
    assert anchors(page) == {"a-heading-here"}
