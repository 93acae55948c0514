"""Logs on standard error, as text or as one JSON object a line."""

import json
import logging
import sys
import time
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings
from mesh.core.tracing import ids
from mesh.core.urls import mask_urls

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# One encoder: `json.dumps` would make one for each record.
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogSettings(MeshSettings):
    """The level and the format of logs."""

    model_config = SettingsConfigDict(env_prefix="MESH_LOG_")

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level that is logged."
    )
    format: Literal["text", "json"] = Field(
        "text", description="Lines for people, or JSON objects."
    )


class _Formatter(logging.Formatter):
    """Formats each second's time once: it is the same for all records of that second."""

    _second = -1
    _time = ""

    def formatTime(  # noqa: N802 - logging calls it so
        self, record: logging.LogRecord, datefmt: str | None = None
    ) -> str:
        second = int(record.created)
        if second != self._second:
            self._second, self._time = second, super().formatTime(record, datefmt)
        return self._time


class TextFormatter(_Formatter):
    """A line for each record, with the passwords of URLs masked, and the trace that it is of."""

    def format(self, record: logging.LogRecord) -> str:
        line = mask_urls(super().format(record))
        if trace := ids():
            line += "".join(f" {name}={value}" for name, value in trace.items())
        return line


class JsonFormatter(_Formatter):
    """A JSON object for each record, with the service, the trace and the record's `extra` values.

    Passwords of URLs are masked.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self, service: str) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "service": self._service,
            "asctime": self.formatTime(record, self.datefmt),
            "levelname": record.levelname,
            "name": record.name,
            "filename": record.filename,
            "funcName": record.funcName,
            "lineno": record.lineno,
            "message": record.getMessage(),
            **ids(),
        }
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        shown = {
            key: mask_urls(value) if isinstance(value, str) else value
            for key, value in fields.items()
        }
        return _encode(shown)


def configure_logging(component: str, settings: LogSettings) -> None:
    """Send all logs of this process to standard error, and replace earlier handlers.

    Args:
        component: the program's package, such as `keywords.serve`. The chosen level applies to the
            project and the libraries; of other packages, only warnings and errors are shown.
    """
    # No line has them, and finding them takes a fifth of the time that a record takes.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    if settings.format == "json":
        handler.setFormatter(JsonFormatter(component.replace(".", "-")))
    else:
        handler.setFormatter(TextFormatter(TEXT_FORMAT, datefmt="%H:%M:%S"))
    logging.basicConfig(
        level=max(settings.level, "WARNING", key=logging.getLevelName),
        handlers=[handler],
        force=True,
    )
    for package in ("mesh", component.partition(".")[0]):
        logging.getLogger(package).setLevel(settings.level)
