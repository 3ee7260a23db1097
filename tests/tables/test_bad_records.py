"""A bad record of the workflow table's changelog: what matchers make of it, and what brings the workflow back.

What docs/operating.md says of each kind: that it mends itself, or what somebody has to do.
"""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import faust
import orjson
from prometheus_client import REGISTRY

from app.services.operations.table_check import TableAge, TableCheck
from app.services.workflows.index import WorkflowIndex
from tables.workflows import build_workflow_table
from tests.tables.revisions import revision, workflow_id

ONE: Final = workflow_id(0)
KEY: Final = str(ONE).encode()
ERRORS: Final = "headrace_workflow_table_errors_total"


class Installation:
    """Postgres with one workflow, the relay, and the changelog; nothing of it but the changelog can be broken.

    Attributes:
        version: Of the workflow in Postgres.
        changelog: Its records by their offsets.
    """

    def __init__(self) -> None:
        self.version = 1
        self.changelog: dict[int, tuple[bytes, bytes | None]] = {}
        self._offset = 0
        self.save()

    def produce(self, key: bytes, value: bytes | None) -> None:
        """Write a record."""
        self.changelog[self._offset] = (key, value)
        self._offset += 1

    def save(self) -> None:
        """Store the workflow's next version, as switching it off or on does, and send it."""
        self.version += 1
        self.relay()

    def relay(self) -> None:
        """Send the newest version."""
        self.produce(KEY, revision(0, self.version).encode())

    def compact(self) -> None:
        """Keep each key's newest record, as the broker does sooner or later."""
        newest = {key: offset for offset, (key, _) in self.changelog.items()}
        self.changelog = {offset: self.changelog[offset] for offset in sorted(newest.values())}

    async def versions(self) -> Mapping[UUID, int]:
        """What Postgres holds."""
        return {ONE: self.version}

    async def send_again(self, workflow_ids: Sequence[UUID]) -> None:
        """What a matcher that lacks something asks for."""
        assert list(workflow_ids) == [ONE]
        self.relay()


class Matcher:
    """A matcher's table, which reads the changelog from its start."""

    def __init__(self, installation: Installation) -> None:
        self.index = WorkflowIndex()
        self._installation = installation
        self._table: Any = build_workflow_table(faust.App("bad-records"), self.index)
        self._next = 0
        self._check = TableCheck(self.index, installation, age=TableAge(1), every_s=1, grace_s=0, catching_up_s=0)

    async def read(self) -> None:
        """Read what has come."""
        for offset, (key, value) in list(self._installation.changelog.items()):
            if offset < self._next:
                continue
            message = SimpleNamespace(
                key=key, value=value, timestamp=None, topic="changelog", partition=0, offset=offset, headers=()
            )
            await self._table.on_changelog_event(SimpleNamespace(message=message))
            self._next = offset + 1

    async def compare(self) -> bool:
        """Compare with Postgres, read what that brings, and tell whether anything was missed."""
        missed = await self._check.check()
        await self.read()
        return bool(missed)

    @property
    def runs(self) -> int:
        """The version of the workflow that events start; 0: none."""
        found = self.index.matching("order.created")
        return found[0].version if found else 0


async def started(installation: Installation) -> Matcher:
    """A matcher that has read all there is."""
    matcher = Matcher(installation)
    await matcher.read()
    return matcher


async def with_bad(*records: tuple[bytes, bytes | None]) -> tuple[Installation, Matcher]:
    """An installation whose matcher runs, and whose changelog somebody else writes to."""
    installation = Installation()
    matcher = await started(installation)
    assert matcher.runs == 2
    for key, value in records:
        installation.produce(key, value)
    await matcher.read()
    return installation, matcher


def errors() -> float:
    """How many records could not be read."""
    return REGISTRY.get_sample_value(ERRORS) or 0.0


async def test_rubbish_under_a_workflows_key_mends_itself() -> None:
    """Running matchers pass it over; one that starts after the compaction lacks the workflow, and has it sent again."""
    before = errors()
    installation, matcher = await with_bad((KEY, b"\x00rubbish"))
    assert (matcher.runs, await matcher.compare(), errors()) == (2, False, before + 1)
    installation.compact()
    later = await started(installation)
    assert (later.runs, await later.compare(), later.runs) == (0, True, 2)
    installation.compact()
    count = errors()
    assert ((await started(installation)).runs, errors()) == (2, count)


async def test_a_key_of_nothing_is_only_noise() -> None:
    """No workflow is touched; each start counts it again, until a record without a value under its key removes it."""
    before = errors()
    installation, matcher = await with_bad((b"nobody", b"{}"))
    assert (matcher.runs, await matcher.compare(), errors()) == (2, False, before + 1)
    installation.compact()
    assert ((await started(installation)).runs, errors()) == (2, before + 2)
    installation.produce(b"nobody", None)
    installation.compact()
    assert (b"nobody", b"{}") not in installation.changelog.values()


async def test_a_newer_version_that_breaks_the_contract_stops_the_workflow_until_it_is_saved() -> None:
    """Its version equals Postgres's, so nothing is missed; any change of the workflow makes the next one."""
    installation, matcher = await with_bad()
    installation.version = 3
    installation.produce(KEY, orjson.dumps({**orjson.loads(revision(0, 3).encode()), "actions": [{}]}))
    await matcher.read()
    assert (matcher.runs, await matcher.compare(), list(matcher.index.broken)) == (0, False, [ONE])
    installation.compact()
    later = await started(installation)
    assert (later.runs, await later.compare()) == (0, False)
    installation.save()
    for one in (matcher, later):
        await one.read()
        assert (one.runs, one.index.broken) == (4, {})


async def test_a_version_that_never_was_runs_until_the_changelog_is_made_anew() -> None:
    """Those that Postgres gives later are lower, and passed over, also by matchers that start."""
    installation, matcher = await with_bad((KEY, revision(0, 99).encode()))
    installation.save()
    await matcher.read()
    assert (matcher.runs, await matcher.compare()) == (99, False)
    assert (await started(installation)).runs == 99
    installation.changelog.clear()
    later = await started(installation)
    assert (later.runs, await later.compare(), later.runs) == (0, True, 3)


async def test_a_tombstone_of_a_workflow_that_lives_stops_it_until_it_is_saved_or_the_matcher_starts_anew() -> None:
    """It is missed and sent again at each comparison, which a matcher that saw the tombstone takes for old news."""
    installation, matcher = await with_bad((KEY, None))
    assert (matcher.runs, await matcher.compare(), matcher.runs, await matcher.compare()) == (0, True, 0, True)
    installation.compact()
    assert (await started(installation)).runs == 2
    installation.save()
    await matcher.read()
    assert (matcher.runs, await matcher.compare()) == (3, False)
