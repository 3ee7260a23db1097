"""Configs of actions: checked on save with the path to each wrong field, compiled once per revision to be run."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from pydantic import ValidationError

from app.actions.base import STORED, ActionConfig, AnyAction, CompiledConfig
from app.actions.registry import REGISTRY
from app.actions.templated import Compiled, compile_config
from app.domain.errors import ActionFailedError, FieldError

CACHED_CONFIGS: Final = 512
_CANONICAL: Final = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True)
class CompiledAction:
    """An action type with one compiled config, ready to prepare commands."""

    action: AnyAction
    config: CompiledConfig[ActionConfig]


def validate_config(action_type: str, config: dict[str, Any], path: str = "config") -> list[FieldError]:
    """Check a config as a user wrote it; paths of the errors begin with ``path``.

    An unknown action type is one error, at ``path``.
    """
    return [_under(path, error) for error in _load(action_type, config)[1]]


def compile_action(action_type: str, config: dict[str, Any]) -> CompiledAction:
    """Return the compiled action, from a bounded cache where this process has compiled it before.

    Raises:
        ActionFailedError: Permanent; the config does not hold (any more), and the text names the field.
    """
    return _compile(action_type, orjson.dumps(config, option=_CANONICAL))


@lru_cache(maxsize=CACHED_CONFIGS)
def _compile(action_type: str, canonical: bytes) -> CompiledAction:
    compiled, errors = _load(action_type, orjson.loads(canonical), stored=True)
    if compiled is None or errors:
        raise ActionFailedError("; ".join(f"config.{e.path}: {e.message}" for e in errors), permanent=True)
    return compiled


def _load(
    action_type: str, config: dict[str, Any], *, stored: bool = False
) -> tuple[CompiledAction | None, list[FieldError]]:
    action = REGISTRY.find(action_type)
    if action is None:
        return None, [FieldError("", f"no action type {action_type!r}; there are {', '.join(REGISTRY.names())}")]
    try:
        model: ActionConfig = action.config.model_validate(config, context=STORED if stored else None)
    except ValidationError as error:
        return None, [FieldError(_path(d["loc"]), _message(d["msg"])) for d in error.errors(include_url=False)]
    compiled: Compiled[ActionConfig]
    compiled, errors = compile_config(model, takes_secrets=action.takes_secrets)
    return CompiledAction(action, compiled), errors


def _path(loc: tuple[int | str, ...]) -> str:
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")


def _under(path: str, error: FieldError) -> FieldError:
    joint = "." if error.path and not error.path.startswith("[") else ""
    return FieldError(f"{path}{joint}{error.path}", error.message)
