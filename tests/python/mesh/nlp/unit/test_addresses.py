import pytest

from mesh.nlp.addresses import cuts, find_addresses, find_domains
from mesh.nlp.sentences import Span


def parts(text, spans):
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("see https://a.org/x?y=1, or www.b.org.", ["https://a.org/x?y=1", "www.b.org"]),
        (
            "ann.lee@example.org, @ann and @bob@rome.social",
            "ann.lee@example.org @ann @bob@rome.social",
        ),
        ("#Rome#Oslo \uff03Bonn", "#Rome#Oslo \uff03Bonn"),
        ("example.org/rome (b.co/x)", ["example.org/rome", "b.co/x"]),
        ("AT&T, AT&#38;T, R@, # 1, Rome.com, a/b", []),
        ("", []),
    ],
)
def test_addresses_handles_and_tags_are_found(text, addresses):
    expected = addresses.split() if isinstance(addresses, str) else addresses
    assert parts(text, find_addresses(text)) == expected


def test_domains_are_names_of_hosts():
    text = "Amazon.com, news.bbc.co.uk, 3.5, node.js, Rome.Ann and x.org-y"
    assert parts(text, find_domains(text)) == ["Amazon.com", "news.bbc.co.uk"]


@pytest.mark.parametrize(
    ("position", "inside"), [(2, False), (3, True), (5, True), (6, False), (8, False), (9, True)]
)
def test_only_positions_within_a_span_cut_it(position, inside):
    assert cuts([Span(2, 6), Span(8, 10)], position) == inside


@pytest.mark.parametrize(
    "part", ["a", "a.", "@", "@a", "#", "#a", "a-", "www.", "a://", "a.bc/", " ", "."]
)
def test_long_text_is_searched(part):
    # With an expression whose time is quadratic, the test wouldn't end.
    text = part * 200_000
    for spans in (find_addresses(text), find_domains(text)):
        assert all(0 <= span.start < span.end <= len(text) for span in spans)
