"""Fine-tunes a network with the Trainer of transformers.

It runs on a CPU or a GPU, or on several of either under torchrun.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from mesh.compile.source import transformer_folder
from mesh.compile.torch_model import quiet
from mesh.core.disk import check_room
from mesh.lifecycle.recipe import Augment
from mesh.lifecycle.training.checkpoints import (
    TrainedNetwork,
    checkpoint_history,
    epoch_figures,
    last_checkpoint,
    save_network,
    without_progress,
)
from mesh.lifecycle.training.epochs import Epochs
from mesh.lifecycle.training.examples import (
    Examples,
    collate,
    truncating_tokenizer,
)
from mesh.lifecycle.training.figures import Figures, Log
from mesh.lifecycle.training.kinds import KINDS, load_network
from mesh.lifecycle.training.precision import find_precision
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.lifecycle.training.shares import shared_batches, shared_loss
from mesh.lifecycle.training.team import ALONE, Team, is_gpu_used
from mesh.lifecycle.training.temperature import divide_logits, even_classes, fit_temperature

logger = logging.getLogger(__name__)

_KEPT_CHECKPOINTS = 2

Rows = Sequence[Any]


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
    team: Team = ALONE,
    log: Log | None = None,
) -> TrainedNetwork | None:
    """Fine-tune a base model; resume from the last complete checkpoint in `work`, if any.

    Args:
        base: folder of the base model.
        outputs: names of the network's outputs.
        calibration: rows that the temperature is fitted on.
        work: folder for checkpoints and the result; it stays if training is interrupted.
        augment: varies training rows.
        team: the processes that train together; they share `work`.
        log: takes the figures of each step and epoch.

    Returns:
        The network with the best validation score; None in processes other than the first.

    Raises:
        MeshError: the base model can't be loaded, or the disk can't hold the checkpoints and the
            result.
    """
    kind = KINDS[task]
    source = transformer_folder(base)
    tokenizer = truncating_tokenizer(source, settings.max_length)
    encode = kind.encoder(tokenizer, outputs)
    # Before the model is created: its new layer starts with random numbers.
    transformers.set_seed(settings.seed)
    model = load_network(kind, source, outputs)
    if settings.freeze_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    checkpoint = team.agree(lambda: _start(model, work, team))
    epochs_before = checkpoint_history(checkpoint) if checkpoint else []
    stopping = transformers.EarlyStoppingCallback(settings.patience)
    stopping.early_stopping_patience_counter = without_progress(epochs_before)
    examples = Examples(train, encode, augment, settings.seed)
    epochs = Epochs(examples)
    trainer = _HeadTrainer(
        settings=settings,
        team=team,
        model=model,
        args=_arguments(settings, work, team, epochs_before, each_step=log is not None),
        data_collator=partial(collate, pad_token_id=model.config.pad_token_id or 0),
        train_dataset=examples,
        eval_dataset=Examples(validation, encode),
        compute_metrics=lambda found: {"score": kind.score(found, outputs)},
        preprocess_logits_for_metrics=lambda logits, _labels: logits.argmax(-1),
        callbacks=[
            stopping,
            epochs,
            *([Figures(log, model, team.size)] if log else []),
        ],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    if not team.leads:
        # Other neurons than in the first process are dropped.
        torch.manual_seed(settings.seed + team.rank)
    with quiet():
        with contextlib.closing(epochs):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if task == "text-classification":
            counts = Counter(row.label for row in train)
            even_classes(trainer.model, [counts[label] for label in outputs])
        temperature = _calibrate(trainer, Examples(calibration, encode), len(outputs))
        if not team.leads:
            return None
        figures = epoch_figures(trainer.state.log_history)
        return save_network(trainer.model, source, settings.max_length, work, figures, temperature)


def _start(model: Any, work: Path, team: Team) -> Path | None:
    """Find the checkpoint to resume from, and see that the disk holds all that will be written."""
    checkpoint = last_checkpoint(work, team.size)
    sizes = [
        (parameter.numel() * parameter.element_size(), parameter.requires_grad)
        for parameter in model.parameters()
    ]
    weights = sum(size for size, _ in sizes)
    # AdamW keeps two numbers for each one that is trained. A new checkpoint is complete before an
    # old one is removed; the result is written, and copied.
    state = 2 * sum(size for size, trained in sizes if trained)
    written = sum(file.stat().st_size for file in work.glob("checkpoint-*/*") if file.is_file())
    needed = (_KEPT_CHECKPOINTS + 1) * (weights + state) + 2 * weights
    check_room([(work, max(0, needed - written))], "This training")
    if checkpoint:
        logger.info("training resumes from %s", checkpoint)
    return checkpoint


class _HeadTrainer(transformers.Trainer):  # type: ignore[misc]
    """A trainer with a separate learning rate for parameters that the base model doesn't have.

    Several processes train as one with the rows of all.
    """

    optimizer: Any

    def __init__(self, *, settings: FineTuneSettings, team: Team, **arguments: Any) -> None:
        self._head_rate = settings.head_learning_rate
        self._team = team
        super().__init__(compute_loss_func=shared_loss if team.size > 1 else None, **arguments)

    def get_train_dataloader(self) -> torch.utils.data.DataLoader[Any]:
        """Loads the training rows of this process."""
        if self._team.size == 1:
            own: torch.utils.data.DataLoader[Any] = super().get_train_dataloader()
            return own
        return shared_batches(
            self.train_dataset,
            self.args.per_device_train_batch_size,
            self._team,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )

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
                (
                    {
                        "params": parameters,
                        "lr": self.args.learning_rate if of_base else self._head_rate,
                        "weight_decay": self.args.weight_decay if decays else 0.0,
                    }
                    for (of_base, decays), parameters in groups.items()
                ),
                # One pass over the numbers of a step, instead of one for each operation.
                fused=True,
            )
        found: torch.optim.Optimizer = self.optimizer
        return found


def _arguments(
    settings: FineTuneSettings,
    work: Path,
    team: Team,
    epochs_before: Rows,
    *,
    each_step: bool,
) -> transformers.TrainingArguments:
    on_gpu = is_gpu_used(settings.device)
    precision = find_precision(settings.precision, settings.device)
    logger.info("matrix products are computed in %s", precision)
    # A training that was interrupted after its last epoch only has its best one to find.
    is_over = without_progress(epochs_before) >= settings.patience
    arguments = transformers.TrainingArguments(
        output_dir=str(work),
        num_train_epochs=len(epochs_before) if is_over else settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=64,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="epoch",
        # The processes of a team put their losses together to log one, so all do so.
        logging_strategy="steps" if each_step else "epoch",
        logging_steps=1,
        save_total_limit=_KEPT_CHECKPOINTS,
        load_best_model_at_end=True,
        metric_for_best_model="score",
        greater_is_better=True,
        seed=settings.seed,
        bf16=precision == "bfloat16",
        # Accelerate connects processes without GPUs, and computes in bfloat16, only if it is told
        # to use the CPU.
        use_cpu=settings.device == "cpu"
        or (not on_gpu and (team.size > 1 or precision == "bfloat16")),
        ddp_backend="gloo" if team.size > 1 and not on_gpu else None,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
    )
    # Several GPUs are used by several processes, whose number is part of the fingerprint.
    arguments._n_gpu = min(arguments._n_gpu, 1)
    return arguments


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


def count_long(tokenizer_folder: Path, texts: Sequence[str], max_length: int) -> int:
    """The number of texts with more than `max_length` tokens."""
    tokenizer = truncating_tokenizer(transformer_folder(tokenizer_folder), max_length)
    return int(np.sum([bool(found.overflowing) for found in tokenizer.encode_batch(list(texts))]))
