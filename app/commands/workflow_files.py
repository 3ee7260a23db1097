"""Workflows in files: read as ``app.services.workflows.files`` does, and what is wrong told with its file and line."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.commands.exit_codes import ExitCode
from app.domain.errors import FieldError, SetupError
from app.services.workflows.files.documents import Document, documents_of
from app.services.workflows.files.yaml_values import UnreadableError

_MAX_BYTES: Final = 32 * 1024 * 1024


class WrongFilesError(SetupError):
    """Something in the files is wrong: each of it with its file, its line and its field."""

    exit_code = ExitCode.WRONG

    def __init__(self, wrong: Sequence[tuple[str, FieldError]]) -> None:
        self.errors = [FieldError(f"{place} {error.path}".strip(), error.message) for place, error in wrong]
        many = "1 thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
        super().__init__("\n  ".join([f"{many} wrong; nothing was changed", *map(_said, wrong)]))


def read_documents(files: Sequence[Path]) -> list[Document]:
    """Return every workflow of some files; ``-`` is standard input.

    Raises:
        WrongFilesError: A file is no YAML or JSON, or holds something other than workflows.
    """
    found: list[Document] = []
    wrong: list[tuple[str, FieldError]] = []
    for file in files:
        try:
            found += documents_of(str(file), _text(file))
        except UnreadableError as error:
            wrong.append((f"{file}:{error.line}" if error.line else str(file), FieldError("", error.message)))
    if wrong:
        raise WrongFilesError(wrong)
    return found


def _said(wrong: tuple[str, FieldError]) -> str:
    place, error = wrong
    return f"{place}: {error.path}: {error.message}" if error.path else f"{place}: {error.message}"


def _text(file: Path) -> str:
    try:
        raw = sys.stdin.buffer.read(_MAX_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UnreadableError(None, error.strerror or str(error)) from None
    if len(raw) > _MAX_BYTES:
        raise UnreadableError(None, f"has more than {_MAX_BYTES // 1024 // 1024} MiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(raw.count(b"\n", 0, error.start) + 1, "is no text in UTF-8") from None
