# ruff: noqa: RUF001 - the letters and punctuation of other alphabets are meant

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.pages import furniture

# Lines that begin with `#` are furniture; `^` stands for a form feed.
PAGES = {
    "en form feeds": """\
#Harbour Line Report
The council will build a new line from the harbour
to the airport, and the first trams
#12
#^Harbour Line Report
will run in the spring of next year. The cost is
forty million, of which the state
#13
#^Harbour Line Report
pays one half.
#14""",
    "en numbers beside a head": """\
#Journal of Ports          17
Trade grew by four per cent while the number of ships fell. Larger
vessels explain it, as earlier studies have shown.

#Journal of Ports          18
In this section we describe the data. We use reports of nine
harbours and their owners.

#Journal of Ports          19
Results follow in the next part of the paper, which is long.""",
    "en one border": """\
The council will build a new line, and the first trams
#12
^will run in the spring of next year.""",
    "en number after the border": """\
The council will build a new line, and the first trams
#^12
will run in the spring of next year.""",
    "en border on a line of its own": """\
The council will build a new line, and the first trams

#12
^
#Harbour Line Report

will run in the spring of next year.
#13
^
#Harbour Line Report

It costs forty million.""",
    "en two pages with a foot": """\
The council will build a new line.
#City of Leeds, Transport Office - Page 1 of 2
^The state pays one half.
#City of Leeds, Transport Office - Page 2 of 2""",
    "en even and odd pages": """\
#2 ANNA LEE
The council will build a new line, and the first
#^THE HARBOUR LINE 3
trams will run in the spring of next year. The
#^4 ANNA LEE
cost is forty million, of which the state pays
#^THE HARBOUR LINE 5
one half.""",
    "en no form feeds, page of pages": """\
The council will build a new line.
#Page 1 of 3
The state pays one half of it.
#Page 2 of 3
The town pays the other half.
#Page 3 of 3""",
    "en no form feeds, one page": """\
The trams run from the harbour to the
#Page 3 of 10
airport.""",
    "en no form feeds, one page between sentences": """\
The council will build a new line.
#Page 3 of 10
The state pays one half of it.""",
    "de keine Vorschübe, eine Seite": """\
Der Rat baut eine neue Linie.

#Seite 4

Das Land zahlt die Hälfte.""",
    "en no form feeds, number in a sentence": """\
The council will build a new line, and the first trams

#- 12 -

will run in the spring of next year.""",
    "en dashes": """\
The council will build a new line.
#- 1 -
The state pays one half.
#- 2 -
The town pays the other half.""",
    "en no form feeds, head after a comma": """\
The council will build a new line from the harbour to the airport and
#                                   12
#                        CONFIDENTIAL
the first trams will run in spring. The state pays one half of it,
#                                   13
#                        CONFIDENTIAL
and the town the other one.""",
    "en head and foot": """\
#Harbour Company    Report 2020    3
The company grew in the year, and
it hired forty people.
#www.example.org
#^Harbour Company    Report 2020    4
The costs fell by a third.
#www.example.org""",
    "en slides": """\
#Harbour Line                         1
The council will build a new line.
#Harbour Line                         2
The state pays one half, and the town pays the
#Harbour Line                         3
other half.""",
    "en foot with a year": """\
The council will build a new line.
#© 2021 Harbour Company. All rights reserved.
^The state pays one half.
#© 2021 Harbour Company. All rights reserved.
^The town pays the other half.""",
    "en number of the first page is missing": """\
The Harbour Line
The council will build a new line, and the first trams
#2
^will run in the spring. The state pays one half.
#3
^The town pays the other half.
#4""",
    "en no form feeds, head and number": """\
The council will build a new line, and the first trams
#3
#Harbour Line Report
will run in the spring of next year. It costs a lot.

The state pays one half. The town pays the other half.
#4
#Harbour Line Report
The company that builds the trams has its seat in
Leeds and employs forty people.
#5
#Harbour Line Report
It was founded in 1921.""",
    "en no form feeds, head in two sentences": """\
The council will build a new line from the harbour to the airport,
and the first trams will run in the spring of next year. The cost
#Harbour Line Report
is forty million, of which the state pays one half. The town pays
the other half, with a loan of the regional bank for thirty
#Harbour Line Report
years. The company that builds the trams has its seat in Leeds.""",
    "en no form feeds, head alone": """\
#Harbour Line Report
The council will build a new line from the harbour to the airport,
and the first trams will run in the spring of next year. The cost
is forty million, of which the state pays one half. The town pays
the other half, with a loan of the regional bank for thirty
#Harbour Line Report
years. The company that builds the trams has its seat in Leeds and
employs forty people. It was founded in 1921, and has since then
built trams for eleven towns in the north of the country. The new
trams are quieter than the old ones, and have room for wheelchairs.
#Harbour Line Report
The works begin in March. Until then the archaeologists dig at the
old harbour gate, where they hope to find the walls of the fort.""",
    "en roman": """\
The preface thanks all who gave time and money to the line, and
#iv
^names the engineers.
#v
^The line was begun in 1921.
#vi""",
    "de": """\
#Bericht zur Hafenlinie
Der Rat baut eine neue Linie vom Hafen zum Flughafen, und die
#Seite 4
#^Bericht zur Hafenlinie
ersten Bahnen fahren im Frühjahr.
#Seite 5""",
    "de von": """\
Der Rat baut eine neue Linie vom Hafen zum Flughafen.
#Seite 4 von 9
Das Land zahlt die Hälfte.
#Seite 5 von 9
Die Stadt zahlt den Rest.""",
    "fr": """\
#Rapport sur la ligne du port
La ville construit une ligne du port à l’aéroport, et les
#– 7 –
#^Rapport sur la ligne du port
premiers trams roulent au printemps.
#– 8 –""",
    "es": """\
La ciudad construye una línea del puerto al aeropuerto, y los
#Página 7 de 12
primeros tranvías circulan en primavera. Cuesta mucho.
#Página 8 de 12
El Estado paga la mitad.""",
    "it": """\
#La linea del porto | 7
La città costruisce una linea dal porto all’aeroporto, e i
#La linea del porto | 8
primi tram circolano in primavera.""",
    "pt": """\
A cidade constrói uma linha do porto ao aeroporto, e os
#3/10
^primeiros elétricos circulam na primavera.
#4/10""",
    "nl": """\
De stad bouwt een lijn van de haven naar de luchthaven, en de
#Pagina 7 van 12
^eerste trams rijden in het voorjaar.""",
    "sv": """\
Staden bygger en linje från hamnen till flygplatsen, och de
#Sida 7
^första vagnarna går till våren.""",
    "pl": """\
Miasto buduje linię z portu na lotnisko, a pierwsze tramwaje
#Strona 7 z 12
^wyjadą wiosną.""",
    "ru": """\
#Отчёт о портовой линии
Город строит линию от порта до аэропорта, и первые
#стр. 7
#^Отчёт о портовой линии
трамваи пойдут весной.""",
    "ja": """\
#港線報告書
市は港から空港まで新しい路線を建設し、最初の
#7
#^港線報告書
電車は春に走る。
#8""",
    "zh": """\
市政府将修建一条从港口到机场的新线路，第一批
#第 7 页 共 12 页
^电车将于春天开通。""",
    "zh without form feeds": """\
市政府将修建一条从港口到机场的新线路，线路全长十二公里，第一批

#12

电车将于春天开通，票价不变。""",
    "hi": """\
नगर परिषद बंदरगाह से हवाई अड्डे तक नई लाइन बनाएगी और पहली

#12

ट्राम वसंत में चलेगी।""",
    "ar": """\
#تقرير خط الميناء
تبني المدينة خطا من الميناء إلى المطار
#7
#^تقرير خط الميناء
وتسير القطارات في الربيع
#8""",
}

