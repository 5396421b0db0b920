"""
A small writer of PDF 1.4: lines of text on A4 in two of the fonts that every reader has. Pure.

It writes what an invoice needs and nothing else, and the same content gives the same bytes: no date, no random id. The
alphabet is the Latin one with the letters of Europe's languages; what is beyond it is written as its nearest letters,
or as a question mark. The HTML of a document has no such bounds.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
_RIGHT, _MIDDLE = _WIDTH - _MARGIN, 400
_SIZE = 10

# Adobe's metrics of Helvetica: thousandths of the size, from the space to the tilde. Others count as wide as an "n".
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778,
    722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278,
    278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_OTHER_WIDTH = 556

# Letters beyond WinAnsi that the standard fonts have all the same, by their names; each takes a code that WinAnsi
# leaves to control characters.
_EXTRA = {
    "Ą": "Aogonek", "ą": "aogonek", "Ć": "Cacute", "ć": "cacute", "Č": "Ccaron", "č": "ccaron", "Ď": "Dcaron",
    "ď": "dcaron", "Ę": "Eogonek", "ę": "eogonek", "Ě": "Ecaron", "ě": "ecaron", "Ł": "Lslash", "ł": "lslash",
    "Ń": "Nacute", "ń": "nacute", "Ň": "Ncaron", "ň": "ncaron", "Ő": "Ohungarumlaut", "ő": "ohungarumlaut",
    "Ř": "Rcaron", "ř": "rcaron", "Ś": "Sacute", "ś": "sacute", "ť": "tcaron", "Ů": "Uring", "ů": "uring",
    "Ű": "Uhungarumlaut", "ű": "uhungarumlaut", "Ź": "Zacute", "ź": "zacute",
}  # fmt: skip
_CODES = {letter: code for code, letter in enumerate(_EXTRA, start=1)}


class Font(StrEnum):
    """Two faces, by the names that the page knows them by."""

    PLAIN = "F1"
    BOLD = "F2"


class Page:
    """Text from top to bottom; what does not fit goes on to the next sheet."""

    def __init__(self) -> None:
        self._sheets: list[list[str]] = [[]]
        self._y = _HEIGHT - _MARGIN

    @property
    def sheets(self) -> list[str]:
        """Return the drawing of each sheet."""
        return ["\n".join(sheet) for sheet in self._sheets]

    def text(self, text: str, *, size: int = _SIZE, font: Font = Font.PLAIN) -> None:
        """Write a paragraph over the whole width."""
        for line in _wrapped(text, size, _RIGHT - _MARGIN):
            self._down(size + 4)
            self._put(line, _MARGIN, size, font)

    def pair(self, name: str, value: str) -> None:
        """Write a name and its value beside it."""
        self._down(_SIZE + 4)
        self._put(name, _MARGIN, _SIZE, Font.BOLD)
        self._put(value, _MARGIN + 80, _SIZE, Font.PLAIN)

    def columns(self, parties: Sequence[Sequence[str]]) -> None:
        """Write blocks side by side."""
        width = (_RIGHT - _MARGIN) // max(len(parties), 1)
        blocks = [[line for text in party for line in _wrapped(text, _SIZE, width - 12)] for party in parties]
        for number in range(max(map(len, blocks), default=0)):
            self._down(_SIZE + 4)
            for column, block in enumerate(blocks):
                if number < len(block):
                    self._put(block[number], _MARGIN + column * width, _SIZE, Font.PLAIN)

    def row(self, cells: tuple[str, str, str], *, font: Font = Font.PLAIN) -> None:
        """Write a row of a table: a text, and two numbers that end where their columns end."""
        what, count, amount = cells
        lines = _wrapped(what, _SIZE, _MIDDLE - _MARGIN - 70) or [""]
        for number, line in enumerate(lines):
            self._down(_SIZE + 5)
            self._put(line, _MARGIN, _SIZE, font)
            if number == 0:
                self._put(count, _MIDDLE - _width(count, _SIZE), _SIZE, font)
                self._put(amount, _RIGHT - _width(amount, _SIZE), _SIZE, font)

    def rule(self) -> None:
        """Draw a line across."""
        self._down(6)
        self._sheets[-1].append(f"0.5 w {_MARGIN} {self._y} m {_RIGHT} {self._y} l S")

    def space(self, points: int) -> None:
        """Leave some room."""
        self._y -= points

    def _down(self, points: int) -> None:
        self._y -= points
        if self._y < _MARGIN:
            self._sheets.append([])
            self._y = _HEIGHT - _MARGIN - points

    def _put(self, text: str, x: int | Decimal, size: int, font: Font) -> None:
        if text:
            self._sheets[-1].append(f"BT /{font} {size} Tf {x} {self._y} Td ({_escaped(text)}) Tj ET")


def write(page: Page, *, title: str) -> bytes:
    """Return the bytes of a file."""
    sheets = page.sheets
    first = 6
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(sheets)))
    differences = " ".join(["1", *(f"/{name}" for name in _EXTRA.values())])
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(sheets)} >>".encode(),
        *(
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding << /Type /Encoding "
            f"/BaseEncoding /WinAnsiEncoding /Differences [{differences}] >> >>".encode()
            for name in ("Helvetica", "Helvetica-Bold")
        ),
        b"<< /Title (" + _escaped(title).encode("latin-1") + b") /Producer (Keywright) >>",
    ]
    for number, sheet in enumerate(sheets):
        drawing = sheet.encode("latin-1")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Contents {first + 2 * number + 1} 0 R "
            f"/Resources << /Font << /{Font.PLAIN} 3 0 R /{Font.BOLD} 4 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing))
    return _assembled(objects)


def _assembled(objects: Sequence[bytes]) -> bytes:
    """Number the objects, and say at the end where each of them begins."""
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    begin, mark = len(out), hashlib.sha256(bytes(out)).hexdigest()[:32].encode()
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R /ID [<%s> <%s>] >>\n" % (len(objects) + 1, mark, mark)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % begin)


def _escaped(text: str) -> str:
    """Return a text as a PDF string of one byte for each letter, held in Latin-1."""
    return "".join(_byte(letter) for letter in unicodedata.normalize("NFC", text))


def _byte(letter: str) -> str:
    if letter in _CODES:
        # As octal: a bare carriage return inside a string would be read as a line feed.
        return f"\\{_CODES[letter]:03o}"
    if letter in "()\\":
        return f"\\{letter}"
    try:
        return letter.encode("cp1252").decode("latin-1")
    except UnicodeEncodeError:
        nearest = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
        return nearest or "?"


def _width(text: str, size: int) -> Decimal:
    units = sum(_WIDTHS[ord(letter) - 32] if 32 <= ord(letter) < 127 else _OTHER_WIDTH for letter in text)  # noqa: PLR2004
    return (Decimal(units * size) * Decimal("0.001")).quantize(Decimal("0.01"))


def _wrapped(text: str, size: int, room: int) -> list[str]:
    """Return the lines of a text that fit, broken between words, and inside of a word that is too long."""
    lines: list[str] = []
    for word in text.split():
        rest = word
        if lines and _width(f"{lines[-1]} {rest}", size) <= room:
            lines[-1] = f"{lines[-1]} {rest}"
            continue
        while _width(rest, size) > room:
            fits = next(count for count in range(len(rest) - 1, 0, -1) if _width(rest[:count], size) <= room)
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines
