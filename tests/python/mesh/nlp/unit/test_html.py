import pytest

from mesh.nlp.document import read_document


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("<p>one</p><p>two</p>", "one|two"),
        ("one<br>two<br/><br >three", "one|two|three"),
        ("<td>one</td><td>two</td>", "one|two"),
        ("New<b>York</b> <i>Ci</i>ty", "NewYork City"),
        ("<DIV CLASS='a > b'><B>x</B></DIV>", "x"),
        ('<a title="it\'s" href=x>link</a>', "link"),
        ('<a href="x"class="y">link</a>', "link"),
        ("<td nowrap>one<td data-x>two<input disabled>", "one|two"),
        ("a<script>if (a<b) {}</script >b<style>p{}</style>", "ab"),
        ("a<noscript>b</noscript><template>c</template>d", "ad"),
        ("a <!-- <b>hidden</b> --> b", "a b"),
        ("<!DOCTYPE html><?xml version='1.0'?>x", "x"),
        ("<o:p>x</o:p>", "x"),
        ("<title>Prices</title><body>Low", "Prices|Low"),
        ("<div><!--[if mso]>x<![endif]-->y</div>", "y"),
        # Line breaks of the source are white space beside elements of blocks, and only there.
        ("<p>New\nYork</p>", "New York"),
        ("<p>one\n \ntwo</p>", "one|two"),
        ("<p>one\ttwo</p>", "one two"),
        ("<b>Berlin</b>\nParis", "Berlin|Paris"),
        ("Müller &amp; Söhne\nKöln", "Müller & Söhne|Köln"),
        ("<pre>Berlin\nParis</pre>", "Berlin|Paris"),
        # Character data is text like the rest.
        ("<![CDATA[Łódź & Kraków]]>", "Łódź & Kraków"),
        ("x <![CDATA[a < b]]> y", "x a < b y"),
        ("<![CDATA[<p>Berlin</p><p>Paris</p>]]>", "Berlin|Paris"),
        ("<ruby>東<rp>(</rp><rt>とう</rt>京<rt>きょう</rt></ruby>", "東京"),
        # Other elements, if they have an end tag.
        ("<svg viewBox='0 0 1 1'><text>Łódź</text></svg>", "Łódź"),
        ("<math><mi>x</mi><mo>=</mo></math>", "x ="),
        ("<tram-line id='3'>Die Bahn</tram-line>.", "Die Bahn."),
        ("<name>Anna Lee</name><city>Berlin</city>", "Anna Lee Berlin"),
        # Not markup.
        ("a < b, c <d and e> f", "a < b, c <d and e> f"),
        ("a<b and c>d", "a<b and c>d"),
        ("if x <p and q> r", "if x <p and q> r"),
        ("a<b>c", "a<b>c"),
        ("vector<a> v; List<time> t", "vector<a> v; List<time> t"),
        ("vector<int> v; Hi <name>, see </name2>.", "vector<int> v; Hi <name>, see </name2>."),
        ("<jo@example.org> & <y>", "<jo@example.org> & <y>"),
        ("AT&T &copy &bogus;", "AT&T &copy &bogus;"),
        ("x ]]> y", "x ]]> y"),
        ("a <3 b >c", "a <3 b >c"),
        # Broken.
        ("a <!-- b", "a <!-- b"),
        ("a <![CDATA[ b", "a <![CDATA[ b"),
        ("a <script>b", "a b"),
        ("a <b c", "a <b c"),
        ('<a title="open>x', "x"),
        ("<ul><li>Ann<li>Bob</ul>Eve", "Ann|Bob|Eve"),
        # References.
        ("&lt;b&gt; &amp;amp; &quot;", '<b> &amp; "'),
        ("a&nbsp;&#32;b", "a b"),
        ("&#x1F600;&#128;&NotEqualTilde;", "😀€≂̸"),
        ("<p>Kö&shy;\nln, Lü&#xAD;<br>beck", "Köln, Lübeck"),
        ("a&ZeroWidthSpace;b&shy;c<wbr>d&#1;e", "abcde"),
    ],
)
def test_text_without_markup(original: str, expected: str) -> None:
    assert read_document(original).text == expected.replace("|", "\n\n")


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (
            "<h1>Preise</h1><p>Drei</p><ul><li>Bus</li><li><p>Bahn</p></li></ul>Ende",
            "heading paragraph item item paragraph",
        ),
        ("<table><tr><th>Ville<td><p>Nice</table>Fin", "cell cell paragraph"),
        ("<pre><code>x = 1</code></pre>Run <code>it</code>", "code paragraph"),
        ("<dl><dt>Precio<dd>Tres</dl>", "item item"),
        ("<h2>Один<p>два", "heading paragraph"),
    ],
)
def test_elements_make_the_kinds_of_blocks(original: str, expected: str) -> None:
    assert [block.kind for block in read_document(original).blocks] == expected.split()


@pytest.mark.parametrize(
    ("original", "markup", "text"),
    [
        ("Ann\nBob", "html", "Ann Bob"),
        ("Ann <b>Lee</b>", "plain", "Ann <b>Lee</b>"),
        ("AT&amp;T", "plain", "AT&amp;T"),
        ("**Ann**", "html", "**Ann**"),
        ("<p>Ann</p>", "markdown", "Ann"),
    ],
)
def test_markup_is_what_the_caller_says(original: str, markup: str, text: str) -> None:
    document = read_document(original, markup)  # type: ignore[arg-type]
    assert (document.markup, document.text) == (markup, text)
