"""A client that a well-known generator makes of the document does an engineer's whole day against the running API."""

import asyncio
import json
import sys
from pathlib import Path
from textwrap import dedent
from typing import Final

from app.admin.examples import TRIAL, WORKFLOW
from app.admin.openapi import openapi
from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api

_DAY = """
import json, sys
sys.path.insert(0, sys.argv[1])
base, token, workflow, trial = sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), json.loads(sys.argv[5])
from made_client import AuthenticatedClient
from made_client.api.executions import list_executions
from made_client.api.workflows import activate_workflow, create_workflow, get_workflow, test_workflow
from made_client.models import DryRunRequest, WorkflowDraft

with AuthenticatedClient(base_url=base, token=token, raise_on_unexpected_status=True) as client:
    made = create_workflow.sync(client=client, body=WorkflowDraft.from_dict(workflow))
    tried = test_workflow.sync(made.id, client=client, body=DryRunRequest.from_dict(trial))
    active = activate_workflow.sync(made.id, client=client)
    shown = get_workflow.sync(made.id, client=client)
    watched = list_executions.sync(client=client, workflow_id=made.id)
    wrong = create_workflow.sync(client=client, body=WorkflowDraft.from_dict({**workflow, "name": ""}))
print(json.dumps([
    made.name, made.active, type(tried).__name__, active.active, shown.version, len(watched.items), wrong.errors[0].path
]))
"""


STREAMS: Final = ("application/jsonl", "text/csv", "text/event-stream")


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_a_generated_client_makes_tests_activates_and_watches_a_workflow(api: Api, tmp_path: Path) -> None:
    """Every model and operation is generated, but for the answers that are streams, and works."""
    document, base = tmp_path / "openapi.json", str(api.client.make_url("")).rstrip("/")
    document.write_text(json.dumps(openapi(OPERATIONS, "1")))
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    options = ("--meta", "none", "--output-path", str(tmp_path / "made_client"))
    said = await _run(generator, "generate", "--path", str(document), *options)
    assert "Unable" not in said, said
    # What is a stream of lines or events is left to the caller: the generator knows only whole JSON answers.
    assert said.count("WARNING parsing") == sum(said.count(f"Unsupported content_type {kind})") for kind in STREAMS), (
        said
    )
    day = (dedent(_DAY), str(tmp_path), base, api.user().token, json.dumps(WORKFLOW), json.dumps(TRIAL))
    answer = json.loads(await _run(sys.executable, "-W", "ignore", "-c", *day))
    assert answer == [WORKFLOW["name"], False, "DryRun", True, 2, 0, "name"]
