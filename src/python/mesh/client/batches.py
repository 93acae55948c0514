"""Long lists of inputs as requests that a schema allows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from mesh.core.errors import UsageError, describe_invalid

Request = TypeVar("Request", bound=BaseModel)


class Batches(Generic[Request]):
    """Requests of as many inputs as the schema allows, in their order.

    Args:
        inputs: documents: texts, or what `inputs` of the schema holds.
        others: the other fields of each request.
    """

    def __init__(
        self, schema: type[Request], inputs: Sequence[Any], others: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._inputs = [{"document": each} if isinstance(each, str) else each for each in inputs]
        self._others = others
        most = schema.model_json_schema()["properties"]["inputs"].get("maxItems", len(inputs))
        # The next one is last.
        self._ranges = [
            (begin, min(begin + most, len(inputs))) for begin in range(0, len(inputs), most or 1)
        ]
        self._ranges.reverse()
        self._last = (0, 0)

    def __iter__(self) -> Iterator[Request]:
        """The requests; each is made when it is asked for.

        Raises:
            UsageError: the schema doesn't allow an input, or the other fields.
        """
        while self._ranges:
            self._last = begin, end = self._ranges.pop()
            try:
                yield self._schema.model_validate(
                    {**self._others, "inputs": self._inputs[begin:end]}
                )
            except ValidationError as error:
                if not self.halve():
                    raise UsageError(
                        f"Input {begin} of {len(self._inputs)} makes no request: "
                        f"{describe_invalid(error)}"
                    ) from None

    def halve(self) -> bool:
        """Make two requests of the last one, which was too large; False if it has one input."""
        begin, end = self._last
        middle = (begin + end) // 2
        if middle == begin:
            return False
        self._ranges += [(middle, end), (begin, middle)]
        return True
