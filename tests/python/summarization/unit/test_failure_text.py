import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarization.failure_text import LONGEST, failure_text

KEY = "my-own-key"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "No model.", "type": "invalid_request_error", "code": None}},
        {"error": "No model."},
        {"message": "No model."},
        {"object": "error", "message": "No model.", "code": 40401},
        {"detail": "No model."},
        {"detail": [{"loc": ["body", "model"], "msg": "No model.", "type": "value_error"}]},
        {"title": "Not found", "status": 404, "detail": "No model."},
        {"errors": [{"message": "No model."}]},
        [{"error": {"code": 404, "message": "No model.", "status": "NOT_FOUND"}}],
        {"error": {"error": {"message": "No model."}}},
        {"fault": {"faultstring": "No model.", "detail": {"errorcode": "x"}}},
        {"base_resp": {"status_code": 1004, "status_msg": "No model."}},
        "No model.",
        {"message": " No\n model.\u200b\x00 "},
    ],
)
def test_sentence_is_found_in_the_usual_forms(body):
    assert failure_text(body) == "No model."


@pytest.mark.parametrize("body", [None, 1, {}, [], "", {"error": None}, {"error": {"code": 1}}])
def test_body_without_a_sentence_has_none(body):
    assert failure_text(body) is None


@pytest.mark.parametrize(
    "secret",
    [KEY, "sk-proj-a1B2c3D4", "Bearer abc.def", "AIzaSyA-1234", "0123456789abcdef0123456789abcdef"],
)
def test_secrets_are_replaced(secret):
    text = failure_text({"error": f"Wrong key {secret}, see the max_tokens page."}, KEY)
    assert text is not None
    assert secret not in text
    assert text.startswith("Wrong key ***")
    assert text.endswith("see the max_tokens page.")


def test_long_sentence_is_cut():
    text = failure_text("word " * 100_000)
    assert text is not None
    assert len(text) <= LONGEST
    assert text.endswith("word…")


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["error", "message", "detail", "code", "x"]), inner)
    ),
)


@given(JSON)
def test_sentence_of_any_body_is_one_short_line(body):
    text = failure_text(body, KEY)
    assert text is None or (0 < len(text) <= LONGEST and len(text.splitlines()) == 1)
