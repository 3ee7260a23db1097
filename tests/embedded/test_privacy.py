"""What an installation writes is for its owner alone, whatever the umask, and no log holds what lets somebody in."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.embedded.broker import KafkaNode
from app.embedded.child import Child, Command
from app.embedded.postgres import PostgresNode
from app.embedded.service import start
from app.processes.home import close_to_others, default_home, write_json
from tests.support.session_home import session_home
from tests.support.waiting import eventually


def open_to_others(home: Path) -> list[str]:
    """What somebody else may read, write or list below a folder; passing through by name is no reading."""
    return sorted(
        f"{path.relative_to(home)} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in home.rglob("*")
        if not path.is_symlink() and path.lstat().st_mode & (0o066 if path.is_dir() else 0o077)
    )


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Set this process's umask for a block."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.kafka
@pytest.mark.postgres
def test_broker_and_database_write_for_their_owner_alone() -> None:
    """Data, logs, settings, pids and locks of both, with a umask that hides nothing."""
    with umask(0), session_home() as home:
        nodes = PostgresNode(home), KafkaNode(home, default_home())
        try:
            for node in nodes:
                start(node)
        finally:
            for node in nodes:
                node.stop()
        assert (home / "logs").is_dir()
        assert open_to_others(home) == []


async def test_what_a_child_writes_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Its log and pid file, which are ours, and whatever it makes itself."""
    writes = "import os, pathlib; os.mkdir('made'); pathlib.Path('made/mail').write_text('said')"
    with umask(0):
        child = Child(Command("writer", (sys.executable, "-c", writes), cwd=tmp_path), tmp_path)
        child.spawn()
        await eventually(lambda: not child.alive(), what="it has ended")
        assert (tmp_path / "made" / "mail").read_text() == "said"
        assert open_to_others(tmp_path) == []
        child.stop()


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    """Logs, folders and the state with its token; links are left alone, and all can still be used by their owner."""
    with umask(0):
        home = tmp_path / "home"
        (home / "logs").mkdir(parents=True)
        (home / "logs" / "up.log").write_text("a token")
        (home / "run.sh").touch(0o777)
        (home / "link").symlink_to(tmp_path)
        close_to_others(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert open_to_others(home) == []
    assert stat.S_IMODE((home / "run.sh").stat().st_mode) == 0o700
    assert (home / "logs" / "up.log").read_text() == "a token"


def test_another_users_data_can_still_be_reached(tmp_path: Path) -> None:
    """Postgres's, where root started it as another user: the way there is open by name, nothing on it can be read.

    Nobody but root can give a folder away; for others all of it is theirs, and closed.
    """
    root = os.geteuid() == 0
    data = tmp_path / "home" / "postgres" / "data"
    data.mkdir(parents=True, mode=0o700)
    if root:
        os.chown(data, 65534, 65534)
    close_to_others(tmp_path / "home")
    assert [stat.S_IMODE(above.stat().st_mode) for above in (data, *data.parents[:2])] == [
        0o700,
        *[0o711 if root else 0o700] * 2,
    ]


def test_state_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Also in a folder that it makes, and over a file that others could read."""
    with umask(0):
        file = tmp_path / "new" / "state.json"
        write_json(file, {"token": "x"})
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
