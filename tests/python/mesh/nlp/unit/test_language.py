from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imported_modules import imported_by
from mesh.core.errors import MeshError
from mesh.nlp.language import detect_language, read_languages, write_languages


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The council approved the plan on Tuesday after a long debate.", "en"),
        ("Der Rat hat den Plan am Dienstag nach langer Debatte gebilligt.", "de"),
        ("El ayuntamiento aprobó el plan el martes tras un largo debate.", "es"),
        ("Le conseil a approuvé le plan mardi après un long débat.", "fr"),
        ("市议会经过长时间辩论后于周二批准了该计划。", "zh"),
        ("市議会は長い議論の末、火曜日に計画を承認した。", "ja"),
    ],
)
def test_language_of_a_sentence(text: str, code: str) -> None:
    found = detect_language(text)
    assert found.code == code
    assert 0.6 <= found.probability <= 1


@pytest.mark.parametrize(
    "text",
    ["", " ", "123 - 456", "!!!", "😀😀", "ok", "Berlin", "https://example.com/a/long/path @you"],
)
def test_language_of_too_little_is_unknown(text: str) -> None:
    assert detect_language(text).code is None


def test_addresses_do_not_count() -> None:
    text = "Das Wetter ist heute sehr schön, wir gehen an den See."
    noise = " https://example.com/the/weather/is/very/nice/today @weather #weather"
    assert detect_language(text + noise) == detect_language(text)


def test_minimum_is_the_callers_choice() -> None:
    assert detect_language("great phone", minimum=0.0).code == "en"


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    found = detect_language(text)
    assert 0 <= found.probability <= 1.000001


def test_packages_with_models_are_imported_when_they_are_needed() -> None:
    modules = ("document", "language_check", "names", "near_duplicates", "sentences", "words")
    imports = ", ".join(f"mesh.nlp.{module}" for module in modules)
    assert imported_by(imports, {"numpy", "py3langid", "stopwordsiso"}) == set()


def test_languages_of_a_model_are_stored(tmp_path: Path) -> None:
    write_languages(tmp_path, ("fr", "en"))
    assert read_languages(tmp_path) == {"en", "fr"}


def test_damaged_languages_are_refused(tmp_path: Path) -> None:
    (tmp_path / "languages.json").write_text('{"en": 1}')
    with pytest.raises(MeshError, match="isn't a list of codes"):
        read_languages(tmp_path)
