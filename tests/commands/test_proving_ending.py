"""What a run leaves: nothing where its executions can end, and else it says what it cannot end."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from app.commands.proving.ending import Ending
from app.commands.proving.progress import Progress
from app.commands.proving.recount import recount
from app.commands.proving.witness import MeddledError, Witness
from app.services.proving.ledger import Ledger
from app.services.proving.load import HOOK, OWN, Load
from tests.support.proving_api import Installation, ProvingApi, Who

_ADA = Who("ada")


@pytest.fixture
def there() -> Installation:
    """An installation in which nothing is yet."""
    return Installation()


@pytest.fixture
def load(there: Installation) -> Load:
    """A run whose workflows are made."""
    made = Load("0123abcd", 20, crm=True)
    for name in made.names:
        made.ids[name] = UUID(there.make("ada", made.called(name), "", made.event_type)["id"])
    there.customers[made.entity(0)].add("a")
    return made


def begun(load: Load, events: int) -> Iterator[UUID]:
    """Yield the executions of some events."""
    return (execution for execution, _ in load.expected(range(events)))


async def put_away(there: Installation, load: Load, executions: set[UUID], *, patient: bool) -> None:
    """End a run, which waits no time for executions that do not end."""
    api = ProvingApi(there, _ADA)
    await Ending(api, load, Progress(), quiet_s=0.0, every_s=0.0).put_away(executions, patient=patient)


async def test_executions_may_end_before_their_workflows_are_removed(
    there: Installation, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where their webhooks are received: nothing is cancelled, and nothing is left to be told."""
    executions, at_work = set(begun(load, 3)), []

    def end_one() -> None:
        at_work.append(there.left("0123abcd")[0])
        there.rows.add(next(iter(executions - there.rows)))

    there.looked = end_one
    await put_away(there, load, executions, patient=True)
    assert (at_work, there.left("0123abcd")) == ([3] * 9, (0, 0))
    assert "have not ended" not in capsys.readouterr().err


async def test_what_begins_to_wait_after_the_deletion_is_ended(
    there: Installation, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was queued; what stays queued is told by its number, and that it fails."""
    executions = set(begun(load, 2))
    some = set(list(executions)[:2])

    def come() -> None:
        if not there.rows:
            there.waiting[str(load.ids[HOOK])] += 2
        there.rows |= some

    there.looked = come
    await put_away(there, load, executions, patient=False)
    assert (there.waiting.total(), there.left("0123abcd")) == (0, (0, 0))
    said = capsys.readouterr().err
    assert "4 executions of this run have not ended" in said
    assert "`headrace prove --clean` ends what waits" in said


async def test_a_run_whose_executions_have_ended_looks_for_none(there: Installation, load: Load) -> None:
    """Reading the whole log again would take long after a long run."""

    def look() -> None:
        raise AssertionError

    there.looked = look
    await put_away(there, load, set(), patient=True)
    assert there.left("0123abcd") == (0, 0)


@pytest.fixture
def witness(there: Installation, load: Load) -> Witness:
    """One that has tagged the run's customers, of whom two have tags and notes of its own."""
    seeing = Witness(ProvingApi(there, _ADA), load, dict.fromkeys(load.names, 1))
    seeing.tag(1000)
    seeing.check()
    return seeing


def test_the_removal_of_a_workflow_is_noticed(there: Installation, load: Load, witness: Witness) -> None:
    """By whomever: what its events came to is not told as lost."""
    ProvingApi(there, _ADA).call("DELETE", f"/api/v1/workflows/{load.ids[HOOK]}")
    with pytest.raises(MeddledError, match=f"{HOOK}' was removed"):
        witness.check()


def test_a_change_of_a_workflow_is_noticed(there: Installation, load: Load, witness: Witness) -> None:
    """Also one that was taken back: events that came meanwhile were not run as they had to be."""
    ProvingApi(there, _ADA).call("POST", f"/api/v1/workflows/{load.ids[OWN]}/deactivate")
    with pytest.raises(MeddledError, match=f"{OWN}' was changed, or switched off"):
        witness.check()


def test_the_removal_of_a_customer_is_noticed(there: Installation, load: Load, witness: Witness) -> None:
    """Though the next event makes them again: the witness's own tag is gone."""
    for number in (0, 10):
        del there.customers[load.entity(number)]
        there.customers[load.entity(number)].add("b")
        with pytest.raises(MeddledError, match=f"{load.entity(0)}{', and 1 more,' if number else ''} was removed"):
            witness.check()


def test_the_witnesses_own_tag_is_no_effect(there: Installation, load: Load, witness: Witness) -> None:
    """The recount leaves it out, or every run would have done something that nobody asked for."""
    del witness
    tag = f"{load.run}-0"
    there.customers[load.entity(0)] = {tag, load.witness}
    assert recount(ProvingApi(there, _ADA), load, Ledger(), {}).tags == {tag: 1}


def test_witnesses_are_bounded_and_spread(load: Load) -> None:
    """Each takes a request; a short run needs only those whom its events are about."""
    assert load.witnesses(1000) == [load.entity(0), load.entity(10)]
    assert load.witnesses(5) == [load.entity(0)]
    many = Load("0123abcd", 3000, crm=True)
    chosen = many.witnesses(1_500_000)
    assert (len(chosen), chosen[0]) == (50, many.entity(0))
    assert int(chosen[-1].rpartition("-")[2]) > 2900
    assert not Load("0123abcd", 20, crm=False).witnesses(1000)
