from hypothesis import given
from hypothesis import strategies as st

from summarization.chunks import estimate_tokens, split_chunks


def test_chunks_end_with_sentences():
    text = "One tram came. Two boats left. Three planes landed."
    assert split_chunks([text], "en", 11) == [
        "One tram came. Two boats left.",
        "Three planes landed.",
    ]


def test_short_text_is_one_chunk_and_blank_text_none():
    assert split_chunks(["One tram came."], "en", 100) == ["One tram came."]
    assert split_chunks([" \n"], "en", 100) == []


def test_blocks_are_kept_apart_and_sentences_joined_as_they_were():
    blocks = ["Trams", "One tram came. Two boats left.", "电车来了。船走了。"]
    assert split_chunks(blocks, "en", 100) == ["\n\n".join(blocks)]
    assert split_chunks(blocks[2:], "zh", 5) == ["电车来了。", "船走了。"]


@given(st.lists(st.text()), st.integers(2, 50))
def test_nothing_is_lost_and_no_chunk_is_too_long(blocks, tokens):
    chunks = split_chunks(blocks, "en", tokens)
    assert all(0 < estimate_tokens(chunk) <= tokens for chunk in chunks)
    assert "".join("".join(chunks).split()) == "".join("".join(blocks).split())
