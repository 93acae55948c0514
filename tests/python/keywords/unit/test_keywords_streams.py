from pathlib import Path

from keywords.schema import Request
from keywords.serve.model import KeywordsModel


def parts(**configuration: int) -> list[list[str]]:
    inputs = [{"document": "Trams."}, {"document": "Ferries."}]
    request = Request.model_validate({"inputs": inputs, "configuration": configuration})
    model = KeywordsModel(Path("KEYWORDS-COMPILED-1"))
    return [part.documents for part in model.parts(request)]


def test_documents_are_computed_one_by_one_unless_they_count_together() -> None:
    assert parts() == [["Trams."], ["Ferries."]]
    assert parts(min_df=2) == [["Trams.", "Ferries."]]
