"""Darknet's files: `.cfg` (networks), `.weights` (their numbers) and `.data` (a cascade).

The rules are those of pjreddie's Darknet and its successors; what a section means (options, shapes,
the layout of its weights) is in layers.py.
"""

from __future__ import annotations

import math
import os
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pymtcnn.errors import ArgumentError, CfgError, CfgWarning, WeightsError
from pymtcnn.files import atomic_write
from pymtcnn.settings import Setting, cfg_keys, nearest, settings
from train_mtcnn.common.file_content import read_bytes

DARKNET_CFG = Path(__file__).resolve().parents[2] / "darknet_cfg"
DEFAULT_MODEL = DARKNET_CFG / "default.data"

_BLANKS = " \t\r"  # no others: a text may be in any encoding
_NO_BLANKS = str.maketrans("", "", _BLANKS)
_COMMENT = re.compile("[#;]")
_COMMENT_BEHIND_PATHS = re.compile(f"(?:^|(?<=[{_BLANKS}]))[#;]")  # which may hold # and ;
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def parse_decimal(text: str) -> float:
    """A plain decimal number that float32 can hold; NaN where the text is none."""
    text = text.strip(_BLANKS)
    value = float(text) if _DECIMAL.fullmatch(text) else math.nan
    return value if math.isfinite(float32(value)) else math.nan


def float32(value: float) -> float:
    """The float32 nearest to a number; infinite beyond its range."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


# ---- cfg -----------------------------------------------------------------------------------------


@dataclass
class Section:
    """One section of a cfg.

    Attributes
    ----------
    name
        As written between the brackets.
    options
        Option -> value, in the order of the file, both without any blanks.
    comments
        The comment lines that belong to the section, without `#` and the blank after it.
    line
        Line of the section's name in its file, from 1; 0 for sections made by a program.
    lines
        Option -> its line in the file.
    """

    name: str
    options: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list, compare=False)
    line: int = field(default=0, compare=False)
    lines: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass
class Cfg:
    """A Darknet cfg: its sections in order, `[net]` first.

    Attributes
    ----------
    sections
        `[net]`, then one for each layer: layer i of the network is sections[i + 1].
    path
        Where it was read, for messages.
    """

    sections: list[Section]
    path: str = field(default="cfg", compare=False)

    def where(self, section: Section, option: str | None = None) -> str:
        """`path:line` of a section or of one of its options, to begin a message with."""
        line = section.lines.get(option, section.line) if option else section.line
        return f"{self.path}:{line}" if line else self.path


def parse_cfg(text: str, path: str | os.PathLike = "cfg") -> Cfg:
    """Read the text of a cfg.

    As in Darknet: blanks do not count anywhere, the first of two values of an option counts, a
    value may be empty. Comments begin with `#` or `;`, also behind a value. Lines may end in LF or
    CRLF.

    Parameters
    ----------
    text
        The text.
    path
        Its name in messages.

    Raises
    ------
    CfgError
        If a line is neither section, option nor comment, or the first section is not `[net]`.
    """
    cfg = Cfg([], os.fspath(path))
    comments: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        text, comment = _cut_comment(raw, _COMMENT)
        line = text.translate(_NO_BLANKS)
        if comment is not None:
            comments.append(comment)
        if not line:
            continue
        if line[0] == "[":
            if line[-1] != "]" or len(line) < 3:
                raise CfgError(f"{cfg.path}:{number}: '{text.strip()}' is not a [section]")
            cfg.sections.append(Section(line[1:-1], comments=comments, line=number))
            comments = []
        else:
            option, equals, value = line.partition("=")
            if not (option and equals):
                raise CfgError(f"{cfg.path}:{number}: '{text.strip()}' is not 'option = value'")
            if not cfg.sections:
                raise CfgError(f"{cfg.path}:{number}: option '{option}' stands before any section")
            section = cfg.sections[-1]
            section.options.setdefault(option, value)
            section.lines.setdefault(option, number)
            section.comments += comments
            comments = []
    if not cfg.sections:
        raise CfgError(f"{cfg.path}: no sections; a Darknet cfg begins with [net]")
    first = cfg.sections[0]
    if first.name not in ("net", "network"):
        raise CfgError(f"{cfg.where(first)}: the first section is [{first.name}], expected [net]")
    return cfg


def _read_text(path: str | os.PathLike) -> str:
    """A text of any encoding that contains ASCII; bytes that are not UTF-8 become surrogates."""
    content = read_bytes(path)
    if b"\0" in content:
        raise CfgError(f"{path}: not a text file (it has zero bytes)")
    return content.decode("utf-8-sig", "surrogateescape")


def _cut_comment(line: str, start: re.Pattern[str]) -> tuple[str, str | None]:
    """The line without its comment, and the comment without `#` and the blank after it."""
    found = start.search(line)
    if found is None:
        return line, None
    return line[: found.start()], line[found.end() :].removeprefix(" ").rstrip()


def read_cfg(path: str | os.PathLike) -> Cfg:
    """Read a cfg file.

    Warns
    -----
    CfgWarning
        If an option is one that no reader knows.

    Raises
    ------
    FileError, CfgError
        If it cannot be read, or makes no sense (parse_cfg).
    """
    cfg = parse_cfg(_read_text(path), path)
    for problem in islice(_unknown_options(cfg), _MOST_WARNINGS):
        warnings.warn(problem, CfgWarning, stacklevel=2)
    return cfg


_MOST_WARNINGS = 20  # of one cfg; the core's (csrc/cfg_keys.c)


def _unknown_options(cfg: Cfg) -> Iterator[str]:
    """A sentence, the core's, for each option that no reader of its section knows."""
    for section in cfg.sections:
        known = cfg_keys(section.name) or section.options
        for option in section.options:
            if option not in known:
                near = nearest(option, known)
                remedy = f"; did you mean {near}?" if near else ""
                where = f"{cfg.where(section, option)}: [{section.name}]"
                yield f"{where} unknown key '{option[:40]}' is ignored{remedy}"


