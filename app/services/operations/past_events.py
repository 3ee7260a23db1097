"""Which event a workflow is tried on: one that is given, a sample of its trigger's type, or one that really came."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.domain.callers import Caller
from app.domain.errors import FieldError, InvalidError, NotFoundError
from app.ports.executions import ExecutionFilter
from app.services.ingest.event_samples import sample_event
from app.services.operations.event_finding import EventFinder, Sought
from app.services.operations.executions import ExecutionService

_LOOKED_AT: Final = 50
_NOT_LOGGED: Final = "The log has no execution of such an event that you may see"
_PASTE: Final = "paste the event itself to try it"


def sample_attributes(event_type: str) -> dict[str, Any]:
    """Return a sample event of a trigger's type.

    Raises:
        InvalidError: There is none of it.
    """
    try:
        return sample_event(event_type)
    except KeyError:
        raise InvalidError([FieldError("sample", f"there is no sample of {event_type}; give an event")]) from None


class PastEvents:
    """Finds events: in the log, as far as their executions are the caller's to see, else in the topics.

    Args:
        executions: The log.
        finder: Reads the topics, for who may read customers.
    """

    def __init__(self, executions: ExecutionService, finder: EventFinder) -> None:
        self._executions = executions
        self._finder = finder

    async def of_execution(self, caller: Caller, execution_id: UUID) -> Mapping[str, Any]:
        """Return the event that an execution was started by.

        Raises:
            NotFoundError: The caller may see no such execution, or the log's row of it has no event that can be read.
        """
        found = await self._executions.get(caller, execution_id)
        if any(one.path == "event" for one in found.unreadable):
            raise NotFoundError(f"The event of this execution cannot be read in the log; {_PASTE}")
        return found.event

    async def called(self, caller: Caller, sought: Sought) -> Mapping[str, Any]:
        """Return the event of a source and an id; where the log has none, one that the topics still hold.

        Raises:
            NotFoundError: It is in neither, or not for the caller.
            UnreachableError: Kafka does not answer.
            LookingError: There are too many looks at the topics at once.
        """
        event = await self._logged(caller, sought)
        if event is not None:
            return event
        if not caller.may("crm:read"):
            raise NotFoundError(f"{_NOT_LOGGED}, and the topics are for who may crm:read; {_PASTE}")
        try:
            return await self._finder.event(caller, sought)
        except NotFoundError as error:
            raise NotFoundError(f"{_NOT_LOGGED}. In the topics: {error} Or {_PASTE}.") from None

    async def _logged(self, caller: Caller, sought: Sought) -> Mapping[str, Any] | None:
        page = await self._executions.find(caller, ExecutionFilter(event_id=sought.event_id), None, _LOOKED_AT)
        for row in page.items:
            event = (await self._executions.get(caller, row.id)).event
            if event.get("source") == sought.source:
                return event
        return None
