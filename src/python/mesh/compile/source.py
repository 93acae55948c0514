"""What the folder of a Hugging Face model says about itself, read without any framework."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mesh.compile.spec import CompileSpec
from mesh.compile.spec import Task
from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.core.errors import MeshError
from mesh.core.errors import UsageError
from mesh.core.files import read_json
from mesh.core.files import safe_path
from mesh.core.models import describe_invalid

SHORTEST_BUCKET = 8
# Their position numbers start behind the padding token's id.
OFFSET_POSITIONS = ("camembert", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl")


def spec_for(source: Path, *, task: Task, backend: str, **choices: Any) -> CompileSpec:
    """Describe the compilation of a model.

    Args:
        source: folder with `config.json`, `tokenizer.json` and safetensors weights; the files of sentence-transformers
            give a sentence-embedding's length, pooling and normalization.
        choices: any field of `CompileSpec`, instead of what the model says; no `max_length` above the model's.

    Raises:
        UsageError: a choice is wrong.
        MeshError: the folder is no model of this task, or needs what can't be compiled.
    """
    chosen = {name: value for name, value in choices.items() if value is not None}
    described = _describe(source, task)
    limit = described["max_length"]
    max_length = chosen.get("max_length", limit)
    if max_length is None:
        raise UsageError(
            f"The model {source} does not say how many tokens it takes; give max_length."
        )
    if limit and max_length > limit:
        raise UsageError(
            f"max_length={max_length} is more than the {limit} tokens that the model {source} takes."
        )
    fields = {
        **described,
        "length_buckets": _buckets(max_length),
        "task": task,
        "backend": backend,
        **chosen,
    }
    try:
        return CompileSpec.model_validate(fields)
    except ValidationError as error:
        raise UsageError(
            f"The model {source} can't be compiled this way: {describe_invalid(error)}."
        ) from error


def transformer_folder(source: Path) -> Path:
    """The folder with the network and its tokenizer: `source`, or the one that sentence-transformers' modules name."""
    for module in _modules(source):
        if _kind(module) == "Transformer" and module.get("path"):
            return safe_path(source, module["path"])
    return source


def check_weights(folder: Path) -> None:
    """Check that a folder holds weights that can be read without running code.

    Raises:
        MeshError: there are none, or only pickled ones.
    """
    if any(folder.glob("*.safetensors")):
        return
    if pickled := sorted(
        path.name for path in (*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth"))
    ):
        raise MeshError(
            f"{folder} has only pickled weights ({pickled[0]}), which can run code when loaded; save the model with "
            "transformers' save_pretrained(..., safe_serialization=True) in a place you trust, and use that folder."
        )
    raise MeshError(f"{folder} has no weights: a *.safetensors file is needed.")


def _describe(source: Path, task: Task) -> dict[str, Any]:
    if not source.is_dir():
        raise MeshError(f"The model folder {source} does not exist.")
    folder = transformer_folder(source)
    config = _read(folder / "config.json", required=True)
    check_weights(folder)
    if not (folder / TOKENIZER_FILE).is_file():
        raise MeshError(
            f"{folder} has no {TOKENIZER_FILE}; make it with transformers' AutoTokenizer and save_pretrained."
        )
    described = {
        "max_length": _max_length(folder, config),
        "pad_token_id": config.get("pad_token_id") or 0,
    }
    if task == "sentence-embedding":
        _refuse_prompts(source)
        return {
            **described,
            "dimension": config.get("hidden_size") or config.get("dim"),
            **_pooling(source),
        }
    names = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    labels = tuple(names[key] for key in sorted(names, key=int))
    return {**described, "labels": labels, "dimension": len(labels)}


def _max_length(folder: Path, config: dict[str, Any]) -> int | None:
    limits = [
        _read(folder / "sentence_bert_config.json").get("max_seq_length"),
        _read(folder / "tokenizer_config.json").get("model_max_length"),
        _positions(config),
    ]
    # transformers writes 10^30 where a tokenizer has no limit.
    return min((int(limit) for limit in limits if limit and limit < 1_000_000), default=None)


def _positions(config: dict[str, Any]) -> int | None:
    positions = config.get("max_position_embeddings")
    if positions and config.get("model_type") in OFFSET_POSITIONS:
        return int(positions) - int(config.get("pad_token_id", 1)) - 1
    return positions


def _pooling(source: Path) -> dict[str, Any]:
    """Pooling and normalization; like sentence-transformers, mean pooling of a model that doesn't say."""
    kinds = [_kind(module) for module in _modules(source)]
    if kinds and (kinds[0] != "Transformer" or not set(kinds[1:]) <= {"Pooling", "Normalize"}):
        raise MeshError(
            f"{source} consists of {', '.join(kinds)}; only Transformer, Pooling and Normalize can be compiled."
        )
    pooling = "mean"
    for module in _modules(source):
        if _kind(module) == "Pooling":
            config = _read(safe_path(source, module["path"]) / "config.json", required=True)
            pooling = _pooling_mode(source, config)
    return {"pooling": pooling, "normalize": "Normalize" in kinds}


def _pooling_mode(source: Path, config: dict[str, Any]) -> str:
    named = {
        "pooling_mode_mean_tokens": "mean",
        "pooling_mode_cls_token": "cls",
        "pooling_mode_max_tokens": "max",
    }
    mode = config.get("pooling_mode")
    modes = (
        [mode]
        if mode
        else [key for key, value in config.items() if key.startswith("pooling_mode_") and value]
    )
    if len(modes) != 1 or named.get(modes[0], modes[0]) not in named.values():
        raise MeshError(
            f"{source} pools by {modes}; only one of mean, cls and max can be compiled."
        )
    return named.get(modes[0], modes[0])


def _refuse_prompts(source: Path) -> None:
    """A default prompt and lower-casing are done by sentence-transformers, outside the tokenizer."""
    if prompt := _read(source / "config_sentence_transformers.json").get("default_prompt_name"):
        raise MeshError(
            f"{source} puts its prompt {prompt!r} before every text, which can't be compiled."
        )
    if _read(transformer_folder(source) / "sentence_bert_config.json").get("do_lower_case"):
        raise MeshError(
            f"{source} asks sentence-transformers to lower-case texts, which can't be compiled."
        )


def _buckets(max_length: int) -> tuple[int, ...]:
    buckets = [SHORTEST_BUCKET]
    while buckets[-1] * 2 < max_length:
        buckets.append(buckets[-1] * 2)
    return (*(bucket for bucket in buckets if bucket < max_length), max_length)


def _modules(source: Path) -> list[dict[str, Any]]:
    path = source / "modules.json"
    modules: list[dict[str, Any]] = read_json(path) if path.is_file() else []
    return modules


def _kind(module: dict[str, Any]) -> str:
    return str(module["type"]).rpartition(".")[2]


def _read(path: Path, *, required: bool = False) -> dict[str, Any]:
    if not path.is_file() and not required:
        return {}
    value = read_json(path)
    if not isinstance(value, dict):
        raise MeshError(f"{path} does not hold a JSON object.")
    return value
