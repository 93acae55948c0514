# ruff: noqa: RUF001 - the letters of other alphabets are meant

import textwrap

import pytest

from mesh.nlp.document import read_document

PROSE = {
    "en": "The transport plan of the city will extend the tram to New York and Boston in 2025. Mayor Anna Lee "
    "said on Monday that the line costs 40 million euros, and Siemens delivers the trains. Residents of the "
    "old harbour have asked for a stop near the market.",
    "de": "Der Vorstand der Deutschen Bank hat am Montag in Frankfurt neue Ziele für das kommende Jahr "
    "vorgestellt und dabei mehrere Millionen Euro eingeplant. Die Aktionäre der Bank stimmten dem Plan im Mai "
    "zu, obwohl einige Fonds aus London dagegen waren.",
    "fr": "La mairie de Lyon a annoncé lundi que la nouvelle ligne de tramway reliera la gare au stade, et que "
    "les travaux coûteront quarante millions d'euros. Les habitants du quartier ont demandé un arrêt près du "
    "marché, ce que Mme Durand a refusé.",
    "pl": "Prezydent miasta ogłosił w poniedziałek, że nowa linia tramwajowa połączy dworzec ze stadionem, a "
    "budowa potrwa do końca przyszłego roku. Mieszkańcy dzielnicy poprosili o przystanek obok targu, na co "
    "Anna Nowak się zgodziła.",
    "ru": "Правительство Москвы в понедельник объявило о строительстве трёх новых линий метро, которые "
    "соединят аэропорт и центр города. Жители района попросили построить станцию рядом с рынком, но Анна "
    "Иванова не согласилась.",
    "ar": "أعلنت وزارة الصحة في القاهرة يوم الاثنين عن افتتاح ثلاثة مستشفيات جديدة في الإسكندرية وأسوان "
    "والجيزة خلال العام المقبل بعد موافقة مجلس الوزراء على الميزانية الجديدة.",
}
CHINESE = (
    "北京市政府星期一宣布将在明年建设三条新的地铁线路连接机场和市中心并且在上海和广州之间开通新的高速铁路这个项目预计花费四百亿元"
    "人民币。"
)


@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize("columns", [40, 60, 72, 80])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\u2028"])
def test_wrapped_lines_are_joined(language: str, columns: int, line_break: str) -> None:
    lines = textwrap.wrap(PROSE[language], columns, break_on_hyphens=False)
    assert read_document(line_break.join(lines), language=language).text == PROSE[language]


@pytest.mark.parametrize("columns", [20, 30, 40])
def test_wrapped_lines_without_spaces_are_joined_without_one(columns: int) -> None:
    lines = [CHINESE[i : i + columns] for i in range(0, len(CHINESE), columns)]
    assert read_document("\n".join(lines)).text == CHINESE


@pytest.mark.parametrize("columns", [40, 72])
def test_paragraphs_that_follow_each_other_stay_apart(columns: int) -> None:
    paragraphs = {text: textwrap.wrap(text, columns) for text in PROSE.values()}
    short = [text for text, lines in paragraphs.items() if len(lines[-1]) < 0.7 * columns]
    assert len(short) > 2
    original = "\n".join(line for text in short for line in paragraphs[text])
    assert read_document(original).text.split("\n\n") == short


