"""A base for the image where no registry of images is reached: Debian with its own Python, by debootstrap."""

import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.benchmarks.progress import say
from tests.image.engine import Engine, EngineError

BASE: Final = "localhost/headrace-base"
BUILD_BASE: Final = "localhost/headrace-build-base"
# The Debian whose Python is the Dockerfile's.
_SUITE: Final = "bookworm"
_LEFT_OUT: Final = ("./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*", "./proc/*", "./sys/*", "./dev/*")
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"


def with_bases(engine: Engine) -> tuple[Engine, str]:
    """Return an engine that has something to build on, and what the image stands on; kept from run to run."""
    if engine.name == "docker":
        return engine, _official()
    for tag, packages in ((BASE, "python3"), (BUILD_BASE, "python3,python3-venv,python3-pip")):
        if not _there(engine, tag):
            say(f"making {tag} by debootstrap, once")
            _make(engine, tag, f"{packages},ca-certificates")
    mounted = ("--volume", f"{_AUTHORITIES}:{_AUTHORITIES}:ro") if Path(_AUTHORITIES).exists() else ()
    bases = ("--build-arg", f"BASE={BASE}", "--build-arg", f"BUILD_BASE={BUILD_BASE}")
    return replace(engine, building=(*engine.building, *bases, *mounted)), BASE


def _official() -> str:
    text = Path("deploy/Dockerfile").read_text()
    return next(line.partition("=")[2] for line in text.splitlines() if line.startswith("ARG BASE="))


def _there(engine: Engine, tag: str) -> bool:
    with suppress(EngineError):
        engine.call("image", "inspect", tag)
        return True
    return False


def _make(engine: Engine, tag: str, packages: str) -> None:
    with TemporaryDirectory() as folder:
        root = f"{folder}/root"
        _run("debootstrap", "--variant=minbase", f"--include={packages}", _SUITE, root)
        excluded = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        archive = f"{folder}/root.tar"
        _run("tar", "-C", root, *excluded, "-cf", archive, ".")
        engine.call("import", archive, tag, within=300)


def _run(program: str, *arguments: str) -> None:
    found = shutil.which(program)
    assert found is not None, f"{program} is missing"
    subprocess.run((found, *arguments), check=True, stdout=subprocess.DEVNULL)  # noqa: S603
