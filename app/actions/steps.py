"""Steps, resolved once a command: what is compiled of them, and what they read, for all who handle the command.

What is compiled is kept in two caches bounded in bytes, of which no owner holds more than a share. A resolved step
keeps a hold of it for as long as its command is under way, and no longer. What a config is found by is remembered for
as long as its action is in memory: commands of one revision share their actions, and a large config takes longer to
digest than all else that is done to find it.
"""

from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from app.actions.base import CompiledConfig
from app.actions.configs import CompiledAction, ConfigKey, compile_keyed, config_key
from app.domain.by_identity import ByIdentity
from app.domain.caching import WeighedCache
from app.domain.conditions import CompiledConditions, ConditionError, compile_conditions
from app.domain.errors import ActionFailedError
from schemas.command import Command
from schemas.workflow import Action

_CACHED_BYTES: Final = 8 * 2**20
# What compiled conditions take for each byte of their JSON, of which the key is one, and for each of them; measured.
_BYTES_PER_BYTE: Final = 30
_BYTES_PER_CONDITION: Final = 2_000
_conditions: Final[WeighedCache[bytes, CompiledConditions]] = WeighedCache(_CACHED_BYTES)
_keys: Final = ByIdentity[Action, ConfigKey]()
_NOTHING: Final[frozenset[str]] = frozenset()


class ResolvedStep(NamedTuple):
    """The step that a command is for; what does not compile reads nothing, and says so when it is prepared.

    A tuple, because thousands are made each second.

    Attributes:
        command: The command, as it travels on.
        action: Its action, with the texts of a message template in place of the template's name.
        current: Which members of ``current`` its templates and conditions look at.
        secrets: Names of the secrets that it uses.
        compiled: Its compiled action, or why it does not compile.
        own: Its conditions, compiled, or why they do not compile; None where it has none.
    """

    command: Command
    action: Action
    current: frozenset[str]
    secrets: frozenset[str]
    compiled: CompiledAction | str
    own: CompiledConditions | ConditionError | None

    @property
    def results(self) -> bool:
        """Whether it may look at what the steps before came to."""
        return self.own is not None or (not isinstance(self.compiled, str) and self.compiled.config.results)

    @property
    def config(self) -> CompiledConfig[Any]:
        """The compiled config.

        Raises:
            ActionFailedError: Permanent; it does not compile, and the text says why.
        """
        if isinstance(self.compiled, str):
            raise ActionFailedError(self.compiled, permanent=True)
        return self.compiled.config

    @property
    def conditions(self) -> CompiledConditions | None:
        """The step's own conditions, compiled; None where it has none.

        Raises:
            ConditionError: The revision is older than this program's rules.
        """
        if isinstance(self.own, ConditionError):
            raise ConditionError(self.own.path, self.own.message)
        return self.own

    def unconditional(self) -> "ResolvedStep":
        """Return the step as if it had no conditions."""
        return self._replace(own=None)


def resolve(command: Command, action: Action | None = None) -> ResolvedStep:
    """Resolve a command's step.

    Args:
        command: The command. What is compiled takes its owner's share of the caches.
        action: Its action with a message template's texts; None: as the command has it.
    """
    action, owner = action or command.action, command.workflow.owner
    compiled, own = _config(action, owner), _own_conditions(action, owner)
    if isinstance(compiled, str):
        return ResolvedStep(command, action, _NOTHING, _NOTHING, compiled, own)
    current = compiled.config.current
    if own is not None:
        current = _NOTHING if isinstance(own, ConditionError) else current | own.current
    return ResolvedStep(command, action, current, compiled.config.secrets, compiled, own)


def _config(action: Action, owner: UUID) -> CompiledAction | str:
    try:
        return compile_keyed(_key(action), action.config, owner)
    except ActionFailedError as error:
        return str(error)


def _key(action: Action) -> ConfigKey:
    return _keys.get(action) or _keys.put(action, config_key(action.type, action.config))


def _own_conditions(action: Action, owner: UUID) -> CompiledConditions | ConditionError | None:
    if not action.conditions:
        return None
    encoded = orjson.dumps(action.conditions)
    found = _conditions.get(encoded)
    if found is None:
        try:
            found = compile_conditions(orjson.loads(encoded), current="read", stored=True)
        except ConditionError as error:
            return error.with_traceback(None)
        _conditions.put(encoded, found, _weight(encoded), owner)
    return found


def _weight(encoded: bytes) -> int:
    return _BYTES_PER_BYTE * len(encoded) + _BYTES_PER_CONDITION * (1 + encoded.count(b'"operator"'))
