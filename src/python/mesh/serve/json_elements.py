"""The number of elements of a JSON text, counted as it arrives and before any of them is made."""

_OTHERS = bytes(set(range(256)) - set(b'",[{'))


class ElementCounter:
    """Counts the items of arrays and the members of objects; an empty one counts as one.

    Text that isn't JSON is counted in some way; parsers stop where it begins.

    Attributes:
        count: the elements so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._in_string = False
        self._escape = b""

    def add(self, piece: bytes) -> None:
        """Count those of the next piece, in linear time and without the interpreter's help."""
        if self._escape or b"\\" in piece:
            piece = self._without_escapes(piece)
        kept = piece.translate(None, _OTHERS)
        parts = kept.split(b'"')
        self.count += len(b"".join(parts[self._in_string :: 2]))
        self._in_string ^= len(parts) % 2 == 0

    def _without_escapes(self, piece: bytes) -> bytes:
        piece = self._escape + piece
        backslashes = len(piece) - len(piece.rstrip(b"\\"))
        # It escapes the first byte of the next piece.
        self._escape = b"\\" * (backslashes % 2)
        piece = piece[: len(piece) - len(self._escape)]
        return piece.replace(b"\\\\", b"").replace(b'\\"', b"")
