"""The differences between the tasks that networks are fine-tuned for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from mesh.compile.torch_model import quiet
from mesh.core.errors import MeshError
from mesh.lifecycle.training.examples import AnnotatedTextEncoder, ClassifiedTextEncoder, Encoder
from mesh.lifecycle.training.scores import macro_f1, tag_f1


@dataclass(frozen=True)
class Kind:
    """A task's class of network, inputs of a row, and score that selects the best epoch."""

    model: type[Any]
    encoder: Callable[[Any, Sequence[str]], Encoder]
    score: Callable[[Any, Sequence[str]], float]


KINDS = {
    "text-classification": Kind(
        transformers.AutoModelForSequenceClassification, ClassifiedTextEncoder, macro_f1
    ),
    "token-classification": Kind(
        transformers.AutoModelForTokenClassification, AnnotatedTextEncoder, tag_f1
    ),
}


def load_network(kind: Kind, source: Path, outputs: Sequence[str]) -> Any:
    """A base model with a new last layer, unless it has one of the same size.

    Raises:
        MeshError: transformers can't load it.
    """
    with quiet():
        try:
            return kind.model.from_pretrained(
                source,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,
                num_labels=len(outputs),
                id2label=dict(enumerate(outputs)),
                label2id={name: number for number, name in enumerate(outputs)},
                dtype=torch.float32,
            )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise MeshError(f"transformers can't load the model {source}: {reason}") from error
