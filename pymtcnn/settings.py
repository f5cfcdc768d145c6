"""The one table of settings, which the C core holds (mtcnn.h), and checks against it."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from ._library import core, shortest
from .errors import ArgumentError

OWNERS = ("detector", "tracker", "model", "program")
"""Whose struct a setting belongs to, in the order of mtcnn_setting_owner."""

KINDS = ("double", "float", "int", "flag", "choice", "text")
"""Types of a setting's values, in the order of mtcnn_setting_type."""

_STRUCTS = {"detector": "mtcnn_options *", "tracker": "mtcnn_tracker_options *"}
_TYPES = {"double": "double", "float": "float", "text": "char *"}  # all others are int


@dataclass(frozen=True)
class Setting:
    """A row of the table; mtcnn_setting in mtcnn.h says more.

    Attributes
    ----------
    name : str
        Name of Python's argument and the `.data` file's key.
    owner, kind : str
        One of `OWNERS`, one of `KINDS`.
    count : int
        Number of values.
    low, high : float
        Range of each number.
    flags : int
        MTCNN_ABOVE_LOW and others.
    choices : tuple of str
        Names of a choice's values.
    fallback : str, optional
        The default as text.
    option, argument, group : str, optional
        On command lines: the option's name without dashes, its value's name, its heading.
    needs, excludes : str, optional
        On command lines: names of settings that have to be given, too, or must not.
    rule : str
        Which values it takes: "a number of pixels, 1 to 1000000".
    sentence : str, optional
        What the option does: the help without rule and default.
    """

    name: str
    owner: str
    kind: str
    count: int
    low: float
    high: float
    flags: int
    choices: tuple[str, ...]
    fallback: str | None
    option: str | None
    argument: str | None
    group: str | None
    needs: str | None
    excludes: str | None
    rule: str
    sentence: str | None
    _row: Any = field(repr=False, compare=False)

    def has(self, flag: str) -> bool:
        """Whether a flag such as ``"IN_DATA"`` is set."""
        return bool(self.flags & getattr(core().lib, f"MTCNN_{flag}"))

    @property
    def default(self) -> Any:
        """The default as `check` returns it; None: the model's own, or no default."""
        if self.fallback is None:
            return None
        off = self.has("OR_ZERO") and self.fallback == "0"
        return 0 if off else self.parse(self.fallback)

    def check(self, value: Any, name: str | None = None) -> Any:
        """A value as plain Python: a number, a bool, a name, or a tuple of numbers.

        Parameters
        ----------
        value
            Text and booleans are not numbers.
        name : str, optional
            The setting's name in the message.

        Raises
        ------
        ArgumentError
        """
        try:
            if self.kind == "flag":
                return bool(value)
            if self.kind == "choice":
                return self.choices[self.choices.index(value)]
            if self.count == 1:
                return self._number(value)
            if isinstance(value, (str, bytes)) or len(values := list(value)) != self.count:
                raise ValueError
            return tuple(map(self._number, values))
        except (TypeError, ValueError, OverflowError):
            off = ", or 0" if self.has("OR_ZERO") else ""
            problem = f"{name or self.name} {value!r}: must be {self.rule}{off}"
            raise ArgumentError(problem) from None

    def _number(self, value: Any) -> float:
        """A number in the setting's range; else TypeError, ValueError or OverflowError."""
        if isinstance(value, (bool, np.bool_, str, bytes)):
            raise TypeError
        number = operator.index(value) if self.kind == "int" else float(value)
        if not (number == 0 and self.has("OR_ZERO")) and not self._in_range(number):
            raise ValueError
        return number

    def _in_range(self, number: float) -> bool:
        if self.kind == "float":
            with np.errstate(over="ignore"):
                stored = float(np.float32(number))
        else:
            stored = number
        if not math.isfinite(stored) or (stored == 0 and self.has("NOT_ZERO")):
            return False
        above = number > self.low if self.has("ABOVE_LOW") else number >= self.low
        below = number < self.high if self.has("BELOW_HIGH") else number <= self.high
        return above and below

    def parse(self, text: str | None, name: str | None = None) -> Any:
        """The value of text on a command line; None: the option of a flag.

        Raises
        ------
        ArgumentError
        """
        library = core()
        ffi, error = library.ffi, library.ffi.new("mtcnn_error *")
        struct = _STRUCTS.get(self.owner)
        values = ffi.new(struct or f"{_TYPES.get(self.kind, 'int')}[{self.count}]")
        c_text = ffi.NULL if text is None else ffi.new("char[]", os.fsencode(text))
        if library.lib.mtcnn_setting_parse(self._row, c_text, values, error):
            raise ArgumentError(f"{name or self.name} {text or repr('')}: must be {self.rule}")
        if struct:
            return self.read(values)
        return text if self.kind == "text" else self._plain(values)

    def read(self, struct: Any) -> Any:
        """The value in C's struct of the owner, as `check` returns it."""
        member = getattr(struct, self.name)
        return self._plain(member if self.count > 1 else [member])

    def _plain(self, values: Any) -> Any:
        if self.kind == "choice":
            return self.choices[values[0]]
        if self.kind == "flag":
            return bool(values[0])
        if self.kind == "float":
            values = [shortest(value) for value in values]
        return tuple(values) if self.count > 1 else values[0]

    def write(self, struct: Any, value: Any) -> None:
        """Put a checked value into C's struct of the owner."""
        setattr(struct, self.name, self.choices.index(value) if self.choices else value)

    def help(self, options: Any = None) -> str:
        """What the option does, which values it takes, its default.

        options: the model's own, C's ``mtcnn_options *``, if known.
        """
        library = core()
        text = library.ffi.new("char[]", 1024)
        options = library.ffi.NULL if options is None else options
        library.lib.mtcnn_setting_help(self._row, options, text, len(text))
        return str(library.ffi.string(text).decode())


