"""The errors our own code raises on purpose; each says what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from app.domain.breaker import Verdict


class HeadraceError(Exception):
    """Base of all errors that are ours.

    Attributes:
        exit_code: What a command ends with that it gets as far as.
    """

    exit_code = 1


# Of what is wrong with a record, in its dead letter.
_MOST_NAMED: Final = 10
# SQLSTATE classes of what a row can be at fault for: its data, a constraint, a limit such as the depth of its JSON.
AT_FAULT: Final = ("22", "23", "54")


class SettingsError(HeadraceError):
    """A setting is missing or wrong; the text names the variable."""


class UnreachableError(HeadraceError):
    """Kafka or Postgres does not answer; the text says where it was looked for and what to do."""


class StartRefusedError(HeadraceError):
    """A role would run wrong if it started; the text says all that is wrong, and what to do about it."""

    exit_code = 2


class BehindError(HeadraceError):
    """Somebody takes up what they are told more slowly than it comes, and is told no more."""


class NotReadyError(HeadraceError):
    """A process cannot do its work now, or not yet; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: ``path`` as in ``actions[1].config.url``, and why."""

    path: str
    message: str


class InvalidError(HeadraceError):
    """Input that breaks a contract, with the path to each wrong field."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{e.path}: {e.message}" if e.path else e.message for e in errors))
        self.errors = errors


class NotPermittedError(HeadraceError):
    """The caller lacks a permission for what they ask; the text names it, and each field that needs one."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.path}: {error.message}".removeprefix(": ") for error in errors))
        self.errors = errors


class PoisonError(HeadraceError):
    """A Kafka record that can never be processed; it belongs in the dead letters.

    ``reason`` is a short stable word, used as a metric label.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    @classmethod
    def naming(cls, reason: str, errors: Sequence[FieldError]) -> Self:
        """Return one that names each wrong field, ten at most: the detail does not grow with what is in the record."""
        more = [f"and {len(errors) - _MOST_NAMED} more"] if len(errors) > _MOST_NAMED else []
        return cls(reason, "; ".join([*(f"{e.path}: {e.message}" for e in errors[:_MOST_NAMED]), *more]))


def our_mistake(error: BaseException) -> PoisonError:
    """Return why a record that our own code fails on goes to the dead letters: the kind of error, and no more.

    Its text may quote anything, secrets too, and dead letters are kept and shown. The process's log has it, blotted.
    """
    return PoisonError("internal_error", type(error).__name__)


class ActionFailedError(HeadraceError):
    """An attempt at an action failed.

    Attributes:
        permanent: Trying again cannot help (bad config, most 4xx answers).
        retry_after: Seconds the destination asked us to wait, if it did.
        effect_unknown: The effect may have happened (the answer got lost).
        answered: The destination serves: it said no to this request.
        timed_out: There was no connection, or no answer, within the time the attempt had.
        own_making: The workflow's own: its timeout, the name, certificate or address it names, where it was
            redirected to. As any permanent failure without an answer it says nothing of the destination.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        effect_unknown: bool = False,
        answered: bool = False,
        timed_out: bool = False,
        own_making: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.effect_unknown = effect_unknown
        self.answered = answered
        self.timed_out = timed_out
        self.own_making = own_making

    @property
    def verdict(self) -> Verdict:
        """What the failure says of the destination, for its circuit breaker."""
        if self.answered:
            return Verdict.SERVES
        return Verdict.NOTHING if self.permanent or self.own_making else Verdict.FAILS


class CostlyError(ActionFailedError):
    """A step takes more CPU than one may; permanent, and counted against the step."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class SecretsKeyError(HeadraceError):
    """``HEADRACE_SECRETS_KEY`` is not set, or does not open what it should; the text says what to do."""


class SupersededError(HeadraceError):
    """A newer incarnation of this instance runs; this process must end without acking."""


class NotFoundError(HeadraceError):
    """No such thing, or none that the caller may see."""


class StaleVersionError(HeadraceError):
    """The thing changed since the caller read it (If-Match)."""


class ConflictError(HeadraceError):
    """What is asked for does not fit the state that the thing is in; the text says what to do first."""


class KeyReusedError(HeadraceError):
    """Another request was made under the same ``Idempotency-Key``, by the same caller."""

    def __init__(self) -> None:
        super().__init__("The Idempotency-Key was used for another request; use a new one")


class UnfitError(HeadraceError):
    """What is stored cannot be put to work as it is: each field that keeps it from that is named."""

    def __init__(self, doing: str, errors: list[FieldError]) -> None:
        super().__init__(doing)
        self.errors = errors


class SetupError(HeadraceError):
    """Something that this machine lacks or refuses: one line that says what, and what to do next."""
