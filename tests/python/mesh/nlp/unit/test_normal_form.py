import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.normal_form import normal_form


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@given(text=st.text(st.sampled_from("aé\u0301\u0316ﬁ각\u1161\u11a8ⅷ "), max_size=25))
def test_short_rows_of_marks_are_those_of_python(form: str, text: str) -> None:
    assert normal_form(form, text) == unicodedata.normalize(form, text)  # type: ignore[arg-type]


def test_long_rows_of_marks_keep_every_mark() -> None:
    text = "e" + "\u0301\u0316" * 20_000
    assert normal_form("NFD", normal_form("NFC", text)).count("\u0316") == 20_000
