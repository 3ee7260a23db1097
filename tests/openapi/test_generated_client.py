"""A client that a well-known generator makes of the document does an engineer's whole day against the running API."""

import asyncio
import json
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.adapters.postgres.execution_log import ExecutionLog
from app.adapters.postgres.pool import open_pool
from app.admin.examples import TRIAL, WORKFLOW
from app.admin.openapi import openapi
from app.admin.routes import OPERATIONS
from app.settings import Settings
from tests.admin.test_streams import Sink
from tests.openapi.ground import Ground
from tests.support.logins import as_role

_DAY = """
import json, sys
sys.path.insert(0, sys.argv[1])
base, token, workflow, trial = sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), json.loads(sys.argv[5])
from made_client import AuthenticatedClient
from made_client.api.executions import get_execution, list_executions
from made_client.api.workflows import (
    activate_workflow, create_workflow, get_draft, get_workflow, patch_draft, preview_publishing, publish_draft,
    test_workflow,
)
from made_client.models import DraftBody, DryRunRequest, WorkflowDraft

with AuthenticatedClient(base_url=base, token=token, raise_on_unexpected_status=True) as client:
    made = create_workflow.sync(client=client, body=WorkflowDraft.from_dict(workflow))
    tried = test_workflow.sync(made.id, client=client, body=DryRunRequest.from_dict(trial))
    active = activate_workflow.sync(made.id, client=client)
    changed = DraftBody.from_dict({"name": "Thank them twice"})
    draft = patch_draft.sync(made.id, client=client, body=changed, if_match='"0"')
    still = get_workflow.sync(made.id, client=client)
    preview = preview_publishing.sync(made.id, client=client)
    published = publish_draft.sync(made.id, client=client, if_match=f'"{draft.version}"')
    gone = get_draft.sync_detailed(made.id, client=client)
    following = {"workflow_id": str(made.id), "seconds": 60}
    with client.get_httpx_client().stream("GET", "/api/v1/executions/stream", params=following) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": open"
        print(json.dumps(str(made.id)), flush=True)
        told = next(json.loads(line[6:]) for line in lines if line.startswith("data: "))
    watched = list_executions.sync(client=client, workflow_id=made.id)
    shown = get_execution.sync(watched.items[0].id, client=client)
    wrong = create_workflow.sync(client=client, body=WorkflowDraft.from_dict({**workflow, "name": ""}))
print(json.dumps({
    "made": [made.name, made.active, made.version], "tried": type(tried).__name__, "active": active.active,
    "until then": still.name, "preview": preview.words, "published": [published.name, published.active],
    "draft": gone.status_code, "told": told["id"], "listed": [str(one.id) for one in watched.items],
    "shown": [str(shown.id), shown.status.value], "wrong": wrong.errors[0].path,
}))
"""


STREAMS: Final = ("application/jsonl", "text/csv", "text/event-stream")


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_a_generated_client_makes_tests_publishes_and_watches_a_workflow(ground: Ground, tmp_path: Path) -> None:
    """Every model and operation is generated, but for the answers that are streams, and works."""
    document, base = tmp_path / "openapi.json", ground.api.url
    document.write_text(json.dumps(openapi(OPERATIONS, "1")))
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    options = ("--meta", "none", "--output-path", str(tmp_path / "made_client"))
    said = await _run(generator, "generate", "--path", str(document), *options)
    assert "Unable" not in said, said
    # What is a stream of lines or events is left to the caller: the generator knows only whole JSON answers.
    assert said.count("WARNING parsing") == sum(said.count(f"Unsupported content_type {kind})") for kind in STREAMS), (
        said
    )
    day = (dedent(_DAY), str(tmp_path), base, ground.api.user().token, json.dumps(WORKFLOW), json.dumps(TRIAL))
    row, answer = await _watched(ground, sys.executable, "-W", "ignore", "-c", *day)
    assert answer == {
        "made": [WORKFLOW["name"], False, 1],
        "tried": "DryRun",
        "active": True,
        "until then": WORKFLOW["name"],
        "preview": ["Name now “Thank them twice” instead of “Thank who orders for much”"],
        "published": ["Thank them twice", True],
        "draft": 404,
        "told": row,
        "listed": [row],
        "shown": [row, "success"],
        "wrong": "name",
    }


async def _watched(ground: Ground, *command: str) -> tuple[str, Any]:
    """Run a client until it watches its workflow, let that run, and return its row's id and what the client says."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    workflow = json.loads(await process.stdout.readline())
    settings = Settings(DATABASE_URL=SecretStr(as_role(ground.url, DatabaseRole.SINK)))
    async with open_pool(settings, DatabaseRole.SINK) as pool:
        (row,) = await Sink(ExecutionLog(pool)).write({"id": workflow})
    said = await process.stdout.read()
    assert await process.wait() == 0
    return row, json.loads(said)
