"""What documents cost a model without a network, by their length."""

import time
from collections.abc import Callable, Sequence

from mesh.core.passes import require_time
from mesh.serve.documents import EXAMPLE_TEXT

_CHARACTERS = 5_000
_TRIALS = 3
"""The fastest one counts."""


class ReadingCost:
    """The time that a character of a document takes on this machine; nothing before `calibrate`."""

    def __init__(self) -> None:
        self.seconds_per_character = 0.0

    def calibrate(self, compute: Callable[[str], object]) -> None:
        """Measure the time.

        Args:
            compute: what is done with a document.
        """
        text = f"{EXAMPLE_TEXT} " * (_CHARACTERS // len(EXAMPLE_TEXT))
        seconds = []
        for _ in range(_TRIALS):
            # What others compute meanwhile doesn't count.
            started = time.thread_time()
            compute(text)
            seconds.append(time.thread_time() - started)
        self.seconds_per_character = min(seconds) / len(text)

    def require(self, documents: Sequence[str]) -> None:
        """Check that the documents of a request may take their time.

        Raises:
            UsageError: they would take too long.
        """
        characters = sum(map(len, documents))
        require_time(characters * self.seconds_per_character, f"{characters:,} characters")
