"""docker-compose.yml as compose reads it: anchors merged, variables filled in from an environment."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from app.settings import Settings

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
EXAMPLE: Final = ROOT / ".env.example"
# Of the containers alone, and of what their services are called.
NOT_OURS: Final = ("KAFKA_", "POSTGRES_", "GF_")
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def compose() -> dict[str, Any]:
    """Return the file, with nothing filled in."""
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return read


def services() -> dict[str, dict[str, Any]]:
    """Return what it starts, by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """Return the services that run our image for production."""
    return {name: service for name, service in services().items() if service["image"] == "headrace"}


def filled_in(text: str, environment: Mapping[str, str]) -> str:
    """Return a value with its variables replaced.

    Raises:
        KeyError: One without a default is not set.
    """

    def value(found: re.Match[str]) -> str:
        name, sign, default = found.groups()
        return environment.get(name) or (default if sign == "-" else environment[name])

    return _VARIABLE.sub(value, text)


def variables(text: str) -> set[str]:
    """Return the names of the variables that a text asks for."""
    return {found[1] for found in _VARIABLE.finditer(text)}


def container_environment(service: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a container is given: a variable without a value is passed on where the environment has it."""
    given = {}
    for name, value in service.get("environment", {}).items():
        if value is not None:
            given[name] = filled_in(value, environment)
        elif name in environment:
            given[name] = environment[name]
    return given


def example(*, commented: bool = False) -> dict[str, str]:
    """Return the variables of the example; with ``commented`` those that it only proposes, too."""
    pattern = re.compile(r"^#?([A-Z][A-Z_]+)=(.*)$" if commented else r"^([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
    return dict(pattern.findall(EXAMPLE.read_text()))


def known() -> dict[str, str]:
    """Return every variable of the settings, and the name of its field."""
    return {field.alias or f"HEADRACE_{name.upper()}": name for name, field in Settings.model_fields.items()}
