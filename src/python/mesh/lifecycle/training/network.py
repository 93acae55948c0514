"""Fine-tunes a network with the Trainer of transformers.

It runs on a CPU or a GPU, or on several GPUs under torchrun.
"""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers.trainer_callback import TrainerControl, TrainerState

from mesh.compile.source import transformer_folder
from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.compile.torch_model import quiet
from mesh.core.errors import MeshError
from mesh.core.files import read_json, write_json_atomic
from mesh.lifecycle.recipe import Augment
from mesh.lifecycle.training.examples import (
    AnnotatedTextEncoder,
    ClassifiedTextEncoder,
    Encoder,
    Examples,
    collate,
    truncating_tokenizer,
)
from mesh.lifecycle.training.scores import macro_f1, tag_f1
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.lifecycle.training.temperature import divide_logits, fit_temperature

logger = logging.getLogger(__name__)

_STATE_FILE = "trainer_state.json"
_TOKENIZER_CONFIG = "tokenizer_config.json"
_TOKENIZER_FILES = ("vocab.txt", "special_tokens_map.json", TOKENIZER_FILE)

Rows = Sequence[Any]


@dataclass(frozen=True)
class _Kind:
    """The differences between tasks: class, inputs of a row, score that selects the best epoch."""

    model: type[Any]
    encoder: Callable[[Any, Sequence[str]], Encoder]
    score: Callable[[Any, Sequence[str]], float]


_KINDS = {
    "text-classification": _Kind(
        transformers.AutoModelForSequenceClassification, ClassifiedTextEncoder, macro_f1
    ),
    "token-classification": _Kind(
        transformers.AutoModelForTokenClassification, AnnotatedTextEncoder, tag_f1
    ),
}


@dataclass(frozen=True)
class TrainedNetwork:
    """The best epoch's network, a folder in Hugging Face's format.

    Args:
        epochs: each epoch's figures.
        temperature: by which the logits are divided; it is in the weights.
    """

    folder: Path
    epochs: list[dict[str, float]]
    temperature: float


def train_network(
    base: Path,
    task: str,
    outputs: Sequence[str],
    train: Rows,
    validation: Rows,
    calibration: Rows,
    settings: FineTuneSettings,
    work: Path,
    augment: Augment | None = None,
) -> TrainedNetwork | None:
    """Fine-tune a base model; resume from the last complete checkpoint in `work`, if any.

    Args:
        base: folder of the base model.
        outputs: names of the network's outputs.
        calibration: rows that the temperature is fitted on.
        work: folder for checkpoints and the result; it stays if training is interrupted.
        augment: varies training rows.

    Returns:
        The network with the best validation score; None in processes other than the first.

    Raises:
        MeshError: the base model can't be loaded.
    """
    kind = _KINDS[task]
    source = transformer_folder(base)
    tokenizer = truncating_tokenizer(source, settings.max_length)
    encode = kind.encoder(tokenizer, outputs)
    # Before the model is created: its new layer starts with random numbers.
    transformers.set_seed(settings.seed)
    model = _load(kind, source, outputs)
    if settings.freeze_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    examples = Examples(train, encode, augment, settings.seed)
    trainer = _HeadTrainer(
        settings=settings,
        model=model,
        args=_arguments(settings, work),
        data_collator=partial(collate, pad_token_id=model.config.pad_token_id or 0),
        train_dataset=examples,
        eval_dataset=Examples(validation, encode),
        compute_metrics=lambda found: {"score": kind.score(found, outputs)},
        preprocess_logits_for_metrics=lambda logits, _labels: logits.argmax(-1),
        callbacks=[
            transformers.EarlyStoppingCallback(settings.patience),
            _Epochs(examples),
        ],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    checkpoint = _last_checkpoint(work)
    if checkpoint:
        logger.info("training resumes from %s", checkpoint)
    with quiet():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    temperature = _calibrate(trainer, Examples(calibration, encode), len(outputs))
    if not trainer.is_world_process_zero():
        return None
    epochs = epoch_figures(trainer.state.log_history)
    folder = _save(trainer.model, source, settings.max_length, work)
    return TrainedNetwork(folder, epochs, round(temperature, 4))


class _HeadTrainer(transformers.Trainer):  # type: ignore[misc]
    """A trainer with a separate learning rate for parameters that the base model doesn't have."""

    optimizer: Any

    def __init__(self, *, settings: FineTuneSettings, **arguments: Any) -> None:
        self._head_rate = settings.head_learning_rate
        super().__init__(**arguments)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW with four groups of parameters: base or head, with or without weight decay."""
        if self.optimizer is None:
            network = model or self.model
            decaying = set(self.get_decay_parameter_names(network))
            prefix = f"{network.base_model_prefix}."
            groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
            for name, parameter in network.named_parameters():
                if parameter.requires_grad:
                    key = (name.startswith(prefix), name in decaying)
                    groups.setdefault(key, []).append(parameter)
            self.optimizer = torch.optim.AdamW(
                {
                    "params": parameters,
                    "lr": self.args.learning_rate if of_base else self._head_rate,
                    "weight_decay": self.args.weight_decay if decays else 0.0,
                }
                for (of_base, decays), parameters in groups.items()
            )
        found: torch.optim.Optimizer = self.optimizer
        return found


class _Epochs(transformers.TrainerCallback):  # type: ignore[misc]
    """Tells the examples the epoch, and logs its score."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def on_epoch_begin(
        self, _args: Any, state: TrainerState, _control: TrainerControl, **_rest: Any
    ) -> None:
        self._examples.epoch = round(state.epoch or 0)

    def on_evaluate(
        self,
        _args: Any,
        state: TrainerState,
        _control: TrainerControl,
        metrics: dict[str, float],
        **_rest: Any,
    ) -> None:
        if state.is_world_process_zero:
            logger.info("epoch %.0f: validation score %.3f", state.epoch, metrics["eval_score"])


