"""Bytes to text and back without a changed byte, and spans that point into the text."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

# What Python's own tokenizer takes for the end of a line; form feeds and the
# Unicode separators of str.splitlines are not among them.
_NEWLINE = re.compile(r"\r\n|\n|\r")
# A first or second line without one of these cannot carry PEP 263's cookie.
_COOKIE_MARK = b"coding"
_COOKIE_REACH = 1024


class SourceError(Exception):
    """A file that cannot be read as Python source; the text says why and what to do."""


class Span(NamedTuple):
    """Half-open range of character offsets into `Source.text`."""

    start: int
    end: int


class Position(NamedTuple):
    """1-based line and 1-based column, in characters."""

    line: int
    column: int


@dataclass(frozen=True)
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
        encoding = "utf-8"
        if _COOKIE_MARK in b"\n".join(data[:_COOKIE_REACH].splitlines()[:2]):
            try:
                encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            except SyntaxError as error:
                raise SourceError(f"{error.msg}; declare the file's real encoding") from error
            encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise SourceError(
                f"line {line} is not valid {encoding}: save the file as UTF-8,"
                " or declare its encoding in the first line"
            ) from error
        return cls(path=path, text=text, encoding=encoding, bom=bom)

    def with_text(self, text: str) -> Source:
        """The same file with another text."""
        return Source(path=self.path, text=text, encoding=self.encoding, bom=self.bom)

    def to_bytes(self) -> bytes:
        """The bytes to write; raises SourceError if the encoding lacks a character."""
        try:
            body = self.text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise SourceError(f"{self.encoding} cannot hold {error.object[error.start]!r}") from error
        return codecs.BOM_UTF8 + body if self.bom else body

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of each line."""
        return (0, *(match.end() for match in _NEWLINE.finditer(self.text)))

    @cached_property
    def newline(self) -> str:
        """The file's own line ending: the first one it uses."""
        match = _NEWLINE.search(self.text)
        return match.group() if match else "\n"

    @cached_property
    def indentation(self) -> str:
        """One level of the file's own indentation: its first indented code line's."""
        match = re.search(r":[^\n\r]*(?:\r\n|\n|\r)(?:[ \t]*(?:\r\n|\n|\r))*([ \t]+)\S", self.text)
        return match.group(1) if match else "    "

    def position(self, offset: int) -> Position:
        """Line and column of an offset."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line_offset(self, line: int) -> int:
        """Offset of the start of a 1-based line; the text's length past the last line."""
        starts = self.line_starts
        return starts[line - 1] if line <= len(starts) else len(self.text)

    def line_text(self, line: int) -> str:
        """A 1-based line without its line ending."""
        return self.text[self.line_offset(line) : self.line_offset(line + 1)].rstrip("\r\n")
