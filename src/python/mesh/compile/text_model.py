"""Text in, arrays out: tokenizing, batching and joining around a network."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesh.compile.batching import (
    PASS_TOKENS,
    Batch,
    bucket_batches,
    dynamic_batches,
    pad,
    with_few_shapes,
)
from mesh.compile.spec import CompileSpec, Task
from mesh.compile.tokenizer import TextTokenizer, Window
from mesh.core.devices import ON_CPU, OPENVINO_CPU
from mesh.core.passes import checkpoint, require_time
from mesh.core.precisions import Precision
from mesh.core.tracing import span

Floats = NDArray[np.float32]

MOST_UNKNOWN = 0.5
"""A fraction of words; a classifier says nothing of a text of which it can't read more."""

PROCESSOR_PASS_TOKENS = 256
"""Tokens of one pass on a processor at most: larger passes take hardly less for each token, and
requests that come meanwhile wait for their end."""

_FIRST_TOKENS = 16
"""Of the pass that a processor computes before one is measured: it loads what is lazy."""
MEASURED_TOKENS = 128
"""Of the measured pass of a processor, at most, so that the model is loaded sooner: each takes about
5 % less than one of 256; with OpenVINO, which prepares each new shape, about 20 % more."""

_TOLERANCE = 4
"""Texts are not read on when they take so many times as long as they may."""
# OpenVINO computes in threads of its own.
_CLOCKS = {**dict.fromkeys(ON_CPU, time.thread_time), OPENVINO_CPU: time.process_time}


@dataclass(frozen=True)
class Use:
    """How a network is to run.

    Args:
        threads: cores that one call may use.
        callers: threads that call it at the same time.
    """

    device: str
    threads: int
    callers: int
    precision: Precision


class Network(Protocol):
    """A network ready to run; `run` is called from several threads at once."""

    @property
    def fixed_shapes(self) -> bool:
        """Whether it takes only the shapes of `batching.bucket_batches`."""

    @property
    def few_shapes(self) -> bool:
        """Whether each new shape takes long, so that `batching.with_few_shapes` makes them."""

    @property
    def runs_on(self) -> tuple[str, ...]:
        """The names of its devices, as its backend calls them, the preferred one first."""

    @property
    def precision(self) -> Precision:
        """What it computes in."""

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Floats:
        """Compute the output from two arrays (rows, length).

        Returns:
            (rows, dimension), or (rows, length, dimension) for token-classification.
        """


class Encoder(Protocol):
    """A sentence-embedding model; `embed` is called from several threads at once."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Embeddings of n texts, float32 (n, dim), each of length 1; excess tokens are ignored.

        Long documents and single words may come in one call, so an encoder that pads should batch
        by length.
        """


@dataclass(frozen=True)
class TokenLogits:
    """Token-classification of one text.

    Args:
        offsets: int64 (tokens, 2), first character of each token and the one after its last.
        logits: float32 (tokens, labels).
    """

    offsets: NDArray[np.int64]
    logits: Floats


