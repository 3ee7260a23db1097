"""What dry runs need of the code that runs in earnest, which prepares steps and looks up what is current."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from app.domain.callers import Caller
from app.domain.errors import ActionFailedError
from app.ports import OwnerRights, SecretValues
from schemas.result import ActionResult

CurrentValues = Mapping[str, Any] | ActionFailedError


class PreparedStep(Protocol):
    """A step that could be carried out."""

    @property
    def request(self) -> Any:
        """What the action would send."""

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """Of the step's own conditions."""


P = TypeVar("P", bound=PreparedStep)
# The step: resolved by code above the ports, which hand it through.
S_contra = TypeVar("S_contra", contravariant=True)


class StepPreparer(Protocol[S_contra, P]):
    """Prepares the steps of one action type; ``app.execution.preparation.Preparer`` is one."""

    def prepare(self, step: S_contra, current: CurrentValues | None, secrets: SecretValues, /) -> P | ActionResult:
        """Return what would be carried out, or the result of a step of which nothing is."""

    def permitted(self, prepared: P, owner: Caller, /) -> P | ActionResult:
        """Return what would be carried out, or the failed result of a step that its owner has no permission for."""


class CurrentSource(Protocol[S_contra]):
    """Looks up what steps ask for of ``current``; ``app.execution.current_values.Current`` is one."""

    async def of(
        self, steps: Sequence[S_contra], rights: OwnerRights, /, *, chosen: bool
    ) -> Sequence[CurrentValues | None]:
        """Return what ``current`` is for each step: None where it does not ask, an error where it cannot be known."""
