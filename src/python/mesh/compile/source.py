"""The description of a Hugging Face model in its files, read without any framework."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    RootModel,
    StrictFloat,
    StrictInt,
    ValidationError,
    model_validator,
)

from mesh.compile.spec import CompileSpec, Task
from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.core.files import read_model, safe_path

SHORTEST_BUCKET = 8
# Their position numbers start after the padding token's id.
OFFSET_POSITIONS = ("camembert", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl")


class TransformerFile(BaseModel):
    """The part of a network's `config.json` that is used."""

    model_type: str | None = None
    hidden_size: StrictInt | None = None
    dim: StrictInt | None = None
    max_position_embeddings: StrictInt | None = None
    pad_token_id: StrictInt | None = None
    id2label: dict[int, str] | None = None

    @model_validator(mode="after")
    def _positions_have_an_offset(self) -> Self:
        given = "pad_token_id" in self.model_fields_set
        if self.model_type in OFFSET_POSITIONS and given and self.pad_token_id is None:
            raise ValueError(f"pad_token_id must be a number in a model of type {self.model_type}")
        return self

    @property
    def positions(self) -> int | None:
        """The number of tokens with a position, if it is limited."""
        positions = self.max_position_embeddings
        if positions and self.model_type in OFFSET_POSITIONS:
            return positions - (1 if self.pad_token_id is None else self.pad_token_id) - 1
        return positions


class TokenizerFile(BaseModel):
    """The part of `tokenizer_config.json` that is used."""

    model_max_length: StrictInt | StrictFloat | None = None


class SentenceFile(BaseModel):
    """The part of `sentence_bert_config.json` that is used."""

    max_seq_length: StrictInt | None = None
    do_lower_case: bool | None = None


class PromptsFile(BaseModel):
    """The part of `config_sentence_transformers.json` that is used."""

    default_prompt_name: str | None = None


class PoolingFile(BaseModel):
    """The `config.json` of a pooling module; older ones have a key for each pooling mode."""

    model_config = ConfigDict(extra="allow")

    pooling_mode: str | None = None


class Module(BaseModel):
    """One step of a sentence-transformers model."""

    type: str
    path: str | None = None

    @model_validator(mode="after")
    def _pooling_has_a_folder(self) -> Self:
        if self.kind == "Pooling" and not self.path:
            raise ValueError("path is required for Pooling")
        return self

    @property
    def kind(self) -> str:
        """The name of its class."""
        return self.type.rpartition(".")[2]


class ModulesFile(RootModel[tuple[Module, ...]]):
    """The `modules.json` of sentence-transformers."""


File = TypeVar("File", bound=BaseModel)


def spec_for(source: Path, *, task: Task, backend: str, **choices: Any) -> CompileSpec:
    """Describe the compilation of a model.

    Args:
        source: folder with `config.json`, `tokenizer.json` and safetensors weights; the files of
            sentence-transformers give a sentence-embedding's length, pooling and normalization.
        choices: fields of `CompileSpec` that override the model's; `max_length` is at most the
            model's.

    Raises:
        UsageError: a choice is wrong.
        MeshError: the folder isn't a model of this task, or the model can't be compiled.
    """
    chosen = {name: value for name, value in choices.items() if value is not None}
    described = _describe(source, task)
    limit = described["max_length"]
    max_length = chosen.get("max_length", limit)
    if max_length is None:
        raise UsageError(
            f"The files of the model {source} don't limit the number of tokens; set max_length."
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
    """The folder of the network and its tokenizer: `source`, or one that `modules.json` names."""
    for module in _modules(source):
        if module.kind == "Transformer" and module.path:
            return safe_path(source, module.path)
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
    config = _read(TransformerFile, folder / "config.json")
    check_weights(folder)
    if not (folder / TOKENIZER_FILE).is_file():
        raise MeshError(
            f"{folder} has no {TOKENIZER_FILE}; make it with transformers' AutoTokenizer and save_pretrained."
        )
    described = {
        "max_length": _max_length(folder, config),
        "pad_token_id": config.pad_token_id or 0,
    }
    if task == "sentence-embedding":
        _refuse_prompts(source)
        return {
            **described,
            "dimension": config.hidden_size or config.dim,
            **_pooling(source),
        }
    names = config.id2label or {0: "LABEL_0", 1: "LABEL_1"}
    labels = tuple(names[number] for number in sorted(names))
    return {**described, "labels": labels, "dimension": len(labels)}


def _max_length(folder: Path, config: TransformerFile) -> int | None:
    limits = [
        _read_optional(SentenceFile, folder / "sentence_bert_config.json").max_seq_length,
        _read_optional(TokenizerFile, folder / "tokenizer_config.json").model_max_length,
        config.positions,
    ]
    # transformers writes 10^30 where a tokenizer has no limit.
    return min((int(limit) for limit in limits if limit and limit < 1_000_000), default=None)


def _pooling(source: Path) -> dict[str, Any]:
    """Pooling and normalization; the default is mean pooling, as in sentence-transformers."""
    modules = _modules(source)
    kinds = [module.kind for module in modules]
    if kinds and (kinds[0] != "Transformer" or not set(kinds[1:]) <= {"Pooling", "Normalize"}):
        raise MeshError(
            f"{source} consists of {', '.join(kinds)}; only Transformer, Pooling and Normalize can be compiled."
        )
    pooling = "mean"
    for module in modules:
        if module.kind == "Pooling" and module.path:
            config = _read(PoolingFile, safe_path(source, module.path) / "config.json")
            pooling = _pooling_mode(source, config.model_dump(exclude_none=True))
    return {"pooling": pooling, "normalize": "Normalize" in kinds}


def _pooling_mode(source: Path, config: Mapping[str, Any]) -> str:
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
    """sentence-transformers adds prompts and lower-cases outside of the tokenizer."""
    prompts = _read_optional(PromptsFile, source / "config_sentence_transformers.json")
    if prompt := prompts.default_prompt_name:
        raise MeshError(
            f"{source} puts its prompt {prompt!r} before every text, which can't be compiled."
        )
    folder = transformer_folder(source)
    if _read_optional(SentenceFile, folder / "sentence_bert_config.json").do_lower_case:
        raise MeshError(
            f"{source} asks sentence-transformers to lower-case texts, which can't be compiled."
        )


def _buckets(max_length: int) -> tuple[int, ...]:
    buckets = [SHORTEST_BUCKET]
    while buckets[-1] * 2 < max_length:
        buckets.append(buckets[-1] * 2)
    return (*(bucket for bucket in buckets if bucket < max_length), max_length)


def _modules(source: Path) -> tuple[Module, ...]:
    path = source / "modules.json"
    return _read(ModulesFile, path).root if path.is_file() else ()


def _read(kind: type[File], path: Path) -> File:
    return read_model(kind, path, "correct the file, or get the model again")


def _read_optional(kind: type[File], path: Path) -> File:
    """The file, or its defaults where there is none."""
    return _read(kind, path) if path.is_file() else kind()
