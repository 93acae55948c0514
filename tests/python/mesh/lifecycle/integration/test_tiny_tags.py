"""train, trace, validate and upload of a tiny project whose network tags words."""

from typing import Any

from mesh.compile.artifact import CompiledModel
from mesh.core.card import COMPILED
from mesh.lifecycle.download import DownloadSettings
from mesh.lifecycle.download import download
from mesh.lifecycle.trace import CompileSettings
from mesh.lifecycle.trace import trace
from mesh.lifecycle.upload import UploadSettings
from mesh.lifecycle.upload import upload
from mesh.lifecycle.validate import ValidateSettings
from mesh.lifecycle.validate import validate


def test_network_that_tags_words_is_trained_compiled_and_registered(tiny_tags: Any) -> None:
    tiny_tags.train(epochs=6)
    trained = tiny_tags.registry.get("TINY-TRAINED-1")
    assert trained.card.metrics["test"]["f1"] == 1
    assert list(trained.card.metrics["test"]["per_label"]) == ["OWNER"]
    assert trained.card.metrics["plots"] == ["evaluation/per_label.png"]
    settings = (tiny_tags.workspace, tiny_tags.registry_settings)
    download(tiny_tags.recipe, DownloadSettings(), *settings)
    trace(tiny_tags.recipe, CompileSettings(), *settings)
    validate(tiny_tags.recipe, ValidateSettings(), tiny_tags.workspace)
    upload(tiny_tags.recipe, UploadSettings(), *settings)
    [version] = tiny_tags.registry.list("TINY-COMPILED")
    assert version.card.trained_version == trained.reference

    model = CompiledModel.load(tiny_tags.output("compile") / COMPILED)
    assert model.spec.labels == ("O", "B-OWNER", "I-OWNER")
    assert (model.spec.overflow, model.spec.stride) == ("window", 16)
    # More than the 128 tokens of one pass: each word is tagged once, in the text's order.
    text = " ".join(["fine thing3 thing9 is thing3"] * 60)
    [found] = model.token_logits([text])
    assert [text[start:end] for start, end in found.offsets] == text.split()