@pytest.mark.parametrize(
    "original",
    [
        "Berlin\nParis\nLondon\nRome",
        "Paris\nHilton",
        "北京\n上海\n广州",
        "Москва\nКиев\nМинск",
        "القاهرة\nدبي",
        "Berlin\r\nParis\r\n\r\nRome",
        "Berlin\fParis",
        "Berlin\u2028Paris",
        "Berlin\tParis\n\tRome",
        "From: Anna Lee\nTo: Bob Ray\nSubject: Siemens",
        "Name;City\nAnna;Berlin\nBob;Paris",
        "Dr. Wolfgang Amadeus Mustermann\nRheinische Friedrich-Wilhelms-Universität\nRegina-Pacis-Weg 3\n53113 Bonn",
        "Anna Maria Lee\nsenior engineer\nSiemens",
        "Dear Ann,\nthank you for the plan of the tram.",
        "Starters\nTomato soup 4.50\nBread and olives 3.20\nMain courses\nFish of the day 14.00",
        "Ingredients:\nflour\nsugar",
        "a cup of milk\ntwo large eggs\none spoon of sugar",
        "Wer geht so früh durch Wald und Feld?\nDer Müller ist es mit dem Geld.\n"
        "Er trägt es heim in seinem Sack,\nUnd hinter ihm das Lumpenpack.",
        "Es war einmal ein Mann im Ort,\nDer sprach am Tag kein einzig Wort,\n"
        "Und kam die Nacht, so sang er laut,\nBis man ihm eine Bank gebaut.",
        "The moon has risen on the silent bay,\nThe boats are moored and all the nets are dry,\n"
        "No voice of man is left to end the day,\nAnd only gulls are calling in the sky.",
        "New plan for the tram\nThe council agreed on Monday to extend the tram to the harbour.",
        "Germany and France sign a new agreement on energy\nMore to follow.",
        "Storm leaves thousands without power in Florida\nApple opens its first store in Malaysia",
        "Bahn erhöht die Preise zum Jahreswechsel deutlich\nKanzler reist nach Paris\nBerlin feiert",
        "北京市政府宣布将在明年建设三条新的地铁线路\n上海举办国际博览会吸引全球企业参加\n广州新机场启用",
        "I love Berlin!\nParis is nice too.",
        "We could extend the tram-\nNo, we can't.",
    ],
)
def test_other_line_breaks_part_blocks(original: str) -> None:
    lines = [line for line in original.replace("\t", "\n").splitlines() if line]
    assert read_document(original).text.split("\n\n") == lines


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("I live with my two sisters in New\nYork and work in a bank.", None),
        ("She moved to New\nYork last year.", None),
        ("Elle habite depuis deux ans à\nParis avec son frère.", None),
        ("Vive en la ciudad de\nBuenos Aires.", None),
        ("She met him at 5 p.m.\nin the old town.", None),
        ("The plan of the council\nwas agreed in May.", None),
        ("I live with my two sisters in New<br>York and work in a bank.", None),
        (
            "New plan\nThe council has agreed to extend the tram to the harbour,\nwhich pleases the old town.",
            "New plan|The council has agreed to extend the tram to the harbour, which pleases the old town.",
        ),
        (
            "    The plan was agreed on Monday by the council of the old town,\nand the mayor signed it.\n"
            "    Siemens builds the trains and delivers them to the port in the\nsummer of next year.",
            "The plan was agreed on Monday by the council of the old town, and the mayor signed it.|"
            "Siemens builds the trains and delivers them to the port in the summer of next year.",
        ),
        (
            "Das Treffen mit dem Vorstand der Bank in Frankfurt findet am\n2. Mai statt, sagte ein Sprecher.",
            "Das Treffen mit dem Vorstand der Bank in Frankfurt findet am 2. Mai statt, sagte ein Sprecher.",
        ),
        (
            "Berlin ist seit vielen Jahren der Ort, an dem manche Firmen\n– auch aus Paris – neue Büros eröffnen.",
            "Berlin ist seit vielen Jahren der Ort, an dem manche Firmen – auch aus Paris – neue Büros eröffnen.",
        ),
        ("It was in New\nYork that Anna\nLee sat down.", None),
        # Words that a hyphen cuts.
        (
            "Ann-\nMarie met Jean-\nPaul in Saint-\nDenis.",
            "Ann-Marie met Jean-Paul in Saint-Denis.",
        ),
        ("The Coca-\nCola bus.", "The Coca-Cola bus."),
        ("eine 20-\njährige Frau", "eine 20-jährige Frau"),
        ("po COVID-\n19 w Polsce", "po COVID-19 w Polsce"),
        ("Inter-\nund Coca-\nCola", "Inter- und Coca-Cola"),
        ("a thous-\nand trams", "a thousand trams"),
        ("o guarda-\n-chuva azul", "o guarda-chuva azul"),
        ("biało-\n-czerwony sztandar", "biało-czerwony sztandar"),
        ("okres Praha-\n-západ", "okres Praha-západ"),
        (
            "The trans-\nport plan will ex-\ntend the tram.",
            "The transport plan will extend the tram.",
        ),
        ("The well-\nknown plan of 1990-\n1995.", "The well-known plan of 1990-1995."),
        (
            "The new head of Coca-\nCola met Jean-\nPaul.",
            "The new head of Coca-Cola met Jean-Paul.",
        ),
        ("Coca-\nCola\nFanta", "Coca-|Cola|Fanta"),
        ("Abita a San\nMarino da anni.", "Abita a San Marino da anni."),
        ("Copen\u00ad\nhagen is a city.", "Copenhagen is a city."),
        ("Copen\u00ad\r\n  hagen is a city.", "Copenhagen is a city."),
    ],
)
def test_lines_that_go_on_are_joined(original: str, expected: str | None) -> None:
    joined = expected or original.replace("<br>", " ").replace("\n", " ")
    assert read_document(original).text == joined.replace("|", "\n\n")


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("- Berlin\n- Paris", "Berlin|Paris"),
        ("Cities:\n- Berlin", "Cities:|Berlin"),
        ("• Łódź\n• Kraków\n\n· Gdańsk", "Łódź|Kraków|Gdańsk"),
        ("1. Build\n2. Repair\n10. Paint\n11. Sell", "Build|Repair|Paint|Sell"),
        ("a) Bau\nb) Verkauf", "Bau|Verkauf"),
        ("(1) Uno\n(2) Dos", "Uno|Dos"),
        ("1.\tОдин\n2.\tДва", "Один|Два"),
        ("1、北京\n2、上海", "北京|上海"),
        ("① 東京\n②大阪", "東京|大阪"),
        ("a. Uno\nb. Dos", "Uno|Dos"),
        (
            "- to extend the tram\n  and the bus\n- to build",
            "to extend the tram and the bus|to build",
        ),
        (
            "- The council agreed to extend the tram to the harbour of New\n  York.\n- No.",
            "The council agreed to extend the tram to the harbour of New York.|No.",
        ),
        # Not lists.
        ("1984. A novel.", "1984. A novel."),
        ("-5 degrees", "-5 degrees"),
        ("A. Lee met B. Ray.", "A. Lee met B. Ray."),
        ("A. Lee\nB. Ray", "A. Lee|B. Ray"),
        ("①", "①"),
        ("Berlin - Paris", "Berlin - Paris"),
        ("1. FC Köln", "1. FC Köln"),
    ],
)
def test_marks_of_lists_begin_blocks(original: str, expected: str) -> None:
    assert read_document(original).text == expected.replace("|", "\n\n")


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("City      Mayor\nBerlin    Anna Lee", "City|Mayor|Berlin|Anna Lee"),
        ("Ville\t\tMaire \nLyon\tAnne  Roy", "Ville|Maire|Lyon|Anne Roy"),
        ("one   two\n\nthree", "one two|three"),
        ("Top\n=====\nBerlin\n---+---\nParis", "Top|Berlin|Paris"),
    ],
)
def test_gaps_part_cells(original: str, expected: str) -> None:
    assert read_document(original).text == expected.replace("|", "\n\n")


