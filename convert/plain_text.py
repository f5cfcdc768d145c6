"""Descriptions, as dicts, in aligned plain text."""

from __future__ import annotations


def _words(value: object) -> str:
    """One value. Tuples are shapes."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, tuple):
        return "x".join(map(str, value)) or "1"
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items()) or "-"
    return str(value)


def _name(key: str) -> str:
    return key.replace("_", " ")


def _table(rows: list[dict]) -> list[str]:
    """Rows that have the same keys; columns of whole numbers are aligned to the right."""
    keys = list(rows[0])
    cells = [list(map(_name, keys))] + [[_words(row[key]) for key in keys] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    right = [all(isinstance(row[key], int | None) for row in rows) for key in keys]
    lines = []
    for line in cells:
        parts = zip(line, widths, right)
        lines.append("  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in parts).rstrip())
    return lines


def plain_text(description: dict) -> str:
    """The text of a description.

    Parameters
    ----------
    description
        Key -> value; "file" is the heading. Values are plain ones, shapes (tuples), lists or dicts
        of these, or tables: lists of dicts that have the same keys.

    Returns
    -------
    Lines without the last line's end: the file, its values aligned, its tables. Empty lists are
    left out; of a list of texts each has its own line.
    """
    values = {key: value for key, value in description.items() if key != "file" and value != []}
    tables = {key: value for key, value in values.items() if _are(dict, value)}
    width = max(map(len, values))
    lines = [description["file"]]
    for key, value in values.items():
        if key in tables:
            continue
        name = _name(key)
        for part in value if _are(str, value) else [value]:
            lines.append(f"  {name:{width}}  {_words(part)}")
            name = ""
    for rows in tables.values():
        lines += ["", *(f"  {line}" for line in _table(rows))]
    return "\n".join(lines)


def _are(kind: type, value: object) -> bool:
    """Whether a value is a list of that kind only."""
    return isinstance(value, list) and all(isinstance(part, kind) for part in value)
