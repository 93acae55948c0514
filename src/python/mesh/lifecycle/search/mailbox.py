"""Messages between a search and a trial on another machine: files in the storage of the data.

Both reach it anyway, since the one has found the features there, and the other one trains on them.
"""

import dataclasses
import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mesh.core.errors import MeshError
from mesh.data.files import Location
from mesh.lifecycle.search.messages import Ended, Epoch, Message, Stopped

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

FOLDER = ".searches"
"""Of the mailboxes of all trials, in the root of the data."""

TASK, BEGUN = "task.json", "begun.json"

_PATIENCE = 60.0
"""So long a storage may not answer, in seconds; it has tried again itself."""
_PAUSE = 5.0

_KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in (Epoch, Ended, Stopped)}


@dataclass(frozen=True)
class Mailbox:
    """The messages of one trial and the replies to them, both numbered from 1."""

    location: Location

    def write(self, name: str, value: Any) -> None:
        """Write a JSON-serialisable value.

        Raises:
            MeshError: the storage can't be used.
        """
        self._patiently(lambda: self.location.write(name, json.dumps(value)))

    def read(self, name: str) -> Any:
        """A value; None if there is none.

        Raises:
            MeshError: it isn't JSON, or the storage can't be used.
        """
        content = self._patiently(lambda: self.location.read(name))
        try:
            return None if content is None else json.loads(content)
        except ValueError as error:
            raise MeshError(f"{self.location.url}/{name} is damaged.") from error

    def send(self, number: int, message: Message) -> None:
        """Leave a message of the trial."""
        self.write(
            f"message-{number}.json",
            {"kind": type(message).__name__, **dataclasses.asdict(message)},
        )

    def receive(self, number: int) -> Message | None:
        """A message of the trial, if it is there."""
        found = self.read(f"message-{number}.json")
        return None if found is None else _KINDS[found.pop("kind")](**found)

    def send_reply(self, number: int, answer: bool) -> None:
        """Leave the reply to a message."""
        self.write(f"reply-{number}.json", answer)

    def receive_reply(self, number: int) -> bool | None:
        """The reply to a message, if it is there."""
        found = self.read(f"reply-{number}.json")
        return None if found is None else bool(found)

    def _patiently(self, work: Callable[[], Result]) -> Result:
        """Do what talks to the storage; try again for a while where that may help."""
        begun = time.monotonic()
        while True:
            try:
                return work()
            except MeshError as error:
                passed = time.monotonic() - begun
                if passed > _PATIENCE or self.location.local_path:
                    raise
                logger.warning("tried again: %s", error)
            time.sleep(_PAUSE)

    def remove(self) -> None:
        """Remove all messages."""
        if folder := self.location.local_path:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for name in self.location.glob("*"):
            self.location.remove(name)
