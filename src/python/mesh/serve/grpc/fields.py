"""The fields of messages, counted before a message is made of them.

An empty field takes two bytes as it is sent, and up to a hundred of memory.
"""

from typing import TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from mesh.serve.inference_tensors import wrong
from mesh.serve.problems import ProblemError

Kind = TypeVar("Kind", bound=Message)

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_MAX_SHIFT = 63
_TEXTS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


def read_message(kind: type[Kind], body: bytes, most: int) -> Kind:
    """The message that a body is.

    Args:
        most: how many fields and numbers it may have.

    Raises:
        ProblemError: 400, it isn't one; 422, it has more of them.
    """
    try:
        _Counter(body, most).count(kind.DESCRIPTOR, 0, len(body), ("body",))
        message: Kind = kind.FromString(body)
    except DecodeError:
        raise ProblemError(400, f"The message is not a {kind.DESCRIPTOR.name}.") from None
    return message


class _Counter:
    """Counts the fields of a message, and the numbers of those that hold many."""

    def __init__(self, body: bytes, most: int) -> None:
        self._body = body
        self._left = most
        self._most = most
        self._position = 0

    def count(self, kind: Descriptor, begin: int, end: int, path: tuple[str, ...]) -> None:
        """Count those of a message that lies between two positions.

        Raises:
            DecodeError: it is malformed.
            ProblemError: 422, there are too many.
        """
        self._position = begin
        while self._position < end:
            tag = self._varint()
            field = kind.fields_by_number.get(tag >> 3)
            self._take(1, path, field)
            wire = tag & 7
            if wire == _DELIMITED:
                size = self._varint()
                begin = self._position
                if size > end - begin:
                    raise DecodeError
                self._look_into(field, begin, begin + size, path)
                self._position = begin + size
            elif wire == _VARINT:
                self._varint()
            elif wire in _FIXED_BYTES:
                self._position += _FIXED_BYTES[wire]
            else:
                # Groups are of an older kind of messages.
                raise DecodeError
        if self._position > end:
            raise DecodeError

    def _look_into(
        self, field: FieldDescriptor | None, begin: int, end: int, path: tuple[str, ...]
    ) -> None:
        if field is None or field.type in _TEXTS:
            return
        if field.message_type is not None:
            self.count(field.message_type, begin, end, (*path, field.name))
        else:
            # Numbers take a byte at least.
            self._take(end - begin, path, field)

    def _take(self, count: int, path: tuple[str, ...], field: FieldDescriptor | None) -> None:
        self._left -= count
        if self._left < 0:
            where = path if field is None else (*path, field.name)
            raise wrong(where, f"The message has more than {self._most:,} fields and numbers here")

    def _varint(self) -> int:
        value = shift = 0
        while shift <= _MAX_SHIFT:
            if self._position >= len(self._body):
                raise DecodeError
            byte = self._body[self._position]
            self._position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise DecodeError
