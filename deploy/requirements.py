"""Print what pyproject.toml requires for development, one requirement a line: the input of ``make lock``.

pip-compile reads pyproject.toml itself, but would then pin this project too, by its path on this machine.
"""

import sys
import tomllib
from pathlib import Path

_EXTRAS = ("embedded", "dev")


def requirements(pyproject: str) -> list[str]:
    """Return the requirements of the package and its extras, without itself."""
    project = tomllib.loads(pyproject)["project"]
    named = [*project["dependencies"]]
    for extra in _EXTRAS:
        named += project["optional-dependencies"][extra]
    return [line for line in named if not line.startswith(f"{project['name']}[")]


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(Path("pyproject.toml").read_text())) + "\n")
