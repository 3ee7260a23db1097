"""README.md: every block pastes as it is written, in order, on a fresh `make up`."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.embedded.readme import script
from tests.embedded.test_up import environment
from tests.embedded.up import headrace
from tests.support.deadlines import scaled
from tests.support.waiting import eventually, in_time

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(400)]
__all__ = ["environment"]

_ROOT = Path(__file__).parents[2]
# What commands find by themselves where an installation runs.
_FOUND = frozenset({"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"})


async def test_every_block_runs_in_order(environment: dict[str, str], tmp_path: Path) -> None:
    """No command fails, the API refuses nothing, and what the text promises has happened."""
    (tmp_path / ".venv").symlink_to(_ROOT / ".venv")
    try:
        await headrace(environment, "up", "--detach")
        said = await _pasted(environment, tmp_path)
        assert not re.findall(r'"status": ?[45]\d\d', said), said
        assert "order-17-paid 120.5" in said
        await eventually(
            lambda: _thanked(environment), within=30, every=0.5, what="the order that was paid is thanked for"
        )
        await eventually(lambda: _tagged(environment), within=30, every=0.5, what="Grace is tagged by the workflows")
    finally:
        await headrace(environment, "down")


async def _pasted(environment: dict[str, str], folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script(folder),
        cwd=folder,
        env={name: value for name, value in environment.items() if name not in _FOUND},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await in_time(process.communicate(), scaled(120), what="the blocks of README.md")
    said = out.decode()
    assert process.returncode == 0, said
    return said


async def _thanked(environment: dict[str, str]) -> bool:
    found = await headrace(environment, "executions", "list", "--event-id", "paid-1", "--json")
    return [one["workflow_name"] for one in json.loads(found)["items"]].count("Thank big spenders") == 1


async def _tagged(environment: dict[str, str]) -> bool:
    found = await headrace(environment, "executions", "list", "--entity", "grace", "--json")
    types = {one["event_type"] for one in json.loads(found)["items"] if one["status"] == "success"}
    return types >= {"customer.created", "order.created", "message.received"}
