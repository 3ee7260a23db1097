"""Configs of actions: checked on save with the path to each wrong field, compiled once per revision to be run."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import ValidationError

from app.actions.base import STORED, ActionConfig, AnyAction, CompiledConfig
from app.actions.registry import REGISTRY
from app.actions.templated import Compiled, compile_config
from app.domain.caching import WeighedCache
from app.domain.errors import ActionFailedError, FieldError
from schemas.field_errors import field_errors, under
from schemas.json_types import validated

CACHED_BYTES: Final = 32 * 2**20
# What does not compile is not tried again for each command, and yet again before long: the wall may have been bad luck.
_BROKEN_FOR_S: Final = 60.0
_MAX_REASON: Final = 2_000
_MAX_QUOTED: Final = 100
# Of a config beside its templates: the model, and what each byte of JSON takes as objects.
_OVERHEAD: Final = 4_000
_BYTES_PER_BYTE: Final = 3
_FIRST_NAME: Final = re.compile(r"[.\[]")
_CANONICAL: Final = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True)
class CompiledAction:
    """An action type with one compiled config, ready to prepare commands."""

    action: AnyAction
    config: CompiledConfig[ActionConfig]


@dataclass(frozen=True, slots=True)
class _Broken:
    """Why a config does not compile, and until when that is not looked at again."""

    reason: str
    until: float


ConfigKey = tuple[str, bytes]
_cache: Final[WeighedCache[ConfigKey, CompiledAction | _Broken]] = WeighedCache(CACHED_BYTES)


def _in_templates(action: AnyAction, config: dict[str, Any], known: Sequence[FieldError]) -> list[FieldError]:
    """Return what is wrong with the templates of the fields that are not refused already."""
    refused = {_FIRST_NAME.split(error.path, maxsplit=1)[0] for error in known}
    fields = {name: None if name in refused else config.get(name) for name in action.config.model_fields}
    return compile_config(action.config.model_construct(**fields), takes_secrets=action.takes_secrets)[1]


def validate_config(action_type: str, config: dict[str, Any], path: str = "config") -> list[FieldError]:
    """Check a config as a user wrote it; paths of the errors begin with ``path``.

    An unknown action type is one error, at ``path``.
    """
    return under(path, _load(action_type, config)[1])


def compile_action(action_type: str, config: dict[str, Any], owner: UUID | None = None) -> CompiledAction:
    """Return the compiled action, from a bounded cache where this process has compiled it before.

    Args:
        action_type: The action's type.
        config: The config as it was saved.
        owner: Whose it is; no owner's configs put all the others' out of the cache.

    Raises:
        ActionFailedError: Permanent; the config does not hold (any more), and the text names the field.
    """
    return compile_keyed(config_key(action_type, config), config, owner)


def config_key(action_type: str, config: dict[str, Any]) -> ConfigKey:
    """Return what a config is found by: its type and a digest, the same whatever the order of its keys."""
    return action_type, blake2b(orjson.dumps(config, option=_CANONICAL), digest_size=32).digest()


def compile_keyed(key: ConfigKey, config: dict[str, Any], owner: UUID | None) -> CompiledAction:
    """Do as :func:`compile_action` does, for who knows the config's key already.

    Raises:
        ActionFailedError: Permanent; the config does not hold (any more), and the text names the field.
    """
    found = _cache.get(key)
    if found is None or (isinstance(found, _Broken) and found.until < time.monotonic()):
        found, weight = _compile(key[0], orjson.dumps(config, option=_CANONICAL), owner)
        _cache.put(key, found, weight, owner)
    if isinstance(found, _Broken):
        raise ActionFailedError(found.reason, permanent=True)
    return found


def _compile(action_type: str, canonical: bytes, owner: UUID | None) -> tuple[CompiledAction | _Broken, int]:
    """Compile, or say what is wrong; with about how many bytes the outcome takes."""
    compiled, errors = _load(action_type, orjson.loads(canonical), owner, stored=True)
    if compiled is None or errors:
        reason = "; ".join(f"config.{e.path}: {e.message}" for e in errors)[:_MAX_REASON]
        return _Broken(reason, time.monotonic() + _BROKEN_FOR_S), _OVERHEAD
    return compiled, _OVERHEAD + compiled.config.weight + _BYTES_PER_BYTE * len(canonical)


def _load(
    action_type: str, config: dict[str, Any], owner: UUID | None = None, *, stored: bool = False
) -> tuple[CompiledAction | None, list[FieldError]]:
    action = REGISTRY.find(action_type)
    if action is None:
        known = ", ".join(REGISTRY.names())
        return None, [FieldError("", f"no action type {action_type[:_MAX_QUOTED]!r}; there are {known}")]
    try:
        read = action.config.model_validate
        model: ActionConfig = read(config, context=STORED) if stored else validated(config, action.config)
    except ValidationError as error:
        errors = field_errors(error, action.config)
        return None, [*errors, *_in_templates(action, config, errors)]
    compiled: Compiled[ActionConfig]
    compiled, errors = compile_config(model, takes_secrets=action.takes_secrets, owner=owner)
    return CompiledAction(action, compiled), errors
