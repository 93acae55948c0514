import datetime
import email.utils
import json
import time
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from mesh.client.attempts import (
    FIRST_WAIT_SECONDS,
    LONGEST_WAIT_SECONDS,
    Reply,
    Send,
    Wait,
    attempts,
    parse_retry_after,
)
from mesh.client.errors import CallError

URL = "http://mesh.test/v1/model/words/predict"
FINE = Reply(200, {}, b"{}")


def send(seconds: float = 3600) -> Send:
    return Send("POST", URL, time.monotonic() + seconds)


def run(*outcomes: Any, seconds: float = 3600, most: int = 5) -> tuple[Any, list[float]]:
    """The result or error of a call whose attempts end like this, and the waits between them."""
    sent = send(seconds)
    steps = attempts(sent, most)
    waits = []
    left = list(outcomes)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Wait):
                waits.append(step.seconds)
                step = steps.send(None)
            else:
                assert step is sent
                step = steps.send(left.pop(0))
    except StopIteration as end:
        result = end.value
    except CallError as error:
        result = error
    assert not left
    return result, waits


def problem(status: int, **headers: str) -> Reply:
    content = {"status": status, "title": "No", "detail": "Not now.", "request_id": "r1"}
    return Reply(
        status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(content).encode()
    )


@pytest.mark.parametrize("status", [408, 429, 503, 504])
def test_refusals_for_now_are_sent_again(status: int) -> None:
    result, waits = run(problem(status), problem(status), FINE)
    assert result is FINE
    assert len(waits) == 2


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 415, 421, 422, 500, 502])
def test_other_refusals_are_final(status: int) -> None:
    result, waits = run(problem(status))
    assert (result.status, waits) == (status, [])
    assert str(result).startswith(f"{URL} responded with status {status} ")
    assert str(result).endswith(": Not now. (request r1)")


def test_a_proxy_without_its_server_is_asked_again() -> None:
    result, _ = run(Reply(502, {}, b"<html>Bad Gateway</html>"), FINE)
    assert result is FINE


@pytest.mark.parametrize(
    ("error", "is_transient"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ReadError("reset"), True),
        (httpx.RemoteProtocolError("disconnected"), True),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), False),
        (httpx.UnsupportedProtocol("missing http://"), False),
        (httpx.InvalidURL("no port"), False),
        # These took all of the time that there is.
        (httpx.ReadTimeout(""), False),
        (TimeoutError(), False),
    ],
)
def test_connections_that_fail_are_made_again(error: Exception, is_transient: bool) -> None:
    result, waits = run(error, FINE) if is_transient else run(error)
    assert (result is FINE) == is_transient
    assert len(waits) == is_transient


@pytest.mark.parametrize("header", ["7", " 7 "])
def test_no_attempt_is_earlier_than_the_server_wants(header: str) -> None:
    for _ in range(20):
        _, [wait] = run(problem(503, retry_after=header), FINE)
        assert 7 <= wait <= 7 + FIRST_WAIT_SECONDS


def test_waits_grow_up_to_a_limit() -> None:
    _, waits = run(*[problem(503)] * 9, most=9)
    least = [0.25, 0.5, 1, 2, 4, 8, 8, 8]
    assert len(waits) == len(least)
    for wait, expected in zip(waits, least, strict=True):
        assert expected <= wait <= LONGEST_WAIT_SECONDS + FIRST_WAIT_SECONDS


def test_the_last_attempt_is_final() -> None:
    result, waits = run(problem(503), problem(503), problem(429), most=3)
    assert result.status == 429
    assert len(waits) == 2


def test_a_wait_that_would_end_too_late_is_not_begun() -> None:
    result, waits = run(problem(503, retry_after="10"), seconds=9)
    assert (result.status, waits) == (503, [])


def http_date(seconds: float) -> str:
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return email.utils.format_datetime(when, usegmt=True)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("0", 0, 0),
        ("120", 120, 120),
        (http_date(3600), 3000, 3600),
        (http_date(3600).replace("GMT", "-0000"), 3000, 3600),
        (http_date(-3600), 0, 0),
    ],
)
def test_times_to_wait_are_seconds_or_dates(header: str, least: float, most: float) -> None:
    seconds = parse_retry_after(header)
    assert seconds is not None
    assert least <= seconds <= most


@pytest.mark.parametrize("header", [None, "", "-1", "1.5", "soon", "9" * 5000, "²", "Fri, 99 Foo"])
def test_malformed_times_to_wait_count_as_none(header: str | None) -> None:
    assert parse_retry_after(header) is None


def test_errors_name_the_wrong_fields_and_no_password() -> None:
    content = {
        "detail": "The request has 1 error, see `errors`.",
        "errors": [{"loc": ["body", "inputs", 0, "document"], "msg": "Field required"}],
    }
    steps = attempts(Send("POST", "https://user:secret@mesh.test/x", time.monotonic() + 9), most=1)
    next(steps)
    with pytest.raises(CallError) as raised:
        steps.send(Reply(422, {}, json.dumps(content).encode()))
    assert str(raised.value) == (
        f"https://user:***@mesh.test/x responded with status 422 ({HTTPStatus(422).phrase}): "
        "inputs[0].document: Field required"
    )