def format_cfg(cfg: Cfg) -> str:
    """The text of a cfg as every reader understands it: LF, no blanks inside options."""
    blocks = []
    for section in cfg.sections:
        lines = [f"# {comment}".rstrip() for comment in section.comments]
        lines.append(f"[{section.name}]")
        lines += [f"{option}={value}" for option, value in section.options.items()]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def write_cfg(path: str | os.PathLike, cfg: Cfg) -> None:
    """Write a cfg file. Raises FileError."""
    with atomic_write(path) as file:
        file.write(format_cfg(cfg).encode("utf-8", "surrogateescape"))


# ---- weights -------------------------------------------------------------------------------------

_HEADER = struct.Struct("<iiiQ")  # major, minor, revision, images seen


class WeightsHeader(NamedTuple):
    """What a `.weights` file begins with."""

    major: int
    minor: int
    revision: int
    seen: int  # images, in training
    size: int  # of the header itself, bytes

    @property
    def transposed(self) -> bool:
        """Whether connected layers are stored as [inputs][outputs]."""
        return self.major > 1000 or self.minor > 1000


def read_header(data: bytes, path: str | os.PathLike) -> WeightsHeader:
    """The header of the content of a `.weights` file; WeightsError names `path` if it has none."""
    if len(data) < 16:
        raise WeightsError(
            f"{path}: {len(data)} bytes; even the header of a .weights file has at least 16"
        )
    major, minor, revision = struct.unpack_from("<iii", data)
    # `seen` has 8 bytes from version 0.2 on, 4 before; the versions above 1000 mean "transposed".
    wide = major * 10 + minor >= 2 and major < 1000 and minor < 1000
    size = 20 if wide else 16
    return WeightsHeader(major, minor, revision, int.from_bytes(data[12:size], "little"), size)


