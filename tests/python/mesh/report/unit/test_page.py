"""Pages of reports: complete, safe whatever the data says, and usable without a mouse."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from mesh.core.card import ModelCard
from mesh.lifecycle.comparison import SameRows
from mesh.lifecycle.promotion import Condition
from mesh.report.content import Comparison, Content, Report
from mesh.report.page import comparison_page, report_page

VOID = {"meta"}
LIMIT = 1_500_000


class Page(HTMLParser):
    """Tags with attributes, in order; fails on tags that aren't closed."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def all(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def versus(new: Content, old: Content) -> Comparison:
    found = {one.version.version: one.scores for one in (new, old)}
    same = SameRows("d1", found[new.version.version], found[old.version.version])
    return Comparison(new=new, old=old, same=same, changed=["setting epochs (1 -> 2)", "file a.py"])


@pytest.fixture
def report(make) -> Report:
    unmet = [Condition(met=True, found="fine"), Condition(met=False, found="<b>bad</b>")]
    return Report(content=make(3), comparison=versus(make(3), make(2)), conditions=unmet)


@pytest.fixture(params=["report", "comparison"])
def page(request, report: Report) -> str:
    assert report.comparison
    is_report = request.param == "report"
    return report_page(report) if is_report else comparison_page(report.comparison)


def test_nothing_runs_and_nothing_is_asked_for(page: str) -> None:
    found = Page(page)
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "img", "link", "iframe", "object", "embed", "form", "base"}
    assert not [name for _, one in found.tags for name in one if name.startswith("on")]
    assert not found.all("src")
    outside = [one for one in found.all("href") if not one.startswith("#")]
    assert all(one.startswith("https://huggingface.co/") for one in outside)
    assert "url(" not in re.sub(r"url\(#[^)]+\)", "", page)
    assert "@import" not in page
    [policy] = [one["content"] for _, one in found.tags if "http-equiv" in one]
    assert "default-src 'none'" in policy
    assert len(page.encode()) < LIMIT


def test_links_lead_somewhere_and_ids_are_unique(page: str) -> None:
    found = Page(page)
    ids = Counter(found.all("id"))
    assert set(ids.values()) == {1}
    targets = {one[1:] for one in found.all("href") if one.startswith("#")}
    targets |= {one[1:] for one in found.all("xlink:href")}
    targets |= {name for one in found.all("aria-labelledby") for name in one.split()}
    assert targets <= set(ids)


def test_page_can_be_read_aloud_and_used_by_keys(page: str) -> None:
    found = Page(page)
    tags = [tag for tag, _ in found.tags]
    assert dict(found.tags)["html"] == {"lang": "en"}
    assert [tags.count(one) for one in ("h1", "main", "nav", "header")] == [1] * 4
    assert "<title>TINY-COMPILED-3" in page
    headings = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))
    assert tags.count("caption") == tags.count("table") > 0
    assert all(one.get("scope") for tag, one in found.tags if tag == "th")
    scrolling = [one for _, one in found.tags if "wide" in one.get("class", "")]
    assert all(one["tabindex"] == "0" and one["aria-label"] for one in scrolling)
    plots = [one for _, one in found.tags if one.get("class") == "plot"]
    assert all(one["role"] == "img" and one["aria-label"] for one in plots)
    skip = next(one for tag, one in found.tags if tag == "a")
    assert skip["href"] == "#main"


def test_page_is_for_light_and_dark_windows_of_any_width_and_paper(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert "width=device-width" in page


def test_report_has_every_part(report: Report) -> None:
    page = report_page(report)
    titles = re.findall(r"<h2 [^>]*>([^<]+)</h2>", page)
    assert titles == [
        "Contents", "Model details", "Intended use", "Limits", "Data", "Scores", "Errors", "Curves",
        "Training", "Comparison with prod", "Parity and regression", "Load test", "Lineage",
        "Licences",
    ]  # fmt: skip
    assert "1 of 2 conditions of becoming prod are met." in page
    assert "Not met: &lt;b&gt;bad&lt;/b&gt;" in page
    assert page.count("<blockquote") == 7
    assert "7 of the 10 rows are wrong" in page


def test_versions_are_compared_by_their_rows(report: Report) -> None:
    assert report.comparison
    page = comparison_page(report.comparison)
    assert (
        "TINY-COMPILED-3 has 1 rows right that TINY-COMPILED-2 has wrong, and 0 the other way round; 7 "
        "are wrong in both."
    ) in page
    assert "setting epochs (1 -&gt; 2)" in page
    assert "training of TINY-COMPILED-2" in page


def test_rows_of_other_data_are_not_compared(make) -> None:
    new, old = make(3), make(2)
    card = old.version.card.model_copy(update={"data_version": "d0"})
    other = replace(old, version=replace(old.version, card=card))
    assert "the other way round" not in comparison_page(versus(new, other))


def test_version_of_which_little_is_known_has_a_report(make) -> None:
    content = make(1, trained=None, recipe=None, details=None, documents=[])
    card = ModelCard(project="tiny", model_type="base", code_revision="", fingerprint="f")
    bare = replace(
        content,
        version=replace(content.version, card=card),
        lineage={"name": "v", "kind": "base", "made_from": []},
    )
    page = report_page(Report(content=bare, comparison=None, conditions=()))
    Page(page)
    for sentence in (
        "No scores are recorded with this version",
        "No training is recorded",
        "No version is prod, so there is nothing to compare with",
        "This version is not compiled",
        "The project declares no intended use",
        "Neither data nor a base model is recorded",
    ):
        assert sentence in page


def test_scores_that_can_not_be_compared_have_a_reason(make) -> None:
    comparison = replace(versus(make(3), make(2)), same="it can't be compared: no <rows>")
    assert "It can&#x27;t be compared: no &lt;rows&gt;." in comparison_page(comparison)


def test_size_does_not_grow_with_the_rows(make) -> None:
    content = make(1)
    assert content.details
    many = content.details.model_copy(update={"wrong": content.details.wrong * 2_000})
    page = report_page(
        Report(content=replace(content, details=many), comparison=None, conditions=())
    )
    assert page.count("<blockquote") == 10
    assert len(page.encode()) < LIMIT
