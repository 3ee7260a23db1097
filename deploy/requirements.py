"""Print requirements of pyproject.toml, one a line: the input of ``make lock``.

pip-compile reads pyproject.toml itself, but would then pin this project too, by its path on this machine.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any, Final

# What each lock pins beside or instead of what the package itself requires. The image installs `production`, has the
# stand-ins of outside services only in a target of its own, and needs `build` to make the wheel of this project.
_EXTRAS: Final = {"all": ("stand-ins", "embedded", "dev"), "production": (), "stand-ins": ("stand-ins",), "build": ()}
LOCKS: Final = tuple(_EXTRAS)


def requirements(pyproject: str, lock: str = "all") -> list[str]:
    """Return what a lock pins, without this project itself.

    Args:
        pyproject: The text of pyproject.toml.
        lock: One of ``LOCKS``.
    """
    read: dict[str, Any] = tomllib.loads(pyproject)
    project = read["project"]
    if lock == "build":
        return [*read["build-system"]["requires"]]
    named = [] if lock == "stand-ins" else [*project["dependencies"]]
    for extra in _EXTRAS[lock]:
        named += project["optional-dependencies"][extra]
    return [line for line in named if not line.startswith(f"{project['name']}[")]


if __name__ == "__main__":
    chosen = sys.argv[1] if sys.argv[1:] else "all"
    sys.stdout.write("\n".join(requirements(Path("pyproject.toml").read_text(), chosen)) + "\n")
