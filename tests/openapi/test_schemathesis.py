"""Whatever the document allows or forbids, the API answers as the document says, in short (at length: `make fuzz`)."""

from pathlib import Path

from tests.openapi.ground import Ground
from tests.openapi.run import fuzz
from tests.openapi.setting import Setting

# Examples an operation.
FEW = 3


async def test_the_api_answers_as_the_document_says(ground: Ground, tmp_path: Path) -> None:
    """No 5xx, no status or body that is not described, nothing wrong that is taken, by the same few calls each time."""
    base = str(ground.api.client.make_url("")).rstrip("/")
    rows = {name: [str(one) for one in ids] for name, ids in ground.rows.items()}
    setting = Setting(base, ground.caller.token, rows, str(tmp_path / "answers.json"))
    options = ("--max-examples", str(FEW), "--phases", "examples,fuzzing", "--seed", "1")
    fuzzed = await fuzz(setting, tmp_path, [], *options)
    assert fuzzed.status == 0, fuzzed.output
