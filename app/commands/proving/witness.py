"""Sees whether somebody removed or changed what a run has made, while it ran: what is missing then was not lost."""

from app.commands.api_client import ApiClient, path_of
from app.commands.exit_codes import ExitCode
from app.commands.proving.workflows import customers_of
from app.domain.errors import SetupError
from app.services.proving.load import Load


class MeddledError(SetupError):
    """Somebody removed or changed what the run needs; the text says what."""

    exit_code = ExitCode.CONFLICT


class Witness:
    """Knows a run's workflows as it made them, and its customers by a tag that it puts on them itself.

    Args:
        api: Of the installation.
        load: The run's.
        versions: Of its workflows, by the names that they have here.
    """

    def __init__(self, api: ApiClient, load: Load, versions: dict[str, int]) -> None:
        self._api = api
        self._load = load
        self._versions = versions
        self._tagged: list[str] = []

    def tag(self, events: int) -> None:
        """Put its tag on the customers that some events will be about."""
        for customer in self._load.witnesses(events):
            self._api.call("PUT", path_of("crm", "customers", customer, "tags", self._load.witness))
            self._tagged.append(customer)

    def check(self) -> None:
        """See whether all is as it was made.

        Raises:
            MeddledError: It is not.
        """
        meddled = [said for name, version in self._versions.items() if (said := self._workflow(name, version))]
        meddled += self._customers()
        if meddled:
            raise MeddledError(
                f"somebody else has meddled with this run: {', '.join(meddled)}. What came of its events cannot be "
                "told any more: this shows neither that anything was lost nor that nothing was"
            )

    def _workflow(self, name: str, version: int) -> str:
        found = self._api.find(path_of("workflows", self._load.ids[name]))
        called = f"the workflow {self._load.called(name)!r}"
        if found is None:
            return f"{called} was removed"
        return "" if found["version"] == version else f"{called} was changed, or switched off"

    def _customers(self) -> list[str]:
        if not self._tagged:
            return []
        there = {
            one["id"] for one in customers_of(self._api, self._load.customers) if self._load.witness in one["tags"]
        }
        gone = [customer for customer in self._tagged if customer not in there]
        more = f", and {len(gone) - 1} more," if gone[1:] else ""
        return [f"the customer {gone[0]}{more} was removed"] if gone else []
