"""The log: one JSON object a line.

In: records of Python's logging. Out: lines with time, level, logger, message, the request's number, and what `extra` adds (call, route, status, ms).
The one decision: of a request the route's pattern is written, never its path or query: links that set a password and words that were searched for
stay out of the log.
"""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
LOGGER = logging.getLogger("phrasecheck.service")
FIELDS = ("call", "method", "route", "status", "ms", "user")  # what `extra` may carry
QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/static"})  # asked every few seconds by machines


class JsonLines(logging.Formatter):
    """A record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Chinese stays readable."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": getattr(record, "request", REQUEST.get()),
        }
        told |= {name: getattr(record, name, None) for name in FIELDS}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in told.items() if value is not None}, ensure_ascii=False)


def log_settings(as_json: bool) -> dict[str, Any]:
    """For logging.config.dictConfig, and for uvicorn: everything to standard error, in one form."""
    plain = {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": JsonLines} if as_json else plain},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {"alembic": {"level": "WARNING"}},
    }


def request_log(scope: Scope, route: str, status: int, seconds: float) -> None:
    """One line for a request that ended."""
    visitor = scope.get("state", {}).get("visitor")
    known = {
        "request": REQUEST.get(),
        "call": scope.get("path_params", {}).get("call_id"),
        "method": scope.get("method", "WS"),
        "route": route,
        "status": status if scope["type"] == "http" else None,
        "ms": round(seconds * 1000, 1),
        "user": getattr(visitor, "id", None),
    }
    level = logging.DEBUG if route in QUIET and status < 400 else logging.INFO
    LOGGER.log(level, "%s %s", known["method"], route, extra=known)