def read_weights(
    path: str | os.PathLike, count: int | dict[str, int] | None = None
) -> tuple[np.ndarray, bool]:
    """Read a `.weights` file.

    Parameters
    ----------
    path
        The file.
    count
        How many values the network has, all or of each part in file order (layers.weight_parts;
        a message then names the part where the file ends); None to take what is there.

    Returns
    -------
    values : [count] float32
        All values in file order.
    transposed : bool
        True where the header says that connected layers are stored transposed.

    Raises
    ------
    FileError
        If the file cannot be read.
    WeightsError
        If it is no `.weights` file, or holds more or fewer than `count` values.
    """
    data = read_bytes(path)
    header = read_header(data, path)
    body = len(data) - header.size
    values, rest = divmod(body, 4)
    place = ""
    if isinstance(count, dict):
        place, count = _end(count, body), sum(count.values())
    if body < 0 or rest or (count is not None and values != count):
        expected = "a multiple of 4" if count is None else f"{4 * count} ({count} values)"
        raise WeightsError(
            f"{path}: {max(body, 0)} bytes of weights after the header of {header.size},"
            f" expected {expected}{place}; does the file belong to this .cfg, or was it cut?"
        )
    array = np.frombuffer(data, "<f4", offset=header.size).astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise WeightsError(f"{path}: value {bad[0]} of {len(array)} is {array[bad[0]]}")
    return array, header.transposed


def _end(parts: dict[str, int], body: int) -> str:
    """Where a file of `body` bytes after its header ends, if not behind the last part."""
    for part, count in parts.items():
        if body < 4 * count:
            return f": it ends in {part} ({max(body, 0) // 4} of {count} values)"
        body -= 4 * count
    return f": {body} bytes more than the last layer takes" if body else ""


def write_weights(path: str | os.PathLike, values: np.ndarray) -> None:
    """Write a `.weights` file with the header 0, 2, 0 and no images seen.

    Parameters
    ----------
    path
        The file.
    values : [N] float32
        All values in file order.

    Raises
    ------
    FileError
        If the file cannot be written.
    WeightsError
        If a value is not finite.
    """
    array = np.asarray(values, np.float32).ravel()
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise WeightsError(f"{path}: not written: value {bad[0]} is {array[bad[0]]}")
    with atomic_write(path) as file:
        file.write(_HEADER.pack(0, 2, 0, 0))
        file.write(array.astype("<f4").tobytes())


# ---- data ----------------------------------------------------------------------------------------

NETWORKS = ("pnet", "rnet", "onet")
_FILES = tuple(f"{network}_{file}" for network in NETWORKS for file in ("cfg", "weights"))


@dataclass(frozen=True)
class Data:
    """A cascade: the files of its networks and its settings (docs/architecture.md).

    Attributes
    ----------
    cfg, weights
        "pnet", "rnet", "onet" -> file.
    thresholds
        Least probability after each network, 0..1.
    min_face
        Side of the smallest face looked for, pixels.
    scale_factor
        Ratio of neighbouring pyramid levels, inside (0, 1).
    nms
        Largest overlap kept: within a level, between levels, after RNet, after ONet.
    max_boxes
        Most boxes that each network hands on, best first.
    mean, norm
        Network input = (v - mean) * norm.
    color
        Channel order of the networks' input, "RGB" or "BGR".
    pad
        Value of what lies outside the picture, 0..255.
    border
        How far PNet's windows reach out of the picture, as a share of their side, [0, 0.5).
    """

    cfg: dict[str, Path]
    weights: dict[str, Path]
    thresholds: tuple[float, float, float]
    min_face: float
    scale_factor: float
    nms: tuple[float, float, float, float]
    max_boxes: tuple[int, int, int]
    mean: float
    norm: float
    color: str
    pad: float
    border: float


def _data_settings() -> dict[str, Setting]:
    """The settings that are keys of a `.data` file."""
    return {name: row for name, row in settings().items() if row.has("IN_DATA")}