def test_pages_leave_nothing_in_a_sentence() -> None:
    page = "The plan of the council is to extend the tram to the harbour in the\nsummer, and to build a bridge"
    original = (
        f"{page} with the money of the\n\n12\n\fAnnual Report\n\nbank of Boston.\n\n"
        "13\n\fAnnual Report\n\nThe end."
    )
    expected = f"{page} with the money of the bank of Boston.".replace("\n", " ")
    assert read_document(original).text == f"{expected}\n\nThe end."


@pytest.mark.parametrize(
    "form",
    [
        "From: Anna Lee\nTo: Bob Ray\nSubject: Tram\n\nDear Bob,\n\n{}\n\nBest regards,\nAnna\n\n> Dear Ann,\n> why?",
        "<div>From: Anna Lee<br>To: Bob Ray<br>Subject: Tram</div><p>Dear Bob,</p><p>{}</p>Best regards,<br>Anna",
    ],
)
def test_parts_of_a_mail_are_known(form: str) -> None:
    message = "The plan is ready, and it extends the tram to the harbour."
    document = read_document(form.format(message))
    assert [document.text[block.start : block.end] for block in document.body] == [message]
    kinds = [block.kind.value for block in document.blocks]
    assert kinds[:4] == ["mail_header"] * 3 + ["greeting"]
    assert kinds[5:7] == ["signature"] * 2


def test_cells_of_a_signature_belong_to_it() -> None:
    document = read_document(
        "Dear Bob,\n\nThe plan is ready.\n\nBest regards,\nAnna Lee\nTel.\t123"
    )
    assert [document.text[block.start : block.end] for block in document.body] == [
        "The plan is ready."
    ]


def test_marks_in_code_stay() -> None:
    document = read_document("<pre>- a:\tb\n- > c\n-----</pre>")
    assert document.text.split("\n\n") == ["- a: b", "- > c"]


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("The tram opens in May.\n\n> When?\n>> What?", "paragraph quoted quoted"),
        ("> Hallo Anna,\n>\n> wann?", "quoted quoted"),
        (">\n> ¿Cuándo?\n> >\n\nEn mayo.", "quoted paragraph"),
        ("<b>Quand ?</b>\n> En mai.", "paragraph quoted"),
        ("3 > 2", "paragraph"),
        (">", "paragraph"),
    ],
)
def test_lines_with_the_mark_of_a_quotation_are_quoted(original: str, expected: str) -> None:
    assert [block.kind for block in read_document(original).blocks] == expected.split()


@pytest.mark.parametrize(
    ("before", "after", "glue"),
    [
        ("Der Bericht schlägt Maßnahmen vor, die der Stadtrat im", "Herbst berät.", " "),
        ("The report is about the harbour, the town and the", "Rhine.", " "),
        (
            "Die Werke versorgten im letzten Jahr viele Haushalte. Neue\nLeitungen kamen.",
            "Gut.",
            "\n\n",
        ),
        ("市政府表示，新的地铁线路将于明年开工，预计三年内完", "成。市民欢迎。", ""),
    ],
)
def test_sentences_go_on_on_the_next_page(before: str, after: str, glue: str) -> None:
    joined = before.replace("\n", " ")
    assert read_document(f"{before}\n\f{after}").text == f"{joined}{glue}{after}"
