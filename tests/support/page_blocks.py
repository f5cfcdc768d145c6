"""Code blocks of Markdown pages, and the commands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from support import ROOT

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]

_FENCE = re.compile(
    r"^(?:<!-- *(?P<mark>[^\n]*?) *-->\n+)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_COMPOUND = re.compile(r"^\s*(for|while|until|if|case)\b|<<|^\w+\(\)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    page
        Relative to the repository.
    line
        Of its first line of text, from 1.
    language
        After the opening fence; empty if missing.
    text
        Between the fences.
    mark
        The HTML comment before it; empty if missing.
    """

    page: str
    line: int
    language: str
    text: str
    mark: str

    @property
    def location(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands of an sh block; a block with loops or similar is a single one."""
        if _COMPOUND.search(self.text):
            return [self.text]
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line.strip() for line in lines if line.strip() and line.strip()[0] != "#"]


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    content = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            content.count("\n", 0, match.start("text")) + 1,
            match["language"],
            match["text"],
            match["mark"] or "",
        )
        for match in _FENCE.finditer(content)
    ]
