"""What is removed of earlier runs is of runs that are over for certain, whoever asks for it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from app.commands.proving.earlier import Cleaned, NoRightError, OtherRunError, check_rights, clean, remove_crashed
from app.commands.proving.marks import mark
from app.services.proving.load import MARK
from app.topics import RETENTION
from tests.support.proving_api import ADMIN, Installation, ProvingApi, Who

_RUN = "0123abcd"
_ADA, _BEN = Who("ada"), Who("ben")


@pytest.fixture
def there() -> Installation:
    """An installation in which nothing is yet."""
    return Installation()


@pytest.fixture
def runs() -> Iterator[psutil.Process]:
    """The process of another run, which goes on."""
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


@pytest.fixture
def dead(runs: psutil.Process) -> str:
    """The mark of a run that has crashed."""
    marked = mark(runs)
    runs.kill()
    runs.wait()
    return marked


def elsewhere(process: psutil.Process) -> str:
    """Return the mark of a run on another machine."""
    return mark(process).replace(socket.gethostname(), "elsewhere")


def test_what_a_crashed_run_left_is_removed(there: Installation, dead: str) -> None:
    """Its workflows, with what waits of them, and its customers, but nobody else's."""
    there.add_run("ada", _RUN, dead)
    there.customers[f"{MARK}-somebody"].add("a")
    assert remove_crashed(ProvingApi(there, _ADA), crm=True) == 4
    assert (there.left(_RUN), [*there.customers]) == ((0, 0), [f"{MARK}-somebody"])
    assert [one.split("/")[0] for one in there.asked].index("DELETE ") > 1  # both are switched off before all else


def test_a_run_that_goes_on_is_left_alone(there: Installation, runs: psutil.Process) -> None:
    """By the next run, and by ``--clean``, also where it is named."""
    there.add_run("ada", _RUN, mark(runs))
    for who in (_ADA, ADMIN):
        api = ProvingApi(there, who)
        with pytest.raises(OtherRunError, match=f"process {runs.pid} .*: wait for its end"):
            remove_crashed(api, crm=True)
        for run in (None, _RUN):
            with pytest.raises(OtherRunError, match="wait for its end"):
                clean(api, run, crm=True, admin=who is ADMIN)
    assert not there.asked


def test_a_user_leaves_others_runs_alone(there: Installation, runs: psutil.Process, dead: str) -> None:
    """Whose workflows they do not see, though they see their customers; what their own runs left goes."""
    there.add_run("root", _RUN, mark(runs))
    there.add_run("ben", "ffffffff", dead)
    ben = ProvingApi(there, _BEN)
    assert remove_crashed(ben, crm=True) == 4
    assert clean(ben, None, crm=True, admin=False) == Cleaned(0, 0, {_RUN}, 0)
    assert clean(ben, _RUN, crm=True, admin=False) == Cleaned(0, 0, {_RUN}, 0)
    assert there.left(_RUN) == (2, 2)


def test_a_run_elsewhere_is_over_only_where_somebody_says_so(there: Installation, runs: psutil.Process) -> None:
    """Nothing is known of it here: whoever knows that it is over names it, and then it alone is removed."""
    there.add_run("ada", _RUN, elsewhere(runs))
    there.add_run("ada", "ffffffff", elsewhere(runs))
    api = ProvingApi(there, ADMIN)
    with pytest.raises(OtherRunError, match=rf"of a run by process {runs.pid} of elsewhere, .* `.* --run \w+`"):
        clean(api, None, crm=True, admin=True)
    with pytest.raises(OtherRunError, match="elsewhere"):
        remove_crashed(api, crm=True)
    assert not there.asked
    assert clean(api, _RUN, crm=True, admin=True).removed == 4
    assert (there.left(_RUN), there.left("ffffffff")) == ((0, 0), (2, 2))


@pytest.mark.parametrize("other", ["another boot", "another namespace"])
def test_a_host_that_is_called_the_same_is_another(there: Installation, dead: str, other: str) -> None:
    """A container, or the machine before it was started again: its processes are not to be seen here."""
    host, boot, namespace = dead.partition(" of ")[2].partition(",")[0].split("/")
    changed = f"{host}/00000000/{namespace}" if other == "another boot" else f"{host}/{boot}/1"
    there.add_run("ada", _RUN, dead.replace(f"{host}/{boot}/{namespace}", changed))
    with pytest.raises(OtherRunError, match="cannot be seen from here"):
        clean(ProvingApi(there, _ADA), None, crm=True, admin=False)


