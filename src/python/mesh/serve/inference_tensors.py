"""Tensors of texts in the Open Inference Protocol, as JSON and by its extension for binary data.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md

In binary form a text is its length in bytes, 4 bytes of it, little-endian, and its UTF-8.
"""

from collections.abc import Iterable, Sequence

from mesh.serve.inference_schemas import InferRequest, InputTensor
from mesh.serve.problems import FieldError, ProblemError, field_problem

BYTES_OF_LENGTH = 4
INPUT_PATH = ("body", "inputs", 0)
DATA_PATH = (*INPUT_PATH, "data")


def texts_of(request: InferRequest, binary: bytes, most: int) -> list[str]:
    """The texts of a request.

    Args:
        binary: what follows the JSON document.
        most: how many texts are taken.

    Raises:
        ProblemError: 422, the texts are missing, malformed or too many, or don't fit the shape.
    """
    [tensor] = request.inputs
    refuse_shared_memory(request)
    size = tensor.parameters.binary_data_size if tensor.parameters else None
    if size is None:
        if binary:
            raise _wrong("data", "Bytes follow the JSON document, and no binary_data_size is set")
        if tensor.data is None:
            raise _wrong("data", "Field required, or binary_data_size in parameters", "missing")
        texts: Sequence[str] = tensor.data
    else:
        if tensor.data is not None:
            raise _wrong("data", "Texts are either here or after the JSON document, not both")
        if size != len(binary):
            message = f"{len(binary)} bytes follow the JSON document, not {size}"
            raise _wrong("parameters.binary_data_size", message)
        texts = read_texts(binary, most)
    if len(texts) > most:
        raise too_many(len(texts), most)
    check_shape(tensor, len(texts))
    return list(texts)


def refuse_shared_memory(request: InferRequest) -> None:
    """Check that tensors are sent in bodies.

    Raises:
        ProblemError: 422.
    """
    input_parameters = request.inputs[0].parameters
    output = request.outputs[0].parameters if request.outputs else None
    for parameters, where in ((input_parameters, "inputs"), (output, "outputs")):
        if parameters is not None and parameters.shared_memory_region is not None:
            path = ("body", where, 0, "parameters", "shared_memory_region")
            raise wrong(path, "This server shares no memory: send texts in the body")


def read_texts(binary: bytes, most: int, where: Sequence[str | int] = DATA_PATH) -> list[str]:
    """The texts in binary form.

    Args:
        where: their location in the message.

    Raises:
        ProblemError: 422, they are malformed or more than `most`.
    """
    texts: list[str] = []
    position = 0
    while position < len(binary):
        if len(texts) == most:
            raise too_many(f"more than {most}", most, where)
        start = position + BYTES_OF_LENGTH
        position = start + int.from_bytes(binary[position:start], "little")
        if max(start, position) > len(binary):
            raise _wrong_text(where, len(texts), "The bytes end before this text does")
        texts.append(read_text(binary[start:position], len(texts), where))
    if not texts:
        raise wrong(where, "There are no texts")
    return texts


def read_text(encoded: bytes, number: int, where: Sequence[str | int] = DATA_PATH) -> str:
    """The text of this number.

    Args:
        where: the location of all in the message.

    Raises:
        ProblemError: 422, it isn't UTF-8.
    """
    try:
        return encoded.decode()
    except UnicodeDecodeError as error:
        message = f"Byte {error.start} of the text is not UTF-8"
        raise _wrong_text(where, number, message) from None


def write_texts(encoded: Iterable[bytes]) -> bytes:
    """Texts in UTF-8 as a binary tensor."""
    return b"".join(
        part for text in encoded for part in (len(text).to_bytes(BYTES_OF_LENGTH, "little"), text)
    )


def check_shape(tensor: InputTensor, count: int) -> None:
    """Check that a tensor has the shape of so many texts.

    Raises:
        ProblemError: 422.
    """
    if tensor.shape not in ([count], [count, 1]):
        raise _wrong(
            "shape", f"Must be [{count}] or [{count}, 1], since the data has {count} texts"
        )


def too_many(count: int | str, most: int, where: Sequence[str | int] = DATA_PATH) -> ProblemError:
    """Status 422: there are more texts than may wait."""
    return wrong(where, f"These are {count} texts, and no more than {most} may wait")


def wrong(where: Sequence[str | int], message: str, kind: str = "value_error") -> ProblemError:
    """Status 422: this field is wrong."""
    return field_problem([FieldError(loc=list(where), msg=message, type=kind)])


def _wrong_text(where: Sequence[str | int], number: int, message: str) -> ProblemError:
    return wrong((*where, number), message)


def _wrong(name: str, message: str, kind: str = "value_error") -> ProblemError:
    return wrong((*INPUT_PATH, *name.split(".")), message, kind)