class TextModel:
    """A network with its tokenizer; its methods may be called from several threads at once.

    Attributes:
        seconds_per_token: of the network on this machine, by `calibrate`; 0 before.
    """

    seconds_per_token = 0.0

    def __init__(self, spec: CompileSpec, tokenizer: TextTokenizer, network: Network) -> None:
        self.spec = spec
        self._tokenizer = tokenizer
        self._network = network

    @property
    def runs_on(self) -> tuple[str, ...]:
        """The names of the network's devices, as its backend calls them, the preferred one first."""
        return self._network.runs_on

    @property
    def precision(self) -> Precision:
        """What the network computes in."""
        return self._network.precision

    def calibrate(self) -> None:
        """Measure how long a token takes, so that long work can be refused before it starts.

        A processor takes about as long for a token of one text as for one of a full pass; other
        devices don't.
        """
        longest = self.spec.max_length
        if self._is_processor:
            passes = [[min(longest, tokens)] for tokens in (_FIRST_TOKENS, MEASURED_TOKENS)]
        else:
            passes = [[longest] * max(1, self.spec.max_batch_tokens // longest)] * 2
        # A device computes outside of this process; on a CPU, what others compute doesn't count.
        clock = _CLOCKS.get(self.runs_on[0], time.perf_counter)
        for lengths in passes:
            [batch, *_] = self._batches(lengths)
            texts = [[self.spec.pad_token_id] * length for length in lengths]
            inputs = pad(texts, batch, self.spec.pad_token_id)
            started = clock()
            self._network.run(*inputs)
            # The last one counts, since the first one also loads what is lazy.
            self.seconds_per_token = (clock() - started) / _tokens(batch)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Embed texts.

        The embedding of a text in several windows is the mean of the windows' embeddings, weighted
        by their tokens and normalized if the spec says so.

        Returns:
            float32 (texts, dimension).

        Raises:
            TypeError: the model's task is another one.
        """
        self._require("sentence-embedding")
        windows = self._windows(texts)
        joined = self._joined(windows, len(texts))
        if self.spec.normalize and len(windows) > len(texts):
            joined /= np.maximum(np.linalg.norm(joined, axis=1, keepdims=True), 1e-12)
        return joined

    def logits(self, texts: Sequence[str]) -> Floats:
        """Classify texts; the logits of several windows are averaged, weighted by their tokens.

        Returns:
            float32 (texts, labels), not yet probabilities.

        Raises:
            TypeError: the model's task is another one.
        """
        self._require("text-classification")
        windows = self._windows(texts)
        return self._joined(windows, len(texts))

    def token_logits(self, texts: Sequence[str]) -> list[TokenLogits]:
        """Classify the tokens of texts; of two windows, the one with more context counts.

        Raises:
            TypeError: the model's task is another one.
        """
        self._require("token-classification")
        windows = self._windows(texts)
        outputs = self._compute(windows)
        parts: list[tuple[list[NDArray[np.int64]], list[Floats]]] = [([], []) for _ in texts]
        for index, (window, output) in enumerate(zip(windows, outputs, strict=True)):
            kept = window.content[_owned(windows, index, self.spec.stride)]
            offsets, logits = parts[window.text]
            offsets.append(
                np.array([window.offsets[position] for position in kept], dtype=np.int64).reshape(
                    -1, 2
                )
            )
            logits.append(output[kept])
        return [
            TokenLogits(np.concatenate(offsets), np.concatenate(logits))
            for offsets, logits in parts
        ]

    def overflow_tokens(self, texts: Sequence[str]) -> list[int]:
        """For each text the number of tokens dropped at its end; all 0 if overflow is `window`."""
        return self._tokenizer.dropped_tokens(texts)

    def unknown_fractions(self, texts: Sequence[str]) -> list[float]:
        """For each text the fraction of its words that the network can't read, from 0 to 1."""
        return self._tokenizer.unknown_fractions(texts)

    def _require(self, task: Task) -> None:
        if self.spec.task != task:
            raise TypeError(f"this model's task is {self.spec.task}, not {task}")

    def _windows(self, texts: Sequence[str]) -> list[Window]:
        """The windows of texts.

        Raises:
            UsageError: they would take longer than they may.
        """
        windows: list[Window] = []
        tokens = 0
        for window in self._tokenizer.windows(texts):
            windows.append(window)
            tokens += len(window.ids)
            seconds = tokens * self.seconds_per_token
            require_time(seconds, f"{tokens:,} tokens or more", tolerance=_TOLERANCE)
        return windows

    def _joined(self, windows: Sequence[Window], texts: int) -> Floats:
        """Mean output of each text's windows, weighted by their tokens."""
        outputs = self._compute(windows)
        if len(windows) == texts:
            return (
                np.stack(outputs)
                if outputs
                else np.empty((0, self.spec.dimension), dtype=np.float32)
            )
        weights = np.array([max(1, len(window.content)) for window in windows], dtype=np.float32)
        owners = np.array([window.text for window in windows])
        sums = np.zeros((texts, self.spec.dimension), dtype=np.float32)
        np.add.at(sums, owners, np.stack(outputs) * weights[:, None])
        totals: Floats = np.bincount(owners, weights, minlength=texts).astype(np.float32)
        return sums / totals[:, None]

    def _compute(self, windows: Sequence[Window]) -> list[Floats]:
        """The network's output for each window, without the padding.

        Raises:
            UsageError: it would take longer than it may.
        """
        sequences = [window.ids for window in windows]
        outputs: list[Floats] = [np.empty(0, dtype=np.float32)] * len(windows)
        batches = self._batches([len(sequence) for sequence in sequences])
        tokens = sum(map(_tokens, batches))
        require_time(tokens * self.seconds_per_token, f"{tokens:,} tokens")
        about = {"mesh.network.passes": len(batches), "mesh.network.tokens": tokens}
        with span("network", about):
            for batch in batches:
                checkpoint()
                rows = self._network.run(*pad(sequences, batch, self.spec.pad_token_id))
                for row, index in zip(rows, batch.indices, strict=False):
                    outputs[index] = row if row.ndim == 1 else row[: len(sequences[index])]
        return outputs

    @property
    def _is_processor(self) -> bool:
        return self.runs_on[0] in _CLOCKS

    def _batches(self, lengths: Sequence[int]) -> list[Batch]:
        tokens = self.spec.max_batch_tokens
        if self._network.fixed_shapes:
            return bucket_batches(lengths, self.spec.length_buckets, tokens)
        if self._is_processor:
            tokens = min(tokens, PROCESSOR_PASS_TOKENS)
        batches = dynamic_batches(lengths, tokens)
        if not self._network.few_shapes:
            return batches
        return list(with_few_shapes(batches, self.spec.max_length, tokens))


def _tokens(batch: Batch) -> int:
    """What a pass costs, in tokens of a full one."""
    return batch.rows * batch.length + PASS_TOKENS


def _owned(windows: Sequence[Window], index: int, stride: int) -> slice:
    """The tokens taken from a window: of those shared with a neighbour, the half nearer to it."""
    window = windows[index]
    first = index == 0 or windows[index - 1].text != window.text
    last = index + 1 == len(windows) or windows[index + 1].text != window.text
    start = 0 if first else stride // 2
    stop = len(window.content) if last else len(window.content) - (stride - stride // 2)
    return slice(start, stop)
