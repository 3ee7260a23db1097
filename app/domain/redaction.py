"""Blots secrets out of what is kept: results, errors, log lines. A destination may well send back what it was sent.

Any piece of eight characters counts, in every spelling (``app.domain.spellings``), behind up to three layers of
escapes. A text is looked at once a layer, in words of four bytes at every fourth place: a piece of eight holds one of
them whole, and a text without a secret has hardly any that a secret has. Time goes with the text's length, memory with
the secrets'.

Pieces that tell nothing are kept: those of fewer than four different characters, and those of what many secrets begin
with (``https://``, ``-----begin private key``). The whole secret is blotted out even where it is made of such pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from app.domain.spellings import separated, spellings, utf8
from app.domain.unescaping import Kind, Span, back, kinds_in, rare_kinds_in, unescape

MASK: Final = "***"
# So many characters of a secret, at least, are a piece of it.
PIECE: Final = 8
# So many characters of a secret at the end of a text that was cut are blotted out as well.
MIN_REMAINDER: Final = 4
LAYERS: Final = 3

_WORD: Final = 4
_SEPARATED_PIECE: Final = 3 * PIECE - 1
_MIN_DIFFERENT: Final = 4
# What is blotted out may change what the backslashes around it escape.
_ROUNDS: Final = 4
_LARGE: Final = 1024
_WITHIN_CHARACTER: Final = range(0x80, 0xC0)  # bytes of UTF-8 that begin none
_COMMON: Final = (
    "https://www.",
    "http://localhost:",
    "https://hooks.",
    "https://api.",
    "postgresql://",
    "amqps://",
    "redis://localhost",
    "authorization: bearer ",
    "authorization: basic ",
    "password=",
    "passwords",
    "client_secret=",
    "client_id=",
    "access_token=",
    "application/json",
    "-----begin rsa private key-----",
    "-----begin ec private key-----",
    "-----begin private key-----",
    "-----begin openssh private key-----",
    "-----begin certificate-----",
    "-----end rsa private key-----",
    "-----end ec private key-----",
    "-----end private key-----",
    "-----end openssh private key-----",
    "-----end certificate-----",
    '{"alg":"HS256","typ":"JWT"}',
    '{"alg":"RS256","typ":"JWT"}',
    '{"typ":"JWT","alg":"HS256"}',
)


class Redactor:
    """Replaces secrets, and pieces of them, by ``***``, in every spelling in which they travel.

    Args:
        values: The secrets; of one with fewer than eight characters only the whole counts.
    """

    __slots__ = ("_lengths", "_tails", "_wholes", "_windows", "_words")

    def __init__(self, values: Iterable[str]) -> None:
        self._words: set[int] = set()
        self._windows: dict[int, set[bytes]] = {PIECE: set(), _SEPARATED_PIECE: set()}
        self._wholes: set[bytes] = set()
        self._tails: set[bytes] = set()
        for value in values:
            for spelling in spellings(value):
                self._learn(spelling, PIECE, whole=len(value) < PIECE)
                self._tails.update(_beginnings(spelling))
            for spelling in separated(value):
                self._learn(spelling, _SEPARATED_PIECE, whole=len(value) < PIECE)
        self._lengths = sorted({len(one) for one in self._tails}, reverse=True)

    def finds(self, text: str) -> bool:
        """Tell whether a secret, or a piece of one, is in a text."""
        return bool(self._knows_any and self._spans(utf8(text).lower()))

    def text(self, text: str) -> str:
        """Return the text without secrets, pieces of them, nor the beginning of one at its end."""
        if not self._knows_any:
            return text
        for _ in range(_ROUNDS):
            data = utf8(text)
            spans = self._spans(data.lower(), tails=True)
            if not spans:
                break
            text = _blotted(data, spans)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets in its texts, numbers and keys."""
        if not self._knows_any:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(member) for key, member in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(member) for member in value]
        if isinstance(value, int | float) and self.finds(str(value)):
            return MASK
        return value

    @property
    def _knows_any(self) -> bool:
        return bool(self._words or self._wholes)

    def _learn(self, spelling: bytes, piece: int, *, whole: bool) -> None:
        if len(spelling) <= len(MASK):
            return
        if whole or len(spelling) < piece:
            self._wholes.add(spelling)
            return
        windows = [spelling[at : at + piece] for at in range(len(spelling) - piece + 1)]
        telling = {one for one in windows if len(set(one)) >= _MIN_DIFFERENT} - _common_windows()
        if not _cover(telling, windows):
            self._wholes.add(spelling)
        self._windows[piece] |= telling
        for at in range(_WORD):
            self._words.update(memoryview(spelling[at : at + (len(spelling) - at) // _WORD * _WORD]).cast("I"))

    def _spans(self, data: bytes, *, tails: bool = False) -> list[Span]:
        """Return where secrets are, in no order; one may be in several."""
        found, seen = self._here(data, tails=tails), {data}
        for kind in kinds_in(data):
            found += self._behind(data, kind, LAYERS, seen, tails=tails)
        for kind in rare_kinds_in(data):
            found += self._behind(data, kind, 1, seen, tails=False)
        return found

    def _behind(self, data: bytes, kind: Kind, layers: int, seen: set[bytes], *, tails: bool) -> list[Span]:
        """Return where secrets are that are escaped, up to so many times, each time in any way of those that show.

        What one layer has uncovered may look like an escape of another kind, and be just that. ``seen`` holds what was
        looked at already: several ways often lead to the same text.
        """
        plain = unescape(data, kind) if layers else None
        if plain is None or plain in seen:
            return []
        seen.add(plain)
        inner = self._here(plain, tails=tails)
        for following in kinds_in(plain):
            inner += self._behind(plain, following, layers - 1, seen, tails=tails)
        return back(data, inner, kind) if inner else []

    def _here(self, data: bytes, *, tails: bool) -> list[Span]:
        return [*self._pieces(data), *self._whole(data), *(self._tail(data) if tails else ())]

    def _pieces(self, data: bytes) -> Iterator[Span]:
        words = memoryview(data + bytes(-len(data) % _WORD)).cast("I")
        if self._words.isdisjoint(words):
            return
        known = self._words
        for position in [index * _WORD for index, word in enumerate(words) if word in known]:
            for length, windows in self._windows.items():
                for start in range(max(0, position + _WORD - length), position + 1):
                    if data[start : start + length] in windows:
                        yield start, start + length

    def _whole(self, data: bytes) -> Iterator[Span]:
        for spelling in self._wholes:
            at = data.find(spelling)
            while at >= 0:
                yield at, at + len(spelling)
                at = data.find(spelling, at + len(spelling))

    def _tail(self, data: bytes) -> Iterator[Span]:
        """Find the beginning of a secret, too short for a piece, that the text ends with: what a cut has left of it."""
        for length in self._lengths:
            if len(data) >= length and data[-length:] in self._tails:
                yield len(data) - length, len(data)
                return


NOTHING: Final = Redactor(())


def redactor_of(values: frozenset[str]) -> Redactor:
    """Return the redactor of some secrets, made once; of large secrets only a few are kept."""
    return _of_large(values) if sum(map(len, values)) > _LARGE else _of_small(values)


@lru_cache(maxsize=256)
def _of_small(values: frozenset[str]) -> Redactor:
    return Redactor(values)


@lru_cache(maxsize=8)
def _of_large(values: frozenset[str]) -> Redactor:
    return Redactor(values)


def _cover(telling: set[bytes], windows: Sequence[bytes]) -> bool:
    """Tell whether pieces that tell something lie so close that no character is in none of them."""
    starts = [at for at, one in enumerate(windows) if one in telling]
    near = all(after - before <= len(windows[0]) for before, after in pairwise(starts))
    return bool(starts) and starts[0] == 0 and starts[-1] == len(windows) - 1 and near


@lru_cache(maxsize=1)
def _common_windows() -> frozenset[bytes]:
    """Return pieces, in all their spellings, that say of a secret what kind it is, and no more."""
    spelled = {one for phrase in _COMMON for one in spellings(phrase)}
    return frozenset(one[at : at + PIECE] for one in spelled for at in range(len(one) - PIECE + 1))


@lru_cache(maxsize=1)
def _common_text() -> bytes:
    return b"\n".join(utf8(phrase).lower() for phrase in _COMMON)


def _beginnings(spelling: bytes) -> Iterator[bytes]:
    text = spelling.decode("utf-8", "surrogatepass")
    for count in range(MIN_REMAINDER, min(PIECE, len(text))):
        beginning = utf8(text[:count])
        if beginning not in _common_text():
            yield beginning


def _blotted(data: bytes, spans: Iterable[Span]) -> str:
    """Return the text with a mask in place of each span, and of spans that touch."""
    kept: list[bytes] = []
    position, blotted_to = 0, -1
    for begin, stop in sorted(spans):
        start, end = _whole_characters(data, begin, stop)
        if start > blotted_to:
            kept += [data[position:start], MASK.encode()]
        position = blotted_to = max(position, end)
    return b"".join([*kept, data[position:]]).decode("utf-8", "surrogatepass")


def _whole_characters(data: bytes, start: int, end: int) -> Span:
    while start > 0 and data[start] in _WITHIN_CHARACTER:
        start -= 1
    while end < len(data) and data[end] in _WITHIN_CHARACTER:
        end += 1
    return start, end
