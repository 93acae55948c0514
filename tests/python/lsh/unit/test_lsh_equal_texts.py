"""Equal texts have equal signatures, however they are written."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsh.model import sign
from lsh.schema import Configuration

TEXTS = {
    "en": "The company's home computers don't find the fire: it's a novel world of tram research.",
    "de": "Die große Straße führt die weiße Bahn über den Fluss, außer im süßen Maß der Grüße.",
    "fr": "L'été dernier, l'avion solaire a traversé l'océan Atlantique sans aucune escale à Paris.",
    "es": "El niño comió piñas en el jardín; la señora añadió azúcar, limón y canela molida.",
    "tr": "İstanbul ışıkları, İzmir limanı ve Diyarbakır surları ilkbaharda ılık rüzgarla parlıyor.",  # noqa: RUF001
    "vi": "Hội đồng thành phố phê duyệt tuyến tàu điện mới nối bến cảng với bệnh viện đại học.",
    "ru": "Городской совет утвердил новую трамвайную линию между портом и больницей, ещё и мост.",
    "el": "Το δημοτικό συμβούλιο ενέκρινε νέα γραμμή τραμ προς το λιμάνι και το νοσοκομείο.",  # noqa: RUF001
    "hi": "नगर परिषद ने मंगलवार को बंदरगाह से विश्वविद्यालय अस्पताल तक नई ट्राम लाइन मंज़ूर की।",
    "ko": "시의회는 화요일에 항구와 대학 병원을 잇는 새로운 트램 노선을 승인했다.",
    "ja": "市議会は火曜日、港と大学病院を結ぶ新しい路面電車を承認した。",
    "zh": "市议会周二批准了一条新的有轨电车线路\uff0c连接港口和大学医院。",
}


def signature(text, language, **configuration):
    made = sign(text, Configuration(language=language, shingle_list=2, **configuration)).signature
    assert made is not None
    return made


def full_width(text):
    """ASCII letters and digits in the width of a Chinese character."""
    return re.sub(r"[A-Za-z0-9]", lambda match: chr(ord(match[0]) + 0xFEE0), text)


def soft_hyphens(text):
    return re.sub(r"(?<=[^\W\d_]{2})(?=[^\W\d_]{2})", "\u00ad", text)


def bold_words(text):
    return re.sub(r"(\S+)", r"<b>\1</b>", text)


FORMS = {
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "upper case": str.upper,
    "capital ß": lambda text: text.replace("ß", "ẞ"),
    "full width": full_width,
    "soft hyphens": soft_hyphens,
    "zero width": lambda text: text.replace(" ", " \u200b").replace(",", ",\ufeff"),
    "typographic": lambda text: text.replace("'", "\u2019"),
    "bold": bold_words,
    "part of a word": lambda text: re.sub(r"\b(\w)(\w)", r"<i>\1</i>\2", text, count=3),
    "non-breaking": lambda text: text.replace(" ", "&nbsp;"),
    "spaces": lambda text: text.replace(" ", " \u3000 "),
    "paragraph": lambda text: f"<!-- {text} --><p class='a'>{text}</p><script>go();</script>",
    "byte order mark": lambda text: f"\ufeff{text}\r\n",
}
MARKED = ("bold", "part of a word", "non-breaking", "paragraph")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", TEXTS)
def test_form_makes_no_difference(language, form):
    text = TEXTS[language]
    assert signature(FORMS[form](text), language) == signature(text, language)


@settings(max_examples=50)
@given(
    language=st.sampled_from(sorted(TEXTS)),
    plain=st.lists(st.sampled_from([form for form in FORMS if form not in MARKED]), max_size=3),
    marked=st.sampled_from(MARKED),
)
def test_forms_together_make_no_difference(language, plain, marked):
    text = TEXTS[language]
    changed = text
    for form in plain:
        changed = FORMS[form](changed)
    assert signature(FORMS[marked](changed), language) == signature(text, language)


def test_markup_is_as_the_caller_says():
    text = TEXTS["en"]
    assert signature(bold_words(text), "en", markup="html") == signature(text, "en")
    assert signature(bold_words(text), "en", markup="plain") != signature(text, "en")
    assert sign(bold_words(text), Configuration(markup="html")).markup == "html"


def test_words_cut_at_the_end_of_a_line_are_joined():
    text = "The transport plan will extend the tram to the harbour and the university hospital."
    cut = text.replace("transport", "trans-\nport").replace("university", "univer-\nsity")
    assert signature(cut, "en") == signature(text, "en")


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "The home computer found fire.", "The research novel found fire."),
        ("en", "A bill on world problems", "A case on state interests"),
        ("de", "Die Menschen sehen das Jahr", "Die Startseite sehen das Beispiel"),
        ("fr", "L'été et la personne", "Le point et la personne"),
        ("es", "El estado intenta el trabajo", "La verdad intenta el trabajo"),
        ("it", "Lo stato compra la registrazione", "Il consiglio compra la registrazione"),
        ("pt", "O conselho e a corrente", "O valor e a corrente"),
        ("sv", "Dagarna och huset", "Tiden och huset"),
    ],
)
def test_content_words_make_a_difference(language, one, other):
    assert signature(one, language) != signature(other, language)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "They've been to the company's harbour.", "company harbour"),
        ("en", "Don't they stop the tram?", "STOP tram"),
        ("de", "Über dem Hafen fährt sie", "ÜBER Hafen fährt"),
        ("fr", "Qu'il traverse l\u2019océan", "traverse océan"),
        ("it", "L'acqua dell'isola", "acqua isola"),
        ("es", "Él también está aquí: isla, mar", "isla mar"),
        ("sv", "Är ön nära? Är den ÄN", "ön nära"),
    ],
)
def test_function_words_make_no_difference_in_any_spelling(language, one, other):
    for form in ("NFD", "upper case", "typographic"):
        assert signature(FORMS[form](one), language) == signature(other, language)
