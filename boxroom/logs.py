"""What is written down while the server runs: one line per decision, without anybody's words and without keys."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
SECRET = "PRIVATE KEY"  # noqa: S105 - how every private key in PEM begins


def configure(level: str) -> None:
    """Log to stderr, in ``name=value`` form, from `level` upwards. What other libraries warn of is there, too."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_keys,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def without_keys(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The last guard: whatever an error carries with it, a private key is not written down (P-079, P-336)."""
    return {name: "(withheld: a private key)" if SECRET in str(value) else value for name, value in event.items()}
