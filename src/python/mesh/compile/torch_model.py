"""The uncompiled network in torch: the input of compilers, and the reference for the result."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import safetensors
import torch
import transformers

from mesh.compile.loaders.generic import TorchNetwork
from mesh.compile.source import check_weights, transformer_folder
from mesh.compile.spec import CompileSpec, Pooling
from mesh.compile.text_model import TextModel
from mesh.compile.tokenizer import TOKENIZER_FILE, TextTokenizer
from mesh.compile.torch_device import torch_device
from mesh.core.devices import CPU
from mesh.core.errors import MeshError

_CLASSES = {
    "sentence-embedding": transformers.AutoModel,
    "text-classification": transformers.AutoModelForSequenceClassification,
    "token-classification": transformers.AutoModelForTokenClassification,
}


class SentenceEmbedding(torch.nn.Module):  # type: ignore[misc]
    """Token ids and mask, int64 (rows, length), to embeddings, float32 (rows, dimension)."""

    def __init__(self, transformer: torch.nn.Module, pooling: Pooling, *, normalize: bool) -> None:
        super().__init__()
        self.transformer = transformer
        self.pooling = pooling
        self.normalize = normalize

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Embed; padding has no effect."""
        tokens = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        if self.pooling == "mean":
            pooled = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        elif self.pooling == "max":
            pooled = tokens.masked_fill(mask == 0, torch.finfo(tokens.dtype).min).max(1).values
        else:
            pooled = tokens[:, 0]
        return torch.nn.functional.normalize(pooled, dim=1) if self.normalize else pooled


class Classification(torch.nn.Module):  # type: ignore[misc]
    """Token ids and mask, int64 (rows, length), to logits, float32 (rows, [length,] labels)."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Classify; padding has no effect on texts."""
        logits: torch.Tensor = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask
        ).logits
        return logits


def build_module(source: Path, spec: CompileSpec) -> torch.nn.Module:
    """Read a network's configuration and weights, as float32, from a local folder.

    Raises:
        MeshError: weights are missing, pickled, or don't fit the configuration, or the architecture
            is unknown.
    """
    folder = transformer_folder(source)
    check_weights(folder)
    with quiet(), _clear_errors(source):
        # The plain form of attention has no branches on values, so it can be traced and exported.
        transformer, loading = _CLASSES[spec.task].from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation="eager",
            dtype=torch.float32,
            output_loading_info=True,
        )
    missing = [name for name in loading["missing_keys"] if "pooler" not in name]
    if missing:
        raise MeshError(
            f"The weights in {folder} lack {', '.join(sorted(missing)[:3])}: they are not of a {spec.task} model."
        )
    module: torch.nn.Module = Classification(transformer)
    if spec.pooling:
        module = SentenceEmbedding(transformer, spec.pooling, normalize=spec.normalize)
    return module.eval().requires_grad_(False)


def load_reference(source: Path, spec: CompileSpec, device: str = CPU) -> TextModel:
    """Load the uncompiled network behind the interface of compiled models.

    Args:
        device: `cpu`, `cuda`, or `auto` for a GPU where there is one.

    Raises:
        MeshError: as `build_module`, or the tokenizer is missing.
    """
    tokenizer = TextTokenizer(transformer_folder(source) / TOKENIZER_FILE, spec)
    place = torch_device(device)
    return TextModel(spec, tokenizer, TorchNetwork(build_module(source, spec).to(place), place))


def example_inputs(rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs for tracing a network: full rows, and a shorter last one if there are several."""
    ids = torch.arange(rows * length).reshape(rows, length) % 16 + 1
    mask = torch.ones_like(ids)
    if rows > 1:
        mask[-1, max(1, length // 2) :] = 0
    return ids, mask


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide progress bars, deprecations and remarks of the frameworks; real problems are raised."""
    log = transformers.utils.logging
    shown, verbosity = log.is_progress_bar_enabled(), log.get_verbosity()
    log.disable_progress_bar()
    log.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(verbosity)
        if shown:
            log.enable_progress_bar()


@contextlib.contextmanager
def _clear_errors(source: Path) -> Iterator[None]:
    try:
        yield
    except safetensors.SafetensorError as error:
        raise MeshError(f"The weights of the model {source} are damaged: {error}.") from error
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MeshError(f"transformers can't load the model {source}: {reason}") from error
