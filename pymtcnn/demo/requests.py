"""What a request that fails says: one line."""

from __future__ import annotations

import logging

from ..errors import MtcnnError

_MOST = 300
"""Characters of a sentence: an error of Gradio's may hold the whole request."""


def sentence(error: BaseException) -> str:
    """An exception as one line; those of this package are sentences already."""
    text = str(error) if isinstance(error, MtcnnError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:_MOST]


class OneLine(logging.Filter):
    """Log records without their tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1]:
            record.msg, record.args = "a request failed: %s", (sentence(record.exc_info[1]),)
            record.exc_info = record.exc_text = None
        return True