TEXTS = {
    "song": """\
The morning carries the gulls away
And the boats come in one by one
Row, row to the harbour wall
Row till the day is done

The evening brings the gulls again
And the lamps are lit in the town
Row, row to the harbour wall
Row till the day is done

The night is long and the sea is deep
And the bells ring up and down
Row, row to the harbour wall
Row till the day is done""",
    "lied ohne punkte": """\
die möwen ziehen fort
und die boote kommen heim
hafen mein hafen
der morgen ist grau
und der abend ist rot
hafen mein hafen
die nacht ist lang
und die see ist tief
hafen mein hafen""",
    "equal items": "- ticket\n- ticket\n- ticket\n- ticket",
    "equal lines": "Siemens\nSiemens\nSiemens\nSiemens",
    "list of numbers": "12\n13\n14\n15\n16",
    "table of numbers": """\
Year
1921
1922
Trams
12
13
Lines
3
4""",
    "table with equal rows": """\
Leeds | 12 | open
York | 12 | open
Hull | 12 | open
Leeds | 13 | shut""",
    "dialogue": """\
“Is the line open?”
“No.”
“Was it open in May, when the harbour was full of boats and people?”
“No.”
“Will it be open next year, when the new bridge is built at last?”
“No.”""",
    "interview with names": """\
Anna Lee
When does the line open, and who will pay for the new trams?
Bob Ray
In May, and the town pays for them, with some help from the state.
Anna Lee
Who builds it?
Bob Ray
A company from Leeds.
Anna Lee
Thank you.""",
    "speech without punctuation": """\
Anna Lee
so the line opens in may and we need the timetable before that day
Bob Ray
yes and the new trams come from leeds which takes a week or two more
Anna Lee
and who pays for them because the town says that it has no money left
Bob Ray
the state pays one half and the town gets a loan for the other half
Anna Lee
then we can begin in march""",
    "numbered headings": """\
Question 1
When does the line open?
Question 2
Who pays for it?
Question 3
Who builds it?""",
    "chapters": """\
1
The line was begun in the spring of the year 1921.
2
The war came, and nobody thought of trams for a while.
3
Then the town grew, and with it the traffic.""",
    "recipe": """\
Fish soup

Ingredients
two herrings, an onion
Method
Cook the herrings with the onion for half an hour, and add salt and some pepper.

Bean soup

Ingredients
beans, an onion, a carrot, and some cream
Method
Soak the beans.
Cook them with the onion for two hours and add the cream in the end.

Leek soup

Ingredients
leeks
Method
Cook the leeks.""",
    "number in a sentence": """\
The winning number of the evening was
12
and nobody in the hall had it.""",
    "lone number at the end": "The answer to the question of the evening is\n42",
    "year as a heading": """\
The first trams came from Leeds.
^1921
The line was opened in the spring.""",
    "index": """\
Harbour
p. 12
Trams
p. 31
Works
p. 7""",
    "days": """\
Day | 1
We saw the harbour and the old town.
Day | 2
We took the tram to the airport.
Day | 3
We flew home.""",
    "columns at a form feed": """\
Leeds
12
13
14
^15
16
York""",
    "a page named in a sentence": """\
See the map on
page 12
for the route of the harbour line.""",
    "a page named in a long sentence": """\
For the route of the harbour line and its stops, see the map on
page 12, where the old town is shown as well, or the list on the
last page of the report, which names the streets.""",
    "pages of a book that are named": """\
Do the exercises of the week
Page 31
Read the poem aloud
Page 12
Learn the words
Page 40""",
    "subtitles": """\
1
00:00:01,000 --> 00:00:03,000
so the line opens

2
00:00:03,000 --> 00:00:05,000
in the month of may""",
    "years": """\
2019
The company grew by a half and hired forty people in Leeds and
2020
it bought the harbour.""",
    "scores": """\
Leeds
3
York
2
Hull
1""",
    "sections": """\
Harbour Line

Facts
The line is long and was built in two years by a company.
Opinion
The town likes it, and so do we, for it is quick and cheap.

Airport Line

Facts
The line is short and was built in one year by the same company.
Opinion
Nobody likes it, for it is slow and costs a lot of money.

Bridge Line

Facts
The line is old and needs repairs that cost forty million.
Opinion
The town should close it.""",
    "paragraph that repeats": """\
The council grants the company the right to build trams, and
to run them in the streets of the town, for as long as the
line is kept in good order. It costs forty million.

The council grants the company the right to build stops, and
to run them in the streets of the town, for as long as the
line is kept in good order. It costs two million.

The council grants the company the right to sell tickets, and
to run them in the streets of the town, for as long as the
line is kept in good order. It costs nothing.""",
    "code": """\
Mark each function that is to be traced with the decorator, as
@trace
def build of the tests does, and each class that has to be told
@trace
class of the tests. The names are kept. It costs no time.""",
    "log": """\
INFO start
INFO start
ERROR stop
INFO start""",
    "roman for I": """\
Who is it that came to the harbour on that day?
I
It was nobody else.""",
    "empty": "",
    "blank": "\n\n ^ \n",
}


