import pytest

from keywords.border_words import border_words, resolve_border_words
from mesh.core.errors import UsageError
from mesh.nlp.function_words import LANGUAGES as WITH_FUNCTION_WORDS
from mesh.nlp.function_words import function_words
from mesh.nlp.stop_words import LANGUAGES

CASES = {
    "af": ("die en nie van met", "huis tyd regering"),
    "ar": ("في من على إلى الذي", "بيت حكومة وقت"),
    "bg": ("и на не от който", "къща време правителство"),
    "bn": ("এবং না এই থেকে", "বাড়ি সময় সরকার"),
    "cs": ("a je se na který", "dům čas vláda"),
    "el": ("και το είναι από", "σπίτι χρόνος κυβέρνηση"),
    "en": ("the of shows proposed using however", "computer fire information research system"),
    "et": ("ja on ei see", "maja aeg valitsus"),
    "fa": ("و از به که است", "خانه زمان دولت"),
    "fi": ("ja on ei joka", "talo aika hallitus aikoina asia"),
    "he": ("של את על הוא", "בית זמן ממשלה"),
    "hi": ("और का है में", "घर समय सरकार"),
    "hr": ("i je na koji", "kuća vrijeme vlada"),
    "hu": ("és a nem hogy", "ház idő kormány"),
    "id": ("dan yang tidak di", "rumah waktu pemerintah"),
    "ja": ("の は です これ", "家 時間 政府"),
    "ko": ("그리고 이 있는 위해", "집 시간 정부"),
    "lt": ("ir yra ne kuris", "namas laikas vyriausybė"),
    "lv": ("un ir nav kas", "māja laiks valdība"),
    "ro": ("și este nu care", "casă timp guvern"),
    "sk": ("a je sa na ktorý", "dom čas vláda"),
    "sl": ("in je se ki", "hiša čas vlada"),
    "sw": ("na ya wa kwa", "nyumba serikali"),
    "th": ("และ ที่ เป็น ไม่", "บ้าน เวลา รัฐบาล"),
    "tr": ("ve bir bu için", "ev zaman hükümet"),
    "uk": ("та не що який", "будинок час уряд"),
    "ur": ("اور کا ہے میں", "گھر وقت حکومت"),
    "vi": ("và của là không", "nhà nước"),
    "zh": ("的 是 和 在", "房子 时间 政府"),
}


@pytest.mark.parametrize("language", sorted(CASES))
def test_function_words_part_phrases_and_content_words_dont(language):
    borders, contents = CASES[language]
    known = border_words(language)
    assert set(borders.split()) <= known
    assert not set(contents.split()) & known


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_each_language_with_stop_words_has_borders(language):
    known = border_words(language)
    assert len(known) >= 100
    assert {word.lower() for word in known} == known
    if language in WITH_FUNCTION_WORDS:
        assert known >= function_words(language)


def test_unknown_languages():
    with pytest.raises(KeyError):
        border_words("tlh")
    with pytest.raises(UsageError, match="klingon"):
        resolve_border_words("klingon")
