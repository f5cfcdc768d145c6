"""Options that several commands have: each one's name, check and help, once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from ..arguments import (
    MAX_BOXES,
    MAX_SIDE,
    MAX_THREADS,
    check_count,
    check_final_nms,
    check_max_boxes,
    check_min_face,
    check_scale_factor,
    check_threads,
    check_thresholds,
)
from ..errors import ArgumentError


@dataclass(frozen=True)
class Option:
    """An option with a value.

    Attributes
    ----------
    metavar, help : str
    parse : callable
        Makes the value from text, or raises ValueError.
    check : callable
        A check of `pymtcnn.arguments`: takes the value and the option's name.
    """

    metavar: str
    help: str
    parse: Callable[[str], Any]
    check: Callable[[Any, str], Any]


def _floats(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _integers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


MIN_FACE = Option("PX", "side of the smallest face, pixels, at least 1", float, check_min_face)
THRESHOLDS = Option(
    "P,R,O", "least probability after PNet, RNet, ONet, each 0..1", _floats, check_thresholds
)
SCALE_FACTOR = Option(
    "F", "ratio of neighbouring pyramid levels, above 0 and below 1", float, check_scale_factor
)
MAX_BOXES_OPTION = Option(
    "P,R,O",
    f"most boxes that PNet, RNet, ONet hand on, the best ones, each 1..{MAX_BOXES}; bounds memory "
    "and time",
    _integers,
    check_max_boxes,
)
THREADS = Option("N", f"threads of a detector, 1..{MAX_THREADS}", int, check_threads)
JOBS = Option("N", f"processes, each with its own detector, 1..{MAX_THREADS}", int, check_threads)

MAX_SIDE_OPTION = Option(
    "PX",
    "look at a picture whose longer side exceeds this as if it were scaled down to it, which "
    f"bounds the time; results are in the picture's own pixels; 1..{MAX_SIDE}",
    int,
    partial(check_count, most=MAX_SIDE),
)
NMS = Option(
    "FORM",
    "what becomes of faces that overlap: hard drops the lesser one; soft lowers its score, "
    "which with low thresholds keeps more faces that hide each other, and more false ones",
    str,
    check_final_nms,
)

OF_A_MODEL = {
    "min_face": MIN_FACE,
    "thresholds": THRESHOLDS,
    "scale_factor": SCALE_FACTOR,
    "max_boxes": MAX_BOXES_OPTION,
}
"""Those whose default is the model's own."""


class Parser(argparse.ArgumentParser):
    """A command's parser: checked options, and usage errors in one line, with the remedy."""

    def __init__(self, prog: str, description: str | None, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._checked: dict[str, Option] = {}
        self._valued: list[str] = []

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; try --help\n")

    def checked(
        self,
        name: str,
        option: Option,
        default: str | None = None,
        *,
        otherwise: str = "the model's",
    ) -> None:
        """Add an option; `otherwise` tells what None, where there is no default, stands for."""
        self._checked[name] = option
        text = f"{option.help}; default: {default or otherwise}"
        self.valued(name.replace("_", "-"), option.metavar, text, default=default)

    def valued(
        self, flag: str, metavar: str, help: str, *, group: Any = None, default: str | None = None
    ) -> None:
        """Add an option whose value is any text, to a group of the parser's where one is given."""
        self._valued.append(flag)
        (group or self).add_argument(f"--{flag}", metavar=metavar, help=help, default=default)

    def model_option(self, default_model: str) -> None:
        """Add `--model`."""
        self.valued(
            "model",
            "FILE.data",
            "the networks and their settings; default: the file that the environment variable "
            f"MTCNN_MODEL names, else {default_model}",
            default=os.environ.get("MTCNN_MODEL") or None,
        )

    def detector_options(self, default_model: str) -> None:
        """Add `--model` and the options of a detector: `detector_options` reads them."""
        self.model_option(default_model)
        for name, option in OF_A_MODEL.items():
            self.checked(name, option)
        self.checked("nms", NMS, "hard")
        self.checked("max_side", MAX_SIDE_OPTION, otherwise="pictures as they are")
        self.checked("threads", THREADS, "1")
        self.add_argument(
            "--no-clip",
            dest="clip",
            action="store_false",
            help="boxes may stick out of the picture",
        )

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """The parsed and checked arguments; SystemExit, with the message printed, if wrong."""
        args = self.parse_args(joined(argv, self._valued))
        for name, option in self._checked.items():
            text = getattr(args, name)
            if text is None:
                continue
            flag = f"--{name.replace('_', '-')}"
            try:
                setattr(args, name, option.check(_parsed(option.parse, text), flag))
            except ArgumentError as error:
                _, _, rule = str(error).partition(": ")
                self.error(f"{flag} {text}: {rule}")
        return args


def detector_options(args: argparse.Namespace) -> dict[str, Any]:
    """The parsed options as keyword arguments of a detector."""
    same = {name: getattr(args, name) for name in (*OF_A_MODEL, "threads", "clip")}
    return {**same, "max_side": args.max_side or 0, "final_nms": args.nms}


def joined(argv: Sequence[str], flags: Iterable[str]) -> list[str]:
    """`--flag value` as `--flag=value`, so that a value may begin with a minus sign."""
    words = iter(argv)
    joined: list[str] = []
    for word in words:
        if word == "--":
            return [*joined, word, *words]
        takes = word.startswith("--") and any(f"--{name}".startswith(word) for name in flags)
        value = next(words, None) if takes else None
        joined.append(word if value is None else f"{word}={value}")
    return joined


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    """The option's value, or the text itself for the check to complain about."""
    try:
        return parse(text)
    except ValueError:
        return text
