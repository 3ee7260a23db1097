"""Whatever the document allows or forbids, the API answers as the document says, in short (at length: `make fuzz`)."""

from pathlib import Path

from tests.admin.guarded import served
from tests.openapi.ground import Ground
from tests.openapi.run import fuzz
from tests.openapi.setting import Setting

# Calls of an operation that the document allows, and as many that it forbids; its own example: test_ready.py.
FEW = 1


async def test_the_api_answers_as_the_document_says(ground: Ground, tmp_path: Path) -> None:
    """No 5xx, no status or body that is not described, nothing wrong that is taken, by the same few calls each time."""
    rows = {name: [str(one) for one in ids] for name, ids in ground.rows.items()}
    options = ("--max-examples", str(FEW), "--phases", "fuzzing", "--no-shrink", "--seed", "1")
    async with served(ground.api) as server:
        setting = Setting(server.url, ground.caller.token, rows, str(tmp_path / "answers.json"))
        fuzzed = await fuzz(setting, tmp_path, [], *options)
    assert fuzzed.status == 0, fuzzed.output