def test_customers_that_came_after_the_end_are_removed(there: Installation, dead: str) -> None:
    """By whom the run was, or an administrator: of commands that were queued when its workflows were deleted."""
    there.add_run("ada", _RUN, dead, deleted=True)
    assert clean(ProvingApi(there, _BEN), None, crm=True, admin=False).others == {_RUN}
    assert clean(ProvingApi(there, _ADA), None, crm=True, admin=False).removed == 2
    there.customers[f"{MARK}-ffffffff-0"].add("a")  # of no workflow that is or was
    assert clean(ProvingApi(there, _ADA), None, crm=True, admin=False).removed == 0
    assert clean(ProvingApi(there, ADMIN), None, crm=True, admin=True).removed == 1


def test_what_waits_of_a_deleted_workflow_is_ended(there: Installation, dead: str) -> None:
    """Which was queued when it was deleted; and what may be queued yet is told, for it cannot be seen."""
    there.add_run("ada", _RUN, dead, deleted=True, customers=0)
    there.make("ada", "Somebody's", f"Not {MARK}", "order.paid", deleted=True)
    mine, _, other = there.workflows
    there.waiting.update({mine: 25, other: 1})
    there.depth = 5
    assert clean(ProvingApi(there, _ADA), None, crm=False, admin=False) == Cleaned(0, 25, set(), 5)
    assert there.waiting == {other: 1}
    for one in there.workflows.values():
        one["updated_at"] = (datetime.now(UTC) - RETENTION - timedelta(hours=1)).isoformat()
    assert clean(ProvingApi(there, _ADA), None, crm=False, admin=False) == Cleaned(0, 0, set(), 0)


def test_a_run_that_ends_just_now_is_left_alone(there: Installation, runs: psutil.Process) -> None:
    """It has deleted its workflows, and ends what waits of them itself."""
    there.add_run("ada", _RUN, mark(runs), deleted=True)
    with pytest.raises(OtherRunError, match="wait for its end"):
        clean(ProvingApi(there, ADMIN), None, crm=True, admin=True)
    assert not there.asked


def test_what_users_have_made_is_never_a_leftover(there: Installation) -> None:
    """A name like ours with another trigger, or of another run than its trigger's, is somebody's own."""
    there.make("ada", f"{MARK} {_RUN}: hook", "", "order.paid")
    there.make("ada", f"{MARK} {_RUN}: hook", "", f"custom.{MARK}-ffffffff")
    there.make("ada", f"{MARK} {_RUN}: a b", "", f"custom.{MARK}-{_RUN}")
    assert remove_crashed(ProvingApi(there, ADMIN), crm=True) == 0
    assert clean(ProvingApi(there, ADMIN), None, crm=True, admin=True) == Cleaned(0, 0, set(), 0)


@pytest.mark.parametrize("missing", ["events:write", "crm:read", "crm:write"])
def test_who_lacks_a_right_is_told_which(there: Installation, missing: str) -> None:
    """Nobody who has them all is refused; an administrator sees everybody's."""
    needed = ("crm:read", "crm:write", "events:write")
    assert check_rights(ProvingApi(there, _ADA), *needed) is False
    assert check_rights(ProvingApi(there, ADMIN), *needed) is True
    with pytest.raises(NoRightError, match=f"needs the permission {missing}"):
        check_rights(ProvingApi(there, _ADA).without(missing), *needed)


@pytest.mark.parametrize("missing", ["events:write", "crm:write"])
def test_a_run_that_would_be_refused_removes_nothing(there: Installation, dead: str, missing: str) -> None:
    """Not even what its own user's runs have left: it finds out first."""
    there.add_run("ada", _RUN, dead)
    with pytest.raises(NoRightError, match=missing):
        remove_crashed(ProvingApi(there, _ADA).without(missing), crm=True)
    assert not there.asked
