"""What the run tells its hooks: where the API is, who calls it, and what is there. In variables of the environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

_VARIABLE: Final = "FUZZ_SETTING"


@dataclass(frozen=True)
class Setting:
    """What is fuzzed.

    Attributes:
        base: The API's URL.
        token: The caller's; an administrator's who is a user too.
        rows: Ids of what no operation makes (:class:`tests.openapi.ready.Things`).
        answers: The file that counts what each operation answered.
    """

    base: str
    token: str
    rows: Mapping[str, list[str]]
    answers: str

    def environment(self) -> dict[str, str]:
        """Return the variables; the token has one of its own, for the configuration."""
        return {_VARIABLE: json.dumps(asdict(self)), "FUZZ_TOKEN": self.token}

    def counted(self) -> dict[str, dict[str, int]]:
        """Return how often each operation has answered each status."""
        path = Path(self.answers)
        found: dict[str, dict[str, int]] = json.loads(path.read_text()) if path.exists() else {}
        return found


def read_setting() -> Setting:
    """Return what this process was told."""
    said: dict[str, Any] = json.loads(os.environ[_VARIABLE])
    return Setting(**said)
