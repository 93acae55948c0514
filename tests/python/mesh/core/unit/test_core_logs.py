import json
import logging
import sys
from collections.abc import Iterator
from typing import Literal

import pytest

from mesh.core.logs import JsonFormatter, LogSettings, configure_logging


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    levels = {name: logging.getLogger(name).level for name in ("mesh", "toy")}
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("toy.train", LogSettings(level="INFO", format="json"))
    logging.getLogger("toy.train.train").info(
        "made %s\nin two lines: é", 2, extra={"reference": "TOY-TRAINED-1"}
    )
    logging.getLogger("toy").debug("not shown")
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert record["service"] == "toy-train"
    assert record["levelname"] == "INFO"
    assert record["name"] == "toy.train.train"
    assert record["message"] == "made 2\nin two lines: é"
    assert record["reference"] == "TOY-TRAINED-1"
    assert record["funcName"] == "test_json_lines"
    assert record["asctime"].endswith("Z")


def test_json_has_the_traceback() -> None:
    try:
        raise ZeroDivisionError("oops")
    except ZeroDivisionError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    assert "ZeroDivisionError: oops" in json.loads(JsonFormatter("toy").format(record))["exception"]


def test_values_without_json_form_are_shown_as_text() -> None:
    record = logging.makeLogRecord({"msg": "m", "odd": set})
    assert json.loads(JsonFormatter("toy").format(record))["odd"] == "<class 'set'>"


def test_text_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("toy", LogSettings(level="DEBUG", format="text"))
    logging.getLogger("mesh.core").debug("hello")
    assert capsys.readouterr().err.endswith(" DEBUG mesh.core: hello\n")


def test_level_is_that_of_our_code_others_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("toy.serve", LogSettings(level="DEBUG"))
    for name in ("toy.model", "mesh.serve", "botocore"):
        logging.getLogger(name).info("from %s", name)
        logging.getLogger(name).warning("warning of %s", name)
    lines = capsys.readouterr().err
    assert "from toy.model" in lines
    assert "from mesh.serve" in lines
    assert "from botocore" not in lines
    assert "warning of botocore" in lines


def test_level_error_holds_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("toy.serve", LogSettings(level="ERROR"))
    for name in ("toy.model", "botocore"):
        logging.getLogger(name).warning("warning")
    assert capsys.readouterr().err == ""


def test_configuring_twice_logs_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        configure_logging("toy", LogSettings())
    logging.getLogger("toy").info("once")
    assert capsys.readouterr().err.count("once") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_passwords_of_urls_are_in_no_log(
    capsys: pytest.CaptureFixture[str], form: Literal["text", "json"]
) -> None:
    configure_logging("toy", LogSettings(format=form))
    url = "http://me:s3cret@example.org/v1"
    try:
        raise ZeroDivisionError(f"{url} failed")
    except ZeroDivisionError:
        logging.getLogger("toy").exception("calling %s", url, extra={"endpoint": url})
    shown = capsys.readouterr().err
    assert "s3cret" not in shown
    assert shown.count("http://me:***@example.org/v1") == (3 if form == "json" else 2)
