"""What a request costs, by its length."""

import pytest
from pydantic import ValidationError

from echo_model import Echo
from mesh.core.errors import UsageError
from mesh.core.passes import watched
from mesh.serve.cost import ReadingCost
from mesh.serve.documents import MAX_COMPATIBLE_CHARACTERS, DocumentsRequest
from mesh.serve.model import CHARACTERS_OF_PASS, ServedModel


class Patience:
    longest_seconds = 2.0

    def checkpoint(self, *, idle: bool) -> None:
        """The computation goes on."""


def request(*documents: str) -> DocumentsRequest:
    return DocumentsRequest.model_validate({"inputs": [{"document": text} for text in documents]})


def test_documents_count_by_their_length_and_other_requests_are_short() -> None:
    text = "a" * (CHARACTERS_OF_PASS // 2)
    assert ServedModel.passes(Echo(), request(text, text, text)) == 1.5
    assert ServedModel.passes(Echo(), object()) == 0


def test_documents_are_refused_by_what_a_character_costs() -> None:
    cost = ReadingCost()
    with watched(Patience()):
        cost.require(["a" * 10**6])
        lengths: list[int] = []
        cost.calibrate(lambda text: lengths.append(len(text)))
        assert len(set(lengths)) == 1
        cost.seconds_per_character = 0.25
        cost.require(["aaaa", "aaaa"])
        with pytest.raises(UsageError, match="about 3 seconds for 12 characters, more than the 2 "):
            cost.require(["aaaa", "aaaaaaaa"])


def test_a_document_that_grows_in_compatible_form_is_refused() -> None:
    # "\ufdfa" stands for 18 characters.
    most = MAX_COMPATIBLE_CHARACTERS // 18
    assert request("", "\ufdfa" * most)
    with pytest.raises(ValidationError, match="document 1 has 800,010 characters in Unicode's"):
        request("", "\ufdfa" * (most + 1))