def _value(where: str, text: str, row: Setting) -> Any:
    """A key's value; CfgError where it breaks the table's rule."""
    try:
        if row.choices:
            return row.check(text)
        numbers = [parse_decimal(part) for part in text.split(",")]
        if row.kind == "int":
            numbers = [int(number) if number.is_integer() else number for number in numbers]
        return row.check(numbers[0] if row.count == len(numbers) == 1 else numbers)
    except ArgumentError:
        raise CfgError(f"{where}: {row.name} = {text}: must be {row.rule}") from None


def read_data(path: str | os.PathLike) -> Data:
    """Read a `.data` file; the paths in it are relative to its own folder.

    Raises
    ------
    FileError
        If the file cannot be read.
    CfgError
        If a key is unknown, given twice or, without a default, missing, or a value is out of its
        range.
    """
    rows = _data_settings()
    keys = [*_FILES, *rows]
    values: dict[str, tuple[str, str]] = {}  # key -> where it stands, value
    for number, raw in enumerate(_read_text(path).split("\n"), 1):
        line = _cut_comment(raw.strip(_BLANKS), _COMMENT_BEHIND_PATHS)[0].strip(_BLANKS)
        if not line:
            continue
        where = f"{path}:{number}"
        key, equals, value = (part.strip(_BLANKS) for part in line.partition("="))
        if not (key and equals and value):
            raise CfgError(f"{where}: '{line}' is not 'key = value'")
        if key not in keys and (near := nearest(key, keys)):
            raise CfgError(f"{where}: unknown key '{key[:40]}'; did you mean {near}?")
        if key not in keys:
            raise CfgError(
                f"{where}: unknown key '{key}'; the .data of a cascade, such as"
                f" darknet_cfg/default.data, has {', '.join(keys)}"
            )
        if key in values:
            raise CfgError(f"{where}: '{key}' is given twice")
        values[key] = where, value
    missing = [
        key for key in keys if key not in values and not (key in rows and rows[key].fallback)
    ]
    if missing:
        raise CfgError(f"{path}: missing {', '.join(missing)}")

    folder = Path(path).parent
    return Data(
        cfg={network: folder / values[f"{network}_cfg"][1] for network in NETWORKS},
        weights={network: folder / values[f"{network}_weights"][1] for network in NETWORKS},
        **{
            key: _value(*values[key], row) if key in values else row.default
            for key, row in rows.items()
        },
    )


def format_data(data: Data, folder: str | os.PathLike, comments: tuple[str, ...] = ()) -> str:
    """The text of a `.data` file that is to lie in `folder`.

    Raises
    ------
    CfgError
        If a path holds what would begin a comment.
    """
    values: dict[str, object] = {}
    for network in NETWORKS:
        for file, paths in (("cfg", data.cfg), ("weights", data.weights)):
            path = Path(os.path.relpath(paths[network], folder)).as_posix()
            path = f"./{path}" if path[0] in "#;" else path
            if _COMMENT_BEHIND_PATHS.search(path):
                raise CfgError(
                    f"{paths[network]}: cannot be named in a .data file, where # or ; after a blank"
                    " begins a comment; give it another name"
                )
            values[f"{network}_{file}"] = path
    for key, row in _data_settings().items():
        value = getattr(data, key)
        if not row.choices:
            parts = value if isinstance(value, tuple) else (value,)
            value = ", ".join(repr(float(part)).removesuffix(".0") for part in parts)
        values[key] = value
    lines = [f"# {comment}".rstrip() for comment in comments]
    lines += [f"{key} = {value}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def write_data(path: str | os.PathLike, data: Data, comments: tuple[str, ...] = ()) -> None:
    """Write a `.data` file. Raises FileError or CfgError."""
    with atomic_write(path) as file:
        file.write(
            format_data(data, Path(path).parent, comments).encode("utf-8", "surrogateescape")
        )
