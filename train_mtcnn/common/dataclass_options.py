"""Command-line options made of a dataclass: a field says its option's help and range, too."""

from __future__ import annotations

import argparse
from dataclasses import field, fields
from math import inf
from typing import Any, NamedTuple, TypeVar

from pymtcnn.errors import ArgumentError

T = TypeVar("T")


class Range(NamedTuple):
    """An interval of finite numbers; `value in range` is False for what is no number.

    Attributes
    ----------
    low, high
        Its ends.
    above, below
        Whether the low end, the high end is left out.
    """

    low: float
    high: float = inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, (int, float)) or not abs(value) < inf:
            return False
        return (self.low < value if self.above else self.low <= value) and (
            value < self.high if self.below else value <= self.high
        )

    def __str__(self) -> str:
        words = [f"{'above' if self.above else 'at least'} {self.low:g}"]
        if self.high < inf:
            words.append(f"{'below' if self.below else 'at most'} {self.high:.10g}")
        return " and ".join(words)


def option(
    default: Any,
    help: str,
    allowed: Range | tuple[str, ...] | None = None,
    *,
    metavar: str | tuple[str, ...] | None = None,
    shown: str | None = None,
) -> Any:
    """A field of a dataclass that has an option of its name.

    Parameters
    ----------
    default
        Its type is the option's: whole numbers, numbers, text, tuples of numbers. A flag turns
        True or False around: `--no-name`, `--name`.
    help
        For `--help`, without the default.
    allowed
        The range of the number, or of each of them, or the words to choose from.
    metavar
        The value's name; of a tuple, which may be empty by default, the names of its numbers.
    shown
        The default in words; None: as it is.
    """
    metadata = {"help": help, "allowed": allowed, "metavar": metavar, "shown": shown}
    return field(default=default, metadata=metadata)


def add_options(parser: argparse.ArgumentParser, kind: type) -> None:
    """Add the options of a dataclass to a parser."""
    for each in fields(kind):
        if "help" not in each.metadata:
            continue
        default, allowed, help = each.default, each.metadata["allowed"], each.metadata["help"]
        if isinstance(default, bool):
            action = "store_false" if default else "store_true"
            flag = _flag(f"no_{each.name}" if default else each.name)
            parser.add_argument(flag, dest=each.name, action=action, help=help)
            continue
        words: dict[str, Any] = {"default": default, "metavar": each.metadata["metavar"]}
        if isinstance(default, tuple):
            words |= {"type": float, "nargs": len(words["metavar"])}
        elif isinstance(default, str):
            words |= {"choices": allowed}
        else:
            name = words["metavar"] or ("N" if isinstance(default, int) else "X")
            words |= {"type": type(default), "metavar": name}
        help = f"{help}; default: {each.metadata['shown'] or _text(default)}"
        parser.add_argument(_flag(each.name), help=help, **words)


def read_options(args: argparse.Namespace, kind: type[T], **others: Any) -> T:
    """The dataclass of the parsed options; `others` are the fields that have none.

    Raises
    ------
    ArgumentError
        If a number is outside its range; names the option.
    """
    values = {each.name: getattr(args, each.name) for each in fields(kind) if each.metadata}  # type: ignore[arg-type]
    for each in fields(kind):  # type: ignore[arg-type]
        if isinstance(each.default, tuple):
            values[each.name] = tuple(values[each.name])
        allowed = each.metadata.get("allowed")
        if isinstance(allowed, Range):
            value = values[each.name]
            if not all(one in allowed for one in (value if isinstance(value, tuple) else (value,))):
                raise ArgumentError(f"{_flag(each.name)} {_text(value)}: must be {allowed}")
    return kind(**values, **others)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _text(value: object) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, tuple):
        return " ".join(map(_text, value))
    return f"{value:.10g}" if isinstance(value, (int, float)) else str(value)
