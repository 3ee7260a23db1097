"""``make api-examples``: calls every operation of the API, and writes what it answers into the OpenAPI document.

An answer that is shown is one that was given; of lists the first of its things is enough. Ids, times and random names
are made the same each time, so that the file only changes where an answer does.
"""

import asyncio
import json
import re
import sys
from typing import Any, Final

from app.adapters.postgres.migrate import upgrade
from app.admin.answer_examples import RECORDED
from app.admin.operations import JSON
from app.admin.routes import OPERATIONS
from tests.openapi.ground import prepared_ground
from tests.support.logins import make_logins
from tests.support.postgres import new_database, running_postgres
from tests.support.session_home import session_home

# Shown as it is by its own path, and of no length for an example.
UNRECORDED: Final = {"openapi"}
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_MADE: Final = re.compile(r"\bn[0-9a-f]{12}\b")
_TOKEN: Final = re.compile(r"\b(hr[a-z]{1,2}_)[A-Za-z0-9_-]{20,}")
# What is another each time, and says nothing.
_FIXED: Final = {"next_cursor": None, "outbox_oldest_s": 0.4}


async def record(url: str) -> dict[str, Any]:
    """Return what each operation answers whose answer has a model, by its name."""
    found: dict[str, Any] = {}
    async with prepared_ground(url, 5) as on:
        for operation in OPERATIONS:
            if not any(operation.answers.values()) or operation.name in UNRECORDED:
                continue
            answer = await on.things.send(operation, await on.things.ready(operation))
            assert answer.status in operation.answers, (operation.name, answer)
            # Of lines of JSON each is one of what is described.
            first = answer.json if operation.content_type == JSON else json.loads(answer.json.splitlines()[0])
            found[operation.name] = _same(_shortened(first))
    return found


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _FIXED.get(name, _shortened(member)) for name, member in value.items()}
    return [_shortened(member) for member in value[:1]] if isinstance(value, list) else value


def _same(value: Any) -> Any:
    """Return a value with ids and times that are made the same each time."""
    numbers: dict[str, int] = {}

    def uuid(match: re.Match[str]) -> str:
        return f"0190a0c0-0000-7000-8000-{numbers.setdefault(match[0], len(numbers) + 1):012d}"

    text = _UUID.sub(uuid, json.dumps(value))
    text = _MADE.sub("One of its kind", _TIME.sub("2026-03-01T10:00:00Z", text))
    return json.loads(_TOKEN.sub(r"\1only-shown-once-and-never-again", text))


def main() -> None:
    """Record on a database of its own, and write the file."""
    with session_home() as home, running_postgres(home) as postgres, new_database(postgres) as url:
        upgrade(url)
        make_logins(url)
        found = asyncio.run(record(url))
    RECORDED.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{len(found)} answers in {RECORDED}\n")


if __name__ == "__main__":
    main()
