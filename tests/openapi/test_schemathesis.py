"""Whatever the document allows or forbids, the API answers as the document says (schemathesis.toml; `make fuzz`)."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.admin.routes import OPERATIONS
from app.settings import Settings
from tests.admin.conftest import SECRET, Api, User, serving
from tests.admin.log import Log
from tests.admin.prepared import path_of, send_example
from tests.admin.test_dead_letters import letter
from tests.openapi.run import fuzz
from tests.support.fake_secrets import KEY
from tests.support.logins import as_role
from tests.support.postgres import new_database

# Examples an operation: few with the other tests, many by `make fuzz`.
FEW = 3
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", FEW))
LONG = EXAMPLES > FEW
PHASES = os.environ.get("FUZZ_PHASES", "examples,fuzzing")
# What takes several steps in order, or a body that is like no other: done once by the examples.
STEPS = {
    "createCustomer", "createConversation", "createOrder", "payOrder", "deliverOrder", "calculateCommission",
    "replaceChannel", "replaceMessageTemplate", "executeWorkflow",
}  # fmt: skip
# What only the pipeline makes a thing for, or a browser; each is done in a test of its own (tests/admin).
BEYOND = {"cancelExecution", "readNotification", "getCommission", "payCommission", "endSession"}


@pytest.fixture
async def fuzzed_api(postgres: str, migrated_template: str) -> AsyncIterator[tuple[Api, str]]:
    """An API on a database of its own, without limits on how often it is asked; and that database's URL."""
    with new_database(postgres, template=migrated_template) as url:
        settings = Settings(
            database_url=SecretStr(as_role(url, DatabaseRole.API)),
            jwt_secret=SecretStr(SECRET),
            secrets_key=SecretStr(KEY),
            topic_prefix="t.",
            pool_size=4,
            admin_port=0,
            rate_limit_per_minute=0,
            failed_tokens_per_minute=0,
        )
        async with serving(settings) as api:
            yield api, url


@pytest.mark.timeout(4500)
async def test_the_api_answers_as_the_document_says(fuzzed_api: tuple[Api, str], tmp_path: Path) -> None:
    """No 5xx, no status or body that is not described; with many examples, each operation answers 2xx at least once."""
    api, url = fuzzed_api
    admin = api.user("admin")
    workflow = await admin.create()
    await admin.call("POST", f"/api/v1/workflows/{workflow['id']}/activate")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        log = Log(connection)
        failed = [(await log.add(workflow, status="failed"))["id"] for _ in range(50)]
        letters = [await letter(log) for _ in range(50)]
    rows = {"/api/v1/executions": failed, "/api/v1/dead-letters": letters}
    done = await _by_example(admin)
    options = ("--max-examples", str(EXAMPLES), "--phases", PHASES)
    fuzzed = await fuzz(api, admin.token, rows, tmp_path, *options, *(() if LONG else ("--seed", "1")))
    assert fuzzed.status == 0, fuzzed.output
    if LONG:
        assert fuzzed.never_done() - done - BEYOND == set()


async def _by_example(admin: User) -> set[str]:
    """Do by their examples what needs several steps; returns the operations that were done."""
    done = set()
    for operation in OPERATIONS:
        if operation.name in STEPS:
            answer = await send_example(admin, operation, await path_of(admin, operation))
            done |= {operation.name} if answer.status in operation.answers else set()
    return done
