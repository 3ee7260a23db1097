"""What a line may hold: values that JSON has, of bounded size, without secrets; errors as objects (docs/logs.md).

Whatever somebody logs becomes a line: bytes, lone surrogates, numbers of a thousand digits, objects whose ``str()``
raises, a megabyte. What is too long is cut, with a mark that says how much is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

MAX_CAUSES: Final = 5
MAX_FRAMES: Final = 20
_MAX_DEPTH: Final = 4
_INT64: Final = range(-(2**63), 2**64)
_PACKAGES: Final = "site-packages/"


@dataclass(frozen=True, slots=True)
class Values:
    """Makes values fit for a line.

    Attributes:
        clean: Takes secrets out of a text.
        chars: Characters of one text, at most.
        members: Members of one list or object, at most.
    """

    clean: Callable[[str], str]
    chars: int = 4096
    members: int = 50

    def value(self, value: object, depth: int = 0) -> Any:
        """Return a value as JSON may have it."""
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int) and value in _INT64:
            return value
        if depth < _MAX_DEPTH and isinstance(value, Mapping):
            pairs = [pair for pair, _ in zip(value.items(), range(self.members), strict=False)]
            return {self.text(said(key)): self.value(member, depth + 1) for key, member in pairs}
        if depth < _MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
            members = [member for member, _ in zip(value, range(self.members), strict=False)]
            return [self.value(member, depth + 1) for member in members]
        return self.text(said(value))

    def text(self, text: str) -> str:
        """Return a text that is short enough, is Unicode, and holds no secret."""
        clean = self.clean(text[: self.chars])  # what a cut leaves of a secret at its end goes as well
        if len(text) > self.chars:
            clean += f"... ({len(text) - self.chars} more characters)"
        return clean if clean.isascii() else clean.encode("utf-8", "backslashreplace").decode("utf-8")

    def error(self, error: BaseException, trace: TracebackType | None, seen: frozenset[int] = frozenset()) -> Any:
        """Return an error as an object: its type, its words, where it was raised, what caused it.

        Without the values of variables, which may be anything; and with its last frames only.
        """
        seen |= {id(error)}
        told: dict[str, Any] = {"type": _named(type(error)), "message": self.text(said(error))}
        frames = _frames(trace)
        told["frames"] = frames[-MAX_FRAMES:]
        if len(frames) > MAX_FRAMES:
            told["frames_left_out"] = len(frames) - MAX_FRAMES
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        room = len(seen) < MAX_CAUSES
        if cause is not None and room and id(cause) not in seen:
            told["cause"] = self.error(cause, cause.__traceback__, seen)
        if isinstance(error, BaseExceptionGroup) and room:
            told["errors"] = [self.error(one, one.__traceback__, seen) for one in error.exceptions[:MAX_CAUSES]]
        return told


def said(value: object) -> str:
    """Return what an object says of itself; one that cannot is named by its type."""
    try:
        return value if type(value) is str else str(value)
    except Exception:  # noqa: BLE001 - whatever it is, its line is written
        return f"<a {type(value).__name__} that cannot be shown>"


def _named(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _frames(trace: TracebackType | None) -> list[str]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{_short(code.co_filename)}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return frames


def _short(file: str) -> str:
    """Return a file's name as a reader looks for it: from the package on, or from the folder we run in."""
    if _PACKAGES in file:
        return file.rpartition(_PACKAGES)[2]
    here = f"{_HERE}/"
    return file.removeprefix(here)


_HERE: Final = Path(__file__).parents[2]
