import pytest

from mesh.nlp.function_words import LANGUAGES, function_words
from mesh.nlp.stop_words import LANGUAGES as STOP_WORD_LANGUAGES
from mesh.nlp.stop_words import stop_words

CASES = {
    "ca": ("el la i que no és amb", "casa govern diners temps"),
    "da": ("den det og ikke er med", "hus regering penge gang"),
    "de": ("der die und nicht ist mit würde", "startseite menschen beispiel zeit tag jahr"),
    "en": ("the and not is with would", "home computer fire information research novel world bill"),
    "es": ("el la y no es con", "estado trabajo verdad ejemplo tiempo"),
    "fr": ("le la et ne est avec", "été point personne exemple temps"),
    "it": ("il la e non è con", "stato comprare registrazione ora tempo"),
    "nl": ("de het en niet is met", "weer tijd jaar mens huis"),
    "no": ("den det og ikke er med", "hus regjering penger gang"),
    "pl": ("się i nie jest z", "kierunku pan pani lat"),
    "pt": ("o a e não é com", "corrente conselho tempo valor"),
    "ru": ("и в не на", "время год человек дело"),
    "sv": ("den det och inte är med", "dagarna tid hus pengar"),
}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_function_words_are_known_and_content_words_are_none_of_them(language):
    known = function_words(language)
    function, content = CASES[language]
    assert set(function.split()) <= known
    assert not set(content.split()) & known
    assert {word.lower() for word in known} == known


def test_other_languages_have_their_stop_words():
    assert STOP_WORD_LANGUAGES.keys() > LANGUAGES
    assert function_words("fi") == stop_words("fi")
    with pytest.raises(KeyError):
        function_words("tlh")