@pytest.mark.parametrize("name", PAGES)
def test_heads_feet_and_numbers_of_pages_are_furniture(name: str):
    marked = PAGES[name].replace("^", "\f").split("\n")

    found = furniture([line.removeprefix("#") for line in marked])

    assert [marked[i] for i in sorted(found)] == [line for line in marked if line[:1] == "#"]


@pytest.mark.parametrize("name", TEXTS)
def test_lines_of_the_text_stay(name: str):
    lines = TEXTS[name].replace("^", "\f").split("\n")

    assert {lines[i] for i in furniture(lines)} == set()


@pytest.mark.parametrize("name", ["en form feeds", "en border on a line of its own", "de", "ja"])
def test_white_space_around_lines_changes_nothing(name: str):
    lines = PAGES[name].replace("^", "\f").replace("#", "").split("\n")

    assert furniture([f"{line}  \r" for line in lines]) == furniture(lines)


_WORDS = st.sampled_from(("harbour", "tram", "line", "council", "bridge", "The", "of", "builds"))
_LINE = st.lists(_WORDS, min_size=6, max_size=9).map(" ".join)
_PAGES = st.lists(st.lists(_LINE, min_size=2, max_size=6), min_size=3, max_size=6)


@given(pages=_PAGES, first=st.integers(1, 400))
def test_only_what_pages_add_is_furniture(pages: list[list[str]], first: int):
    lines: list[str] = []
    wanted: set[int] = set()
    for number, page in enumerate(pages, first):
        # No line of the text is twice in it.
        body = [f"{line} {chr(97 + number % 26)}{chr(97 + i)}z" for i, line in enumerate(page)]
        head = ("\f" if number > first else "") + "Report on the Tram"
        wanted |= {len(lines), len(lines) + len(body) + 1}
        lines += [head, *body, f"- {number} -"]

    assert furniture(lines) == wanted


@given(st.lists(st.text("ab 12\f.-", max_size=12), max_size=30))
def test_furniture_has_characters_and_is_in_the_text(lines: list[str]):
    assert all(0 <= i < len(lines) and lines[i].strip() for i in furniture(lines))