def _arguments(settings: FineTuneSettings, work: Path) -> transformers.TrainingArguments:
    on_gpu = torch.cuda.is_available() and settings.device == "auto"
    return transformers.TrainingArguments(
        output_dir=str(work),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=64,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="score",
        greater_is_better=True,
        seed=settings.seed,
        use_cpu=settings.device == "cpu",
        ddp_backend="gloo" if _is_distributed() and not on_gpu else None,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
    )


def epoch_figures(history: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """The figures of each epoch's evaluation, with the training loss and rate logged before it."""
    epochs = []
    training: dict[str, float] = {}
    for entry in history:
        if "eval_score" in entry:
            epochs.append({**training, **entry})
        else:
            training = {name: entry[name] for name in ("loss", "learning_rate") if name in entry}
    return epochs


def _calibrate(trainer: transformers.Trainer, rows: Examples, outputs: int) -> float:
    """Divide the network's logits by the temperature that fits rows, and return it."""
    trainer.preprocess_logits_for_metrics = None
    trainer.compute_metrics = None
    with quiet():
        found = trainer.predict(rows)
    temperature = fit_temperature(found.predictions, found.label_ids)
    divide_logits(trainer.model, outputs, temperature)
    logger.info("temperature of the probabilities: %.2f", temperature)
    return temperature


def _is_distributed() -> bool:
    """Whether torchrun started this process as one of several."""
    return "LOCAL_RANK" in os.environ


def _load(kind: _Kind, source: Path, outputs: Sequence[str]) -> Any:
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


def _last_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint; incomplete ones of killed processes are removed."""
    complete: dict[int, Path] = {}
    for folder in work.glob("checkpoint-*"):
        try:
            complete[int(read_json(folder / _STATE_FILE)["global_step"])] = folder
        except MeshError:
            logger.warning("%s is incomplete and is removed", folder)
            shutil.rmtree(folder, ignore_errors=True)
    return complete[max(complete)] if complete else None


def _save(model: Any, source: Path, max_length: int, work: Path) -> Path:
    """Write weights, configuration and tokenizer, with the token limit of the training."""
    folder = work / "model"
    shutil.rmtree(folder, ignore_errors=True)
    with quiet():
        model.save_pretrained(folder)
    for name in _TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    configuration = source / _TOKENIZER_CONFIG
    described = read_json(configuration) if configuration.is_file() else {}
    write_json_atomic(folder / _TOKENIZER_CONFIG, {**described, "model_max_length": max_length})
    return folder


def count_long(tokenizer_folder: Path, texts: Sequence[str], max_length: int) -> int:
    """The number of texts with more than `max_length` tokens."""
    tokenizer = truncating_tokenizer(transformer_folder(tokenizer_folder), max_length)
    return int(np.sum([bool(found.overflowing) for found in tokenizer.encode_batch(list(texts))]))
