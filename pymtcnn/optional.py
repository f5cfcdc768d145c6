"""Libraries that a part of this package needs, imported when that part is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import LibraryError


def library(name: str, install: str | None = None) -> Any:
    """A library by the name under which it is imported.

    Parameters
    ----------
    name : str
    install : str, optional
        What to install for it; by default a package of this name.

    Raises
    ------
    LibraryError
        It cannot be imported.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise LibraryError(
            f"{name} cannot be loaded ({error}); install {install or name}"
        ) from error
