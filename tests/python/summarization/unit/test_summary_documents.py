"""What summaries of whole documents are made of: mails, pages, Markdown, transcripts, PDFs."""

import pytest

from mesh.nlp.document import read_document
from summarization.length import count_words
from summarization.pieces import read_pieces
from summarization.schema import Configuration

MAIL = """\
From: Anna Lee <anna@example.org>
To: Bob Ray <bob@example.org>
Subject: Tram works

Hi Bob,

The tram works begin on Monday and will last three weeks.

Best regards,
Anna Lee
Head of Transport
Tel. 555 0101

On Tue, 3 Mar 2026, Bob Ray wrote:
> When do the works begin? Everybody is asking me.
"""
MARKDOWN = """\
# Prices

| ticket | price |
|---|---|
| single | 3 |
| day | 8 |

The day ticket is valid on [all lines](https://example.org/lines). ![map](map.png) It costs **eight**
euros.

```python
hive_small = load("hive.png")
```

- bring cash
- no dogs
"""
PAGE = """\
<!DOCTYPE html><html><head><title>Tram news</title><style>.a { color: red; }</style>
<script>var message = "The script was loaded. It runs.";</script></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/m">Maps</a></li></ul></nav>
<h1>Tram returns to the harbour</h1><p>The tram returns to the harbour in&nbsp;May.</p>
<p>It was closed for 3.5 years<br>because of flooding.</p>
<table><tr><th>Stop</th><th>Time</th></tr><tr><td>Harbour</td><td>9:05</td></tr></table>
<pre><code>print("Nobody reads this. Really.")</code></pre><noscript>Enable scripts.</noscript></body></html>
"""
FRENCH = (
    "Selon Mme. Durand, le Dr. Martin attend la ligne depuis dix ans. M. Dupont espère quarante "
    "mille passagers par jour."
)
GERMAN = (
    "Die Halle stammt aus dem 19. Jahrhundert und wurde im 2. Weltkrieg zerstört. Der Preis beträgt "
    "3 Mio. Euro inkl. MwSt. und Planung."
)
PDF = """\
The trans-
port plan will ex-
tend the tram to the harbour and to the
university hospital within five years. The
council approved it with a large majority.
"""


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("en", MAIL, ["The tram works begin on Monday and will last three weeks."]),
        ("en", MARKDOWN, ["The day ticket is valid on all lines.", "It costs eight euros."]),
        (
            "en",
            PAGE,
            [
                "The tram returns to the harbour in May.",
                "It was closed for 3.5 years because of flooding.",
            ],
        ),
        (
            "fr",
            FRENCH,
            [
                "Selon Mme. Durand, le Dr. Martin attend la ligne depuis dix ans.",
                "M. Dupont espère quarante mille passagers par jour.",
            ],
        ),
        (
            "de",
            GERMAN,
            [
                "Die Halle stammt aus dem 19. Jahrhundert und wurde im 2. Weltkrieg zerstört.",
                "Der Preis beträgt 3 Mio. Euro inkl. MwSt. und Planung.",
            ],
        ),
        (
            "en",
            PDF,
            [
                "The transport plan will extend the tram to the harbour and to the university "
                "hospital within five years.",
                "The council approved it with a large majority.",
            ],
        ),
    ],
)
def test_sentences_of_documents(language, text, sentences):
    configuration = Configuration(language=language)
    document = read_document(text, "auto", language)
    assert read_pieces(document, configuration).texts == sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "Anna: so when does it open\nBob: in May I think\nAnna: good to know",
            ["Anna: so when does it open", "Bob: in May I think", "Anna: good to know"],
        ),
        (
            "1\n00:00:01,000 --> 00:00:03,000\nso we went down\n\n"
            "2\n00:00:03,500 --> 00:00:06,000\nto the old harbour\n",
            ["so we went down", "to the old harbour"],
        ),
        (
            "Council approves tram\nGlacier shrinks again\nBakers on strike in Turin",
            ["Council approves tram", "Glacier shrinks again", "Bakers on strike in Turin"],
        ),
    ],
)
def test_lines_of_transcripts_and_headlines(text, pieces):
    found = read_pieces(read_document(text), Configuration())
    assert (found.texts, found.separator) == (pieces, "\n")
    assert found.lengths == list(map(count_words, pieces))
