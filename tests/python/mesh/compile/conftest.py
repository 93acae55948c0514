"""Tiny random models in the format of Hugging Face."""

import json
import string
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from mesh.compile.artifact import CompiledModel
from mesh.compile.spec import Task

LABELS = ("good", "bad", "neither")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
CHARACTERS = string.ascii_lowercase + string.digits + ".,"


def write_tokenizer(folder: Path) -> None:
    """A tokenizer with a token for each letter, and unwanted padding and truncation."""
    tokens = [*SPECIAL, *CHARACTERS, *(f"##{character}" for character in CHARACTERS)]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = tokenizers.Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=9)
    tokenizer.enable_truncation(5)
    tokenizer.save(str(folder / "tokenizer.json"))


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return folder / "tokenizer.json"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Task], Path]:
    """Makes the folder of a model with 24 positions for a task."""
    made: dict[Task, Path] = {}

    def make(task: Task) -> Path:
        if task not in made:
            made[task] = _make_model(tmp_path_factory.mktemp(task), task)
        return made[task]

    return make


def _make_model(folder: Path, task: Task) -> Path:
    import torch
    import transformers

    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(SPECIAL) + 2 * len(CHARACTERS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        initializer_range=0.3,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    classes = {
        "sentence-embedding": transformers.BertModel,
        "text-classification": transformers.BertForSequenceClassification,
        "token-classification": transformers.BertForTokenClassification,
    }
    classes[task](config).save_pretrained(folder)
    write_tokenizer(folder)
    if task == "sentence-embedding":
        kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
        modules = [
            {"path": path, "type": f"sentence_transformers.models.{kind}"}
            for path, kind in kinds.items()
        ]
        write_json(folder / "modules.json", modules)
        write_json(
            folder / "1_Pooling/config.json",
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False},
        )
    return folder


@pytest.fixture(scope="session")
def check_callers() -> Callable[[CompiledModel, Sequence[str]], None]:
    """Checks that an encoder gives callers in several threads what it gives each alone."""

    def check(model: CompiledModel, texts: Sequence[str]) -> None:
        groups = [[*texts], [*texts][::-1], ["one"], ["another text"] * 9]
        expected = [model.embed(group) for group in groups]
        differences: list[float] = []

        def work(number: int) -> None:
            for _ in range(20):
                found = model.embed(groups[number])
                differences.append(float(np.abs(found - expected[number]).max()))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(groups))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(differences) == 80
        assert max(differences) < 1e-6

    return check
