import base64

import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from lsh.model import bands, min_hash, signature
from lsh.schema import Configuration
from mesh.core.errors import UsageError

TEXT = "The city council approved a new tram line, connecting harbour, university and hospital."


def test_signature_is_one_text_for_each_band_of_64_bit_values():
    configuration = Configuration()
    count, rows = bands(configuration.threshold, configuration.num_perm)
    made = signature(TEXT, configuration)
    assert made is not None
    assert len(made) == count
    assert {len(base64.b64decode(band)) for band in made} == {rows * 8}


@given(
    st.frozensets(st.text(st.characters(exclude_categories=["Cs"])), max_size=300),
    st.integers(16, 256),
)
def test_values_are_those_of_datasketch(elements: frozenset[str], num_perm: int) -> None:
    theirs = MinHash(num_perm, seed=1, scheme="affine64")
    theirs.update_batch([element.encode() for element in elements])
    assert min_hash(elements, num_perm).tolist() == theirs.hashvalues.tolist()


def test_bands_use_no_more_values_than_there_are():
    for num_perm in (16, 100, 128, 256):
        for hundredth in range(5, 86, 16):
            count, rows = bands(hundredth / 100, num_perm)
            assert count >= 2
            assert count * rows <= num_perm


@pytest.mark.parametrize(
    ("threshold", "num_perm"),
    [(0.4, 128), (0.05, 40), (0.3, 64), (0.55, 100), (0.7, 31), (0.87, 128), (0.95, 90)],
)
def test_bands_are_those_of_datasketch(threshold: float, num_perm: int) -> None:
    theirs = MinHashLSH(threshold=threshold, num_perm=num_perm)
    assert bands(threshold, num_perm) == (theirs.b, theirs.r)


def test_bands_are_computed_once_for_a_setting(monkeypatch):
    bands(0.61, 128)

    def fail(*arguments):
        raise AssertionError(arguments)

    monkeypatch.setattr("lsh.model._errors", fail)
    assert signature(TEXT, Configuration(threshold=0.61))


def test_setting_without_bands_is_refused():
    with pytest.raises(UsageError, match=r"threshold=0\.95 leaves a single band of 16 values"):
        signature(TEXT, Configuration(threshold=0.95, num_perm=16))


@pytest.mark.parametrize(
    "text", ["", "   ", "🙂🙂🙂 !!!", "the of and to in is it", "council tram"]
)
def test_text_with_fewer_words_than_a_shingle_has_no_signature(text):
    assert signature(text, Configuration()) is None


def test_shortest_text_has_a_signature():
    configuration = Configuration(shingle_list=3)
    assert signature("council tram", configuration) is None
    assert signature("council tram harbour", configuration) is not None


def test_stop_words_case_and_punctuation_make_no_difference():
    plain = signature(
        "city council approved tram line connecting harbour university hospital", Configuration()
    )
    written = signature(
        "The CITY council has approved a tram-line: connecting the harbour (and) university "
        "hospital",
        Configuration(),
    )
    assert plain == written


def test_stop_words_are_those_of_the_language():
    text = "Der Rat der Stadt hat die Linie und den Hafen und das Krankenhaus genehmigt"
    german = Configuration(language="de", shingle_list=2)
    assert signature(text, german) == signature(
        "Rat Stadt Linie Hafen Krankenhaus genehmigt", german
    )
    assert signature(text, german) != signature(text, Configuration(shingle_list=2))


def test_long_text_is_signed_in_blocks_as_in_one(monkeypatch):
    text = " ".join(f"word{number}" for number in range(500))
    whole = signature(text, Configuration())
    monkeypatch.setattr("lsh.model._BLOCK", 7)
    assert signature(text, Configuration()) == whole
