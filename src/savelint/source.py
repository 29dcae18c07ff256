"""Bytes to text and back without a changed byte, and spans that point into the text."""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
from array import array
from bisect import bisect_right
from contextlib import suppress
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from savelint.frozen import frozen

# What Python's own tokenizer takes for the end of a line; form feeds and the
# Unicode separators of str.splitlines are not among them.
_NEWLINE = re.compile(r"\r\n|\n|\r")
# Patterns that few files need; `re` compiles them once.
_INDENTED = r"^(?: {1,4}|\t)(?=\S)"
_BYTES_NEWLINE = rb"\r\n|\n|\r"
# A first or second line without one of these cannot carry PEP 263's cookie.
_COOKIE_MARK = b"coding"


class SourceError(Exception):
    """A file that cannot be read as Python source; the text says why and what to do.

    `line` and `column` are 1-based, and 0 when they are not known.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class Span(NamedTuple):
    """Half-open range of character offsets into `Source.text`."""

    start: int
    end: int


class Position(NamedTuple):
    """1-based line and 1-based column, in characters."""

    line: int
    column: int


@frozen
class Source:
    """The decoded text of one file, and what is needed to write it back exactly."""

    path: str
    text: str
    encoding: str = "utf-8"
    bom: bool = False

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> Source:
        """Decode `data` as Python would (byte order mark, then PEP 263 cookie, then UTF-8).

        Raises SourceError for NUL bytes, unknown cookies and undecodable bytes.
        """
        if b"\0" in data:
            raise SourceError("not a text file (it holds NUL bytes); exclude it")
        bom = data.startswith(codecs.BOM_UTF8)
        body = data[len(codecs.BOM_UTF8) :] if bom else data
        encoding = _declared_encoding(data)
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError as error:
            line = len(re.findall(_BYTES_NEWLINE, body[: error.start])) + 1
            raise SourceError(
                f"line {line} is not valid {encoding}: save the file as UTF-8,"
                " or declare its encoding in the first line",
                line,
            ) from error
        except (LookupError, UnicodeError) as error:
            raise SourceError(f"{encoding} is no encoding for text; save it as UTF-8") from error
        source = cls(path=path, text=text, encoding=encoding, bom=bom)
        # Codecs with several spellings for one text, such as unicode_escape.
        if encoding != "utf-8" and source.to_bytes() != data:
            raise SourceError(f"{encoding} would not be written back as it was; save it as UTF-8")
        return source

    def with_text(self, text: str) -> Source:
        """Make the same file with another text."""
        return Source(path=self.path, text=text, encoding=self.encoding, bom=self.bom)

    def to_bytes(self) -> bytes:
        """Encode what to write; raises SourceError if the encoding lacks a character."""
        try:
            body = self.text.encode(self.encoding)
        except UnicodeError as error:
            raise SourceError(f"{error}; save the file as UTF-8") from error
        return codecs.BOM_UTF8 + body if self.bom else body

    @cached_property
    def line_starts(self) -> array[int]:
        """Offset of the first character of each line; kept for many files, so packed."""
        if "\r" in self.text:
            return array("Q", (0, *(match.end() for match in _NEWLINE.finditer(self.text))))
        *lines, _ = self.text.split("\n")
        return array("Q", accumulate((len(line) + 1 for line in lines), initial=0))

    @cached_property
    def newline(self) -> str:
        """The file's own line ending: the first one it uses."""
        match = _NEWLINE.search(self.text)
        return match.group() if match else "\n"

    @cached_property
    def indentation(self) -> str:
        """One level of the file's own indentation: its first indented block's, or line's."""
        inner: list[ast.stmt] = []
        # Newer syntax than the running Python's is left to the lines.
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            inner = [n for n in ast.walk(ast.parse(self.text)) if isinstance(n, ast.stmt)]
        begun = sorted((node.lineno, node.col_offset) for node in inner if node.col_offset)
        starts = (self.line_text(line)[:column].lstrip("\f") for line, column in begun)
        match = re.search(_INDENTED, self.text, re.MULTILINE)
        return next(filter(str.isspace, starts), match.group() if match else "    ")

    def position(self, offset: int) -> Position:
        """Line and column of an offset."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line_offset(self, line: int) -> int:
        """Offset of the start of a 1-based line; the text's length past the last line."""
        starts = self.line_starts
        return starts[line - 1] if line <= len(starts) else len(self.text)

    def line_end(self, offset: int) -> int:
        """Offset of the end of the line that holds `offset`, before its line ending."""
        line = self.position(offset).line
        return self.line_offset(line) + len(self.line_text(line))

    def line_text(self, line: int) -> str:
        """Give a 1-based line without its line ending."""
        return self.text[self.line_offset(line) : self.line_offset(line + 1)].rstrip("\r\n")


def _declared_encoding(data: bytes) -> str:
    """Read the encoding from a PEP 263 cookie, UTF-8 without one; raises SourceError."""
    if _COOKIE_MARK not in data:
        return "utf-8"
    head = b"\n".join(re.split(_BYTES_NEWLINE, data, maxsplit=2)[:2])
    if _COOKIE_MARK not in head:
        return "utf-8"
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(head).readline)
    except SyntaxError as error:
        raise SourceError(f"{error.msg}; declare the file's real encoding") from error
    return "utf-8" if encoding == "utf-8-sig" else encoding
