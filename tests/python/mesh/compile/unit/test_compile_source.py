import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh.compile.source import spec_for, transformer_folder
from mesh.core.errors import MeshError, UsageError

CONFIG = {"model_type": "bert", "hidden_size": 8, "max_position_embeddings": 100, "pad_token_id": 0}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "config.json", CONFIG)
    write(tmp_path / "tokenizer.json", {})
    (tmp_path / "model.safetensors").touch()
    return tmp_path


def embedding_spec(folder: Path, **choices: Any) -> Any:
    return spec_for(folder, task="sentence-embedding", backend="onnx", **choices)


def write_modules(folder: Path, *kinds: str, transformer: str = "") -> None:
    paths = [transformer, *(f"{number}_{kind}" for number, kind in enumerate(kinds, 1))]
    types = [f"sentence_transformers.models.{kind}" for kind in ("Transformer", *kinds)]
    write(
        folder / "modules.json", [{"path": p, "type": t} for p, t in zip(paths, types, strict=True)]
    )


def test_plain_transformer_is_pooled_by_the_mean(folder: Path) -> None:
    spec = embedding_spec(folder)
    assert (spec.pooling, spec.normalize, spec.dimension, spec.max_length) == (
        "mean",
        False,
        8,
        100,
    )
    assert spec.length_buckets == (8, 16, 32, 64, 100)


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_cls_token": False, "pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode": "mean", "embedding_dimension": 8}, "mean"),
    ],
)
def test_both_formats_of_the_pooling_file_are_read(
    folder: Path, config: dict[str, Any], pooling: str
) -> None:
    write_modules(folder, "Pooling", "Normalize")
    write(folder / "1_Pooling/config.json", config)
    spec = embedding_spec(folder)
    assert (spec.pooling, spec.normalize) == (pooling, True)


def test_smallest_limit_of_length_holds(folder: Path) -> None:
    write(folder / "tokenizer_config.json", {"model_max_length": 60})
    assert embedding_spec(folder).max_length == 60
    write(folder / "sentence_bert_config.json", {"max_seq_length": 30})
    assert embedding_spec(folder).max_length == 30
    assert embedding_spec(folder, max_length=20).length_buckets == (8, 16, 20)
    with pytest.raises(UsageError, match="max_length=31 is more than the 30 tokens"):
        embedding_spec(folder, max_length=31)


def test_limits_that_are_none_do_not_count(folder: Path) -> None:
    write(folder / "config.json", {**CONFIG, "max_position_embeddings": None})
    write(folder / "tokenizer_config.json", {"model_max_length": 10**30})
    with pytest.raises(UsageError, match="don't limit the number of tokens"):
        embedding_spec(folder)
    assert embedding_spec(folder, max_length=32).max_length == 32


@pytest.mark.parametrize("model_type", ["xlm-roberta", "mpnet"])
def test_positions_may_begin_behind_the_padding(folder: Path, model_type: str) -> None:
    changes = {"model_type": model_type, "max_position_embeddings": 514, "pad_token_id": 1}
    write(folder / "config.json", {**CONFIG, **changes})
    spec = embedding_spec(folder)
    assert (spec.max_length, spec.pad_token_id) == (512, 1)


def test_labels_are_in_the_order_of_their_numbers(folder: Path) -> None:
    names = {str(number): f"label-{number}" for number in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9)}
    write(folder / "config.json", {**CONFIG, "id2label": names})
    spec = spec_for(folder, task="token-classification", backend="generic")
    assert spec.labels == tuple(f"label-{number}" for number in range(11))
    assert spec.dimension == 11
    assert spec.pooling is None


def test_network_may_be_in_a_folder_of_its_own(tmp_path: Path) -> None:
    inner = tmp_path / "0_Transformer"
    write(inner / "config.json", CONFIG)
    write(inner / "tokenizer.json", {})
    (inner / "model.safetensors").touch()
    write_modules(tmp_path, transformer="0_Transformer")
    assert transformer_folder(tmp_path) == inner
    assert embedding_spec(tmp_path).dimension == 8


def test_module_paths_stay_inside_the_folder(folder: Path) -> None:
    write_modules(folder, transformer="../elsewhere")
    with pytest.raises(MeshError, match="not a path below"):
        embedding_spec(folder)


