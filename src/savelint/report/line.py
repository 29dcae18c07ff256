"""A line of a report: what is drawn before it is known whether colours can be shown.

Where they cannot, its text is all that is needed, and rich is never imported.
"""

from __future__ import annotations


class Line:
    """Pieces of text, each in a style of rich's, empty for none; never markup."""

    def __init__(self, *pieces: tuple[str, str]) -> None:
        self.pieces = list(pieces)

    def append(self, text: str, style: str = "") -> Line:
        """Add a piece, and return the line."""
        self.pieces.append((text, style))
        return self

    def extend(self, other: Line) -> Line:
        """Add all of another line, and return this one."""
        self.pieces += other.pieces
        return self

    @property
    def plain(self) -> str:
        """The text alone."""
        return "".join(text for text, _ in self.pieces)

    def __len__(self) -> int:
        return sum(len(text) for text, _ in self.pieces)


def cell_len(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich import cells

    return cells.cell_len(text)
