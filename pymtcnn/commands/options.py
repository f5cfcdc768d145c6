"""A command's parser: options from the table of settings, and the command's own."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ..errors import ArgumentError
from ..settings import Setting, nearest, of, settings
from .console import printable


@dataclass(frozen=True)
class Option:
    """An option with a value that only one command has.

    Attributes
    ----------
    metavar, help : str
    parse : callable
        Makes the value from text, or raises ValueError.
    check : callable
        Takes the value and the option's name; raises ArgumentError.
    """

    metavar: str
    help: str
    parse: Callable[[str], Any]
    check: Callable[[Any, str], Any]


class Parser(argparse.ArgumentParser):
    """A command's parser: checked options, and usage errors in one line, with the remedy."""

    def __init__(self, prog: str, description: str | None, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._checked: dict[str, Callable[[str, str], Any]] = {}
        self._valued: list[str] = []
        self._headings: dict[str, Any] = {}

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(self._plain(message))}; try --help\n")

    def _plain(self, message: str) -> str:
        """A message of argparse in the words of the C program."""
        flag, _, problem = message.removeprefix("argument ").partition(": ")
        if problem == "expected one argument":
            row = next((row for row in on_command_lines() if f"--{row.option}" == flag), None)
            return f"{flag}: needs {row.rule if row else 'a value'}"
        if problem.startswith("ignored explicit argument"):
            return f"{flag}: takes no value"
        if flag == "unrecognized arguments":
            word = problem.split()[0]
            own = [flag.removeprefix("--") for flag in self._option_string_actions]
            shared = [str(row.option) for row in on_command_lines() if row.option in own]
            near = nearest(word.partition("=")[0].removeprefix("--"), [*shared, *own])
            hint = f"; did you mean --{near}?" if near and word.startswith("--") else ""
            return f"{word}: no such option, or short for several{hint}"
        return message

    def setting(
        self,
        name: str,
        default: str | None = None,
        *,
        otherwise: str | None = None,
        grouped: bool = False,
    ) -> None:
        """Add a setting's option; where it is not given, its value is the default or None.

        Parameters
        ----------
        name : str
            The setting's name, and the attribute that holds its value.
        default : str, optional
            Replaces the table's default, as text.
        otherwise : str, optional
            Replaces the table's description of the default in the help.
        grouped : bool
            Whether the help lists it under its heading.
        """
        row = settings()[name]
        text = row.help()
        if default or otherwise:
            text = f"{row.sentence} ({row.rule}; default: {otherwise or default})"
        heading = str(row.group) if grouped else ""
        if heading and heading not in self._headings:
            self._headings[heading] = self.add_argument_group(heading)
        add = self._headings.get(heading, self).add_argument
        help_text = text.replace("%", "%%")
        if row.argument:
            self._checked[name] = row.parse
            self._valued.append(str(row.option))
            flag = f"--{row.option}"
            add(flag, dest=name, metavar=row.argument, default=default, help=help_text)
        else:
            self._checked[name] = lambda _, flag: row.parse(None, flag)
            add(f"--{row.option}", dest=name, action="store_const", const="", help=help_text)

    def model_option(self, default_model: str, *, grouped: bool = False) -> None:
        """Add `--model`; the environment variable MTCNN_MODEL may replace it."""
        self.setting(
            "model",
            os.environ.get("MTCNN_MODEL") or None,
            otherwise=f"the file that the environment variable MTCNN_MODEL names, else "
            f"{default_model}",
            grouped=grouped,
        )

    def checked(
        self,
        name: str,
        option: Option,
        default: str | None = None,
        *,
        otherwise: str = "the model's",
    ) -> None:
        """Add an option; `otherwise` describes None where there is no default."""

        def read(text: str, flag: str) -> Any:
            try:
                value = option.parse(text)
            except ValueError:
                value = text  # the check reports it
            return option.check(value, flag)

        self._checked[name] = read
        text = f"{option.help}; default: {default or otherwise}"
        self.valued(name.replace("_", "-"), option.metavar, text, default=default)

    def valued(
        self, flag: str, metavar: str, help: str, *, group: Any = None, default: str | None = None
    ) -> None:
        """Add an option whose value is any text, to a group of the parser if one is given."""
        self._valued.append(flag)
        (group or self).add_argument(f"--{flag}", metavar=metavar, help=help, default=default)

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """The parsed and checked arguments; SystemExit, with the message printed, if wrong."""
        args = self.parse_args(joined(argv, self._valued, self._option_string_actions))
        for name, read in self._checked.items():
            text = getattr(args, name)
            if text is None:
                continue
            row = settings().get(name)
            flag = f"--{row.option if row else name.replace('_', '-')}"
            try:
                setattr(args, name, read(text, flag))
            except ArgumentError as error:
                _, _, rule = str(error).partition(": ")
                self.error(f"{flag} {text or repr('')}: {rule}")
        return args


def given_options(owner: str, args: argparse.Namespace) -> dict[str, Any]:
    """The owner's settings that the command line gives, as keyword arguments."""
    values = {row.name: getattr(args, row.name, None) for row in of(owner)}
    return {name: value for name, value in values.items() if value is not None}


def on_command_lines() -> Iterable[Setting]:
    """The settings that both programs, ./mtcnn and pymtcnn, take as options."""
    return (row for row in settings().values() if row.option)


def joined(argv: Sequence[str], flags: Collection[str], known: Container[str]) -> list[str]:
    """`--flag value` as `--flag=value`, so that a value may begin with a minus sign.

    flags: those with a value, without dashes; known: all that are written out in full.
    """
    words = iter(argv)
    joined: list[str] = []
    for word in words:
        if word == "--":
            return [*joined, word, *words]
        named = [name for name in flags if f"--{name}".startswith(word)]
        takes = word.startswith("--") and (word[2:] in named if word in known else bool(named))
        value = next(words, None) if takes else None
        joined.append(word if value is None else f"{word}={value}")
    return joined
