"""``make brokers``: what Headrace needs of Kafka, on brokers of other versions, each from Maven Central.

Transactions and committed reads, static members, commits, the workflow table, topics and the pipeline, by tests of the
suite. Versions that have passed on this very tree are not run again; ``build/brokers.json`` has them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from app.embedded.broker import KafkaNode
from app.embedded.service import start
from app.processes.home import default_home
from tests.mutants.tree import ROOT, fingerprint

VERSIONS: Final = ("3.3.2", "3.5.2", "3.7.2", "3.9.1", "4.0.0")
RESULTS: Final = ROOT / "build" / "brokers.json"
_TESTS: Final = (
    "tests/integration/transport/test_fetching.py",
    "tests/integration/transport/test_committing.py",
    "tests/integration/transport/test_tables.py",
    "tests/integration/transport/test_handing_over.py",
    "tests/integration/test_topics.py",
    "tests/integration/test_depths.py",
    "tests/integration/test_pipeline.py",
)


def main() -> None:
    """Try each version that has not passed yet; ends with an error where one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", default=VERSIONS)
    tree = fingerprint(ROOT)
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    passed: dict[str, float] = found["passed"] if found.get("tree") == tree else {}
    failed: list[str] = []
    for version in parser.parse_args().versions:
        if version in passed:
            continue
        _say(f"Kafka {version}")
        began = time.monotonic()
        if _passes(version):
            passed[version] = round(time.monotonic() - began, 1)
        else:
            failed.append(version)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps({"tree": tree, "passed": passed}) + "\n")
    _say(f"passed: {', '.join(passed) or 'none'}; failed: {', '.join(failed) or 'none'}")
    sys.exit(1 if failed else 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _passes(version: str) -> bool:
    with tempfile.TemporaryDirectory() as home:
        node = KafkaNode(Path(home), default_home(), version=version)
        try:
            start(node)
            words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not stock", *_TESTS]
            environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": node.url}
            return subprocess.run(words, cwd=ROOT, env=environment, check=False).returncode == 0  # noqa: S603 - our own
        finally:
            node.stop()


if __name__ == "__main__":
    main()
