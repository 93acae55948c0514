"""Messages of gRPC: their fields are counted first, few arrive at a time, and problems fit in."""

import asyncio
import re
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from hypothesis import given
from hypothesis import strategies as some

import mesh.serve.grpc
from mesh.serve.grpc import arrivals
from mesh.serve.grpc import messages_pb2 as messages
from mesh.serve.grpc.arrivals import Arrivals
from mesh.serve.grpc.fields import read_message
from mesh.serve.grpc.statuses import code_of, metadata_of, sentence_of
from mesh.serve.problems import FieldError, FullError, ProblemError, field_problem

Request = messages.ModelInferRequest

PROTO = Path(mesh.serve.grpc.__file__).with_name("messages.proto")
_FIELD = re.compile(r"\s*(?:repeated )?(?:map<string, )?([\w.]+)>? (\w+) = (\d+);")


def declared() -> set[tuple[str, str, int]]:
    """The message, name and number of each field in messages.proto."""
    found, within = set(), []
    for line in PROTO.read_text().splitlines():
        if match := re.match(r"\s*(message|oneof|enum) (\w+) \{(\})?", line):
            if not match[3]:
                within.append(match[2] if match[1] == "message" else "")
        elif line.strip() == "}":
            within.pop()
        elif (match := _FIELD.match(line)) and within:
            found.add((".".join(filter(None, within)), match[2], int(match[3])))
    return found


def described(descriptor: Descriptor, name: str) -> set[tuple[str, str, int]]:
    nested = [each for each in descriptor.nested_types if not each.GetOptions().map_entry]
    return {(name, field.name, field.number) for field in descriptor.fields}.union(
        *(described(each, f"{name}.{each.name}") for each in nested)
    )


def test_the_module_is_made_of_the_file() -> None:
    kinds = messages.DESCRIPTOR.message_types_by_name
    made = set().union(*(described(kind, name) for name, kind in kinds.items()))
    assert made == declared()
    assert ("ModelInferRequest.InferInputTensor", "contents", 5) in made


def request(texts: int, numbers: int) -> Message:
    tensor = {
        "name": "text",
        "shape": [1] * numbers,
        "contents": {"bytes_contents": [b"a"] * texts},
    }
    return Request(inputs=[tensor])


@given(texts=some.integers(0, 40), numbers=some.integers(0, 40))
def test_fields_and_numbers_are_counted(texts: int, numbers: int) -> None:
    made = request(texts, numbers)
    body = made.SerializeToString()
    # The tensor, its name, its contents and its shape, if it has one.
    count = 3 + texts + numbers + (1 if numbers else 0)
    assert read_message(Request, body, count) == made
    with pytest.raises(ProblemError) as refused:
        read_message(Request, body, count - 1)
    assert refused.value.status == 422


def read_or_refused(body: bytes) -> Message | int:
    """The message, or the status of what is refused."""
    try:
        return read_message(Request, body, 1_000)
    except ProblemError as problem:
        return problem.status


def parsed(body: bytes) -> Message | int:
    """The message without counting, or the status of what is none."""
    try:
        made: Message = Request.FromString(body)
    except DecodeError:
        return 400
    return made


@given(body=some.binary(max_size=40))
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    # Groups, of an older kind of messages, are refused.
    assert read_or_refused(body) in (400, parsed(body))


@given(texts=some.integers(0, 5), cut=some.integers(1, 30))
def test_a_message_that_is_cut_off_is_refused_or_another_one(texts: int, cut: int) -> None:
    body = request(texts, 2).SerializeToString()[:-cut]
    assert read_or_refused(body) == parsed(body)


def test_many_fields_are_refused_by_the_first_of_them() -> None:
    # Ten million fields: counting all of them would take many seconds.
    with pytest.raises(ProblemError, match="1 error") as refused:
        read_message(Request, b"\x2a\0" * 10_000_000, 100)
    assert refused.value.sentence.startswith("inputs: The message has more than 100 fields")


def test_messages_that_arrive_slowly_give_way_to_those_that_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrivals, "PATIENT_SECONDS", 0)

    async def scenario() -> None:
        places = Arrivals(2)
        never = asyncio.Event()

        async def arrive_slowly() -> bytes:
            try:
                await never.wait()
            finally:
                # Others come while it ends.
                await asyncio.sleep(0.01)
            return b""

        slow = [asyncio.create_task(places.read(arrive_slowly)) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in slow)

        async def message() -> bytes:
            return b"one"

        others = []
        for _ in range(20):
            others.append(asyncio.create_task(places.read(message)))
            await asyncio.sleep(0)
        assert await asyncio.gather(*others) == [b"one"] * 20
        for each in slow:
            with pytest.raises(FullError):
                await each

    asyncio.run(scenario())


def test_messages_that_arrive_while_nobody_waits_take_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrivals, "PATIENT_SECONDS", 0)

    async def scenario() -> None:
        places = Arrivals(1)
        gate = asyncio.Event()
        slow = asyncio.create_task(places.read(gate.wait))
        for _ in range(10):
            await asyncio.sleep(0)
        gate.set()
        assert await slow
        cancelled = asyncio.create_task(places.read(asyncio.Event().wait))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait({cancelled})
        # Its place is free again.
        assert await places.read(gate.wait)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (ProblemError(400, "a"), grpc.StatusCode.INVALID_ARGUMENT),
        (ProblemError(401, "a"), grpc.StatusCode.UNAUTHENTICATED),
        (ProblemError(403, "a"), grpc.StatusCode.PERMISSION_DENIED),
        (ProblemError(404, "a"), grpc.StatusCode.NOT_FOUND),
        (ProblemError(408, "a"), grpc.StatusCode.DEADLINE_EXCEEDED),
        (ProblemError(413, "a"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (ProblemError(429, "a"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (ProblemError(500, "a"), grpc.StatusCode.INTERNAL),
        (ProblemError(502, "a"), grpc.StatusCode.UNAVAILABLE),
        (ProblemError(503, "a"), grpc.StatusCode.UNAVAILABLE),
        (FullError("a"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (ProblemError(504, "a"), grpc.StatusCode.DEADLINE_EXCEEDED),
        (
            field_problem([FieldError(loc=["a"], msg="b", type="c")]),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
def test_each_problem_has_its_status(problem: ProblemError, code: Any) -> None:
    assert code_of(problem) is code


def test_what_is_told_fits_into_the_metadata_that_clients_take() -> None:
    fields = [FieldError(loc=["body", "x" * 300, n], msg="m" * 300, type="t") for n in range(20)]
    problem = field_problem(fields)
    [(name, details)] = metadata_of(problem)
    assert name == "grpc-status-details-bin"
    assert len(details) * 4 / 3 + len(sentence_of(problem)) < 8_000
