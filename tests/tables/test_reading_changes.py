"""What a record of the workflow table's changelog says: a revision, one that cannot be read, or a tombstone."""

from typing import Any

import orjson
import pytest

from app.services.workflows.index import Applied, Tombstone, Unreadable, WorkflowIndex
from schemas.workflow import Revision
from tables.workflows import read_change
from tests.tables.revisions import revision, workflow_id

KEY = str(workflow_id(0)).encode()


def changed(**fields: Any) -> bytes:
    """A revision's record with fields of another kind."""
    return orjson.dumps({**orjson.loads(revision(0, 2).encode()), **fields})


def test_a_revision_is_of_the_workflow_that_its_key_names() -> None:
    """One under another's key is none: it would replace what it has no right to."""
    assert read_change(KEY, revision(0, 2).encode()) == revision(0, 2)
    assert read_change(KEY, None) == Tombstone(workflow_id(0))
    with pytest.raises(ValueError, match="its record's key says"):
        read_change(KEY, revision(1).encode())


@pytest.mark.parametrize("fields", [{"actions": [{}]}, {"trigger": {"type": "x y"}}, {"name": 5}, {"owner": None}])
def test_what_cannot_be_read_ends_the_version_before(fields: dict[str, Any]) -> None:
    """The workflow is broken with what is wrong, nothing older runs on, and the next version mends it."""
    index = WorkflowIndex()
    index.apply(revision(0, 1))
    change = read_change(KEY, changed(**fields))
    assert isinstance(change, Unreadable)
    assert index.apply(change) is Applied.BROKEN
    assert next(iter(fields)) in index.broken[workflow_id(0)]
    assert index.matching("order.created") == ()
    assert index.versions() == {workflow_id(0): 2}
    assert index.apply(read_change(KEY, revision(0, 1).encode())) is Applied.STALE
    assert index.apply(revision(0, 3)) is Applied.ACTIVE
    assert index.broken == {}


@pytest.mark.parametrize(
    "value",
    [b"{", b"[]", b"5", b"{}", changed(version="x"), changed(version=0), changed(id="x")],
)
def test_rubbish_is_no_change(value: bytes) -> None:
    """What does not say which version of this workflow it is changes nothing."""
    with pytest.raises(ValueError, match=r".+"):
        read_change(KEY, value)


def test_numbers_that_postgres_has_written_out_are_read() -> None:
    """A hundred quintillion is twenty-one digits there, and nothing that could be encoded again as a whole number."""
    value = changed(conditions=[{"field": "a", "operator": "==", "value": 0}]).replace(
        b'"value":0', b'"value":100000000000000000000'
    )
    change = read_change(KEY, value)
    assert isinstance(change, Revision)
    assert change.conditions[0]["value"] == 1e20
    assert WorkflowIndex().apply(change) is Applied.ACTIVE