@cache
def settings() -> Mapping[str, Setting]:
    """All settings by name, in the order of the help.

    Raises
    ------
    LibraryError
        The compiled core is not installed.
    """
    library = core()
    ffi, count = library.ffi, library.ffi.new("int *")
    rows = library.lib.mtcnn_settings(count)

    def text(pointer: Any) -> str | None:
        return None if pointer == ffi.NULL else ffi.string(pointer).decode()

    def rule(row: Any) -> str:
        buffer = ffi.new("char[]", 256)
        library.lib.mtcnn_setting_rule(row, buffer, len(buffer))
        return str(ffi.string(buffer).decode())

    table = {}
    for row in (rows + index for index in range(count[0])):
        setting = Setting(
            name=text(row.name) or "",
            owner=OWNERS[row.owner],
            kind=KINDS[row.type],
            count=row.count,
            low=row.low,
            high=row.high,
            flags=row.flags,
            choices=tuple((text(row.choices) or "").split()),
            fallback=text(row.fallback),
            option=text(row.option),
            argument=text(row.argument),
            group=text(row.group),
            needs=text(row.needs),
            excludes=text(row.excludes),
            rule=rule(row),
            sentence=text(row.help),
            _row=row,
        )
        table[setting.name] = setting
    return table


def nearest(word: str, names: Iterable[str]) -> str | None:
    """What somebody who mistyped a word probably meant, of some names; None: none is near."""
    library = core()
    found = library.ffi.new("char[]", 64)
    words = [os.fsencode(text) for text in (word, " ".join(names))]
    length = library.lib.mtcnn_nearest(*words, found, len(found))
    return str(library.ffi.string(found).decode()) if length else None


def cfg_keys(section: str) -> list[str] | None:
    """The keys that a section of a cfg may have, those of training included; None: no such one."""
    library = core()
    keys = library.lib.mtcnn_cfg_keys(os.fsencode(section))
    return None if keys == library.ffi.NULL else library.ffi.string(keys).decode().split()


def of(owner: str) -> list[Setting]:
    """The settings of one owner."""
    return [setting for setting in settings().values() if setting.owner == owner]


def check_options(owner: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check the options of a detector or a tracker.

    Parameters
    ----------
    owner : str
        One of `OWNERS`.
    given : mapping
        Names and values; None means the default, which is the model's own for a detector's.

    Returns
    -------
    dict
        Those that are not None, checked.

    Raises
    ------
    ArgumentError
        A value outside its range.
    TypeError
        A name that is not an option.
    """
    table = {setting.name: setting for setting in of(owner)}
    for name in given:
        if name not in table:
            raise TypeError(f"{name}: not an option of a {owner}; it has {', '.join(table)}")
    return {n: table[n].check(value) for n, value in given.items() if value is not None}


def write_options(owner: str, struct: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Put checked options into C's struct of the owner; returns all its values by name."""
    for name, value in given.items():
        settings()[name].write(struct, value)
    return {setting.name: setting.read(struct) for setting in of(owner)}
