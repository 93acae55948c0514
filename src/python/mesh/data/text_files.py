"""Text files in whatever encoding: found out by their bytes, or given."""

import codecs
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TextIO

import fsspec
import regex

from mesh.core.errors import MeshError

_CHUNK = 1 << 20
_SAMPLE = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # That of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# gzip, xz, Zstandard and zip.
_COMPRESSED = (b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04")
_LATIN = ("iso8859-1", "iso-8859-1", "iso8859-15", "iso-8859-15")
_SURROGATE = re.compile("[\udc80-\udcff]")
_OTHER = re.compile(r"[^\x00-\x7f\udc80-\udcff]")
_OTHERS = r"\p{Cyrillic}\p{Greek}\p{Arabic}\p{Hebrew}"
_IMPLAUSIBLE = regex.compile(rf"\p{{Latin}}[{_OTHERS}]|[{_OTHERS}]\p{{Latin}}|[\x80-\x9f\ufffd]")
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
_RUN = regex.compile(rf"[{_CJK}]+")
_LONE = regex.compile(rf"(?<=\p{{Latin}})[{_CJK}](?![{_CJK}])|(?<![{_CJK}])[{_CJK}](?=\p{{Latin}})")
_LINE_BEYOND_ASCII = re.compile(rb"[^\n]*[\x80-\xff][^\n]*\n?")


@contextlib.contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """A text file, decompressed by its suffix; line ends stay as they are.

    Bytes that don't fit the encoding become surrogates, so that only their row is rejected.
    """
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    with fsspec.open(
        str(path), "rt", compression="infer", encoding=encoding, errors=errors, newline=""
    ) as file:
        yield file


def find_encoding(path: Path) -> str:
    """The encoding of a text file: of its byte order mark, UTF-8 where it fits, or the likeliest.

    Single bytes that aren't UTF-8 don't make a file of UTF-8 another one.

    Raises:
        MeshError: it is a compressed file by another name.
    """
    with fsspec.open(str(path), "rb", compression="infer") as file:
        start = file.read(_SAMPLE)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
        if start.startswith(_COMPRESSED):
            raise MeshError(f"{path.name} is compressed, but its name doesn't say so; rename it.")
        # Letters of UTF-16 without a mark have zeros beside them.
        if b"\x00" in start:
            return _likeliest(start)
        return _by_content(start, file)


def check_encoding(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: there is no such encoding of texts.
    """
    try:
        # Some codecs aren't encodings of texts.
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"{name!r} isn't an encoding; use a name such as utf-8, cp1252 or utf-16"
        ) from error
    return name


def _by_content(start: bytes, file: IO[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    wrong = right = 0
    sample = b""
    chunk = start
    while chunk:
        text = decoder.decode(chunk)
        if not text.isascii():
            wrong += len(_SURROGATE.findall(text))
            right += len(_OTHER.findall(text))
            if len(sample) < _SAMPLE:
                sample += b"".join(_LINE_BEYOND_ASCII.findall(chunk))[:_SAMPLE]
        chunk = file.read(_CHUNK)
    return "utf-8" if wrong <= right else _likeliest(sample)


def _likeliest(sample: bytes) -> str:
    import chardet

    names = [
        str(name).lower() for found in chardet.detect_all(sample) if (name := found["encoding"])
    ]
    plausible = (name for name in names if _is_plausible(sample.decode(name, "replace")))
    found = next(plausible, names[0] if names else "utf-8")
    # Files of Windows have nearly the same letters, but other signs, such as that of a half.
    return "cp1252" if found in _LATIN and b"\xa4" not in sample else found


def _is_plausible(text: str) -> bool:
    """Whether a text may be what was written; few bytes fit many encodings.

    No word has letters of two alphabets, no text has controls, and Chinese characters stand mostly
    beside others, not within Latin words.
    """
    lone = len(_LONE.findall(text))
    return not _IMPLAUSIBLE.search(text) and 2 * lone <= len(_RUN.findall(text))
