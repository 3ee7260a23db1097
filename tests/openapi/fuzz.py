"""``make fuzz``: Schemathesis, all checks, on every operation of a whole installation; ``build/fuzz.json``.

Each operation is called at least a hundred times, as its description allows and as it forbids: nothing may be answered
with 5xx, with a status or a body that is not described, or taken although it is wrong; and each must have succeeded at
least once. What an operation may refuse though its schema allows it, and why, is in ``tests/openapi/allowed.py``.

Operations that have passed on this very tree are not run again. ``--only`` names operations.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp

from app.admin.auth import mint_token
from app.admin.operations import Operation
from app.admin.routes import OPERATIONS
from app.settings import Settings
from tests.admin.conftest import User
from tests.benchmarks.progress import say
from tests.integration.site import new_prefix
from tests.mutants.tree import ROOT, fingerprint
from tests.openapi.ground import UNLIMITED, issuing, openid_settings
from tests.openapi.rows import rows_of
from tests.openapi.run import Fuzzed, fuzz
from tests.openapi.setting import Setting
from tests.support.broker import remove_topics
from tests.support.fake_secrets import KEY
from tests.support.servers import harness_home, servers
from tests.support.sessions import signed_in
from tests.support.stack import Stack

RESULTS: Final = ROOT / "build" / "fuzz.json"
_READ: Final = ("app", "schemas", "deploy/migrations", "tests/openapi", "tests/admin")
_ROWS: Final = 150
Results = dict[str, Any]


async def run(operations: list[Operation], examples: int, seed: int, results: Results) -> None:
    """Fuzz operations one by one, and keep what each came to."""
    async with installation() as setting:
        for number, operation in enumerate(operations, 1):
            began = time.monotonic()
            options = ("--max-examples", str(examples), "--seed", str(seed), "--phases", "examples,coverage,fuzzing")
            with tempfile.TemporaryDirectory() as folder:
                own = replace(setting, answers=f"{folder}/answers.json")
                fuzzed = await fuzz(own, Path(folder), [operation], *options)
            found = _came_to(operation, fuzzed, time.monotonic() - began)
            results["operations"][operation.name] = found
            _write(results)
            statuses = " ".join(f"{status}x{count}" for status, count in sorted(found["statuses"].items()))
            word = "passed" if found["passed"] else "FAILED"
            say(f"{number}/{len(operations)} {operation.name}: {word} in {found['seconds']} s, {statuses}")
            for line in found["failures"]:
                say(f"    {line}")


def _came_to(operation: Operation, fuzzed: Fuzzed, seconds: float) -> Results:
    counted = dict(fuzzed.answers.get(operation.name, {}))
    succeeded = fuzzed.done(operation)
    passed = fuzzed.status == 0 and succeeded > 0
    return {
        "passed": passed,
        "examples": sum(counted.values()),
        "succeeded": succeeded,
        "statuses": counted,
        "seconds": round(seconds, 1),
        "failures": fuzzed.failures,
        "said": "" if passed else fuzzed.output,
    }


@asynccontextmanager
async def installation() -> AsyncIterator[Setting]:
    """Run every role on a broker and a database, without limits on how often the API is asked."""
    with servers(harness_home("fuzz")) as place:
        database, prefix = await asyncio.to_thread(place.fresh_database, "fuzz"), new_prefix()
        home = place.home / "run"
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
        try:
            async with issuing() as issuer:
                limits = {_variable(name): str(value) for name, value in UNLIMITED.items()}
                openid = {_variable(name): value for name, value in openid_settings(issuer).items()}
                more = {**limits, **openid, "HEADRACE_SECRETS_KEY": KEY}
                say("starting every role")
                async with Stack(place.bootstrap, database, prefix, home, environment=more) as stack:
                    yield await _setting(stack.api.base_url, stack.settings, database)
        finally:
            await remove_topics(place.bootstrap, prefix)


def _variable(name: str) -> str:
    return name.upper() if name == "rate_limit_per_minute" else f"HEADRACE_{name.upper()}"


async def _setting(base: str, settings: Settings, database: str) -> Setting:
    who = (await signed_in(database, settings, "admin")).id
    token = mint_token(settings, who, "admin", 6 * 3600)
    async with aiohttp.ClientSession(base) as http:
        rows = await rows_of(User(http, token, who), database, settings, _ROWS)
    return Setting(base, token, {name: [str(one) for one in ids] for name, ids in rows.items()}, "")


def _tree() -> str:
    return "-".join(fingerprint(ROOT / name)[:16] for name in _READ)


def _read(examples: int) -> Results:
    tree, found = _tree(), json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if (found.get("tree"), found.get("examples")) == (tree, examples):
        return dict(found)
    return {"tree": tree, "examples": examples, "operations": {}}


def _write(results: Results) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def main() -> None:
    """Fuzz what has not passed yet; ends with an error where anything fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100, help="an operation and way of making them")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="makes others")
    parser.add_argument("--only", default="", help="operations, with commas between")
    options = parser.parse_args()
    results, only = _read(options.examples), options.only.split(",") if options.only else []
    chosen = [one for one in OPERATIONS if not only or one.name in only]
    due = [one for one in chosen if not results["operations"].get(one.name, {}).get("passed")]
    say(f"{len(due)} of {len(chosen)} operations, {options.examples} examples each, seed {options.seed}")
    if due:
        asyncio.run(run(due, options.examples, options.seed, results))
    failed = [one.name for one in chosen if not results["operations"][one.name]["passed"]]
    say(f"failed: {', '.join(failed)}" if failed else f"all {len(chosen)} operations passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