def _only_pickles(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _dense(folder: Path) -> None:
    write_modules(folder, "Pooling", "Dense")


def _two_poolings(folder: Path) -> None:
    write_modules(folder, "Pooling")
    write(
        folder / "1_Pooling/config.json",
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
    )


def _unknown_pooling(folder: Path) -> None:
    write_modules(folder, "Pooling")
    write(folder / "1_Pooling/config.json", {"pooling_mode": "lasttoken"})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_only_pickles, r"only pickled weights \(pytorch_model\.bin\).*safe_serialization=True"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no weights"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"has no tokenizer\.json; make it"),
        (lambda folder: (folder / "config.json").unlink(), r"config\.json does not exist"),
        (lambda folder: write(folder / "config.json", []), r"config\.json is malformed: "),
        (_dense, "only Transformer, Pooling and Normalize"),
        (_two_poolings, "only one of mean, cls and max"),
        (_unknown_pooling, "only one of mean, cls and max"),
        (
            lambda folder: write(
                folder / "config_sentence_transformers.json", {"default_prompt_name": "q"}
            ),
            "prompt 'q'",
        ),
        (
            lambda folder: write(folder / "sentence_bert_config.json", {"do_lower_case": True}),
            "lower-case",
        ),
    ],
)
def test_what_cannot_be_compiled_is_refused(
    folder: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder)
    with pytest.raises(MeshError, match=message):
        embedding_spec(folder)


POOLING = "sentence_transformers.models.Pooling"
ROBERTA = {**CONFIG, "model_type": "roberta"}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", {}, "modules.json is malformed: Input should be"),
        ("modules.json", [1], "modules.json is malformed: 0: Input should be"),
        ("modules.json", [{"path": ""}], "modules.json is malformed: 0.type: Field required"),
        ("modules.json", [{"type": 1}], "modules.json is malformed: 0.type: "),
        ("modules.json", [{"type": POOLING}], "modules.json is malformed: 0: .*path is required"),
        ("modules.json", [{"type": "Transformer", "path": 1}], "modules.json is malformed: 0.path"),
        ("1_Pooling/config.json", {"pooling_mode": ["cls"]}, "config.json is malformed: pooling_m"),
        ("1_Pooling/config.json", [], "1_Pooling/config.json is malformed: "),
        ("sentence_bert_config.json", {"max_seq_length": "x"}, "malformed: max_seq_length: "),
        ("sentence_bert_config.json", {"max_seq_length": "256"}, "malformed: max_seq_length: "),
        ("sentence_bert_config.json", {"do_lower_case": 7}, "malformed: do_lower_case: "),
        ("tokenizer_config.json", {"model_max_length": "512"}, "malformed: model_max_length"),
        ("config_sentence_transformers.json", {"default_prompt_name": []}, "default_prompt_name: "),
        ("config.json", {**CONFIG, "max_position_embeddings": "100"}, "max_position_embeddings: "),
        ("config.json", {**CONFIG, "hidden_size": "8"}, "config.json is malformed: hidden_size: "),
        ("config.json", {**CONFIG, "pad_token_id": "0"}, "config.json is malformed: pad_token_id:"),
        ("config.json", {**ROBERTA, "pad_token_id": None}, "malformed: .*pad_token_id must be"),
        ("config.json", {**CONFIG, "id2label": ["a", "b"]}, "config.json is malformed: id2label: "),
        ("config.json", {**CONFIG, "id2label": {"a": "A"}}, "malformed: id2label.a"),
        ("config.json", {**CONFIG, "id2label": {"0": 1}}, "malformed: id2label.0: "),
    ],
)
def test_malformed_files_are_named_with_their_field(
    folder: Path, file: str, content: Any, message: str
) -> None:
    write_modules(folder, "Pooling")
    write(folder / "1_Pooling/config.json", {"pooling_mode": "mean"})
    assert embedding_spec(folder).pooling == "mean"
    write(folder / file, content)
    with pytest.raises(MeshError, match=f"{message}.*; correct the file, or get the model again"):
        embedding_spec(folder)


def test_padding_of_models_that_do_not_pad_is_zero(folder: Path) -> None:
    write(folder / "config.json", {**CONFIG, "pad_token_id": None})
    assert embedding_spec(folder).pad_token_id == 0


def test_missing_folder_and_wrong_choices_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="nowhere does not exist"):
        embedding_spec(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="length_buckets must ascend"):
        embedding_spec(folder, length_buckets=(16, 8, 100))
    with pytest.raises(UsageError, match="backend"):
        spec_for(folder, task="sentence-embedding", backend="abacus")
