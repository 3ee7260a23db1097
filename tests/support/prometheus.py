"""Finds Prometheus's programs, or gets them: from PATH, else from Debian's package, which needs no rights to unpack."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from filelock import FileLock

from tests.support.deadlines import scaled

# The first that knows `keep_firing_for`.
OLDEST: Final = (2, 42)
_WITHIN_S: Final = 300.0


class NoPrometheusError(Exception):
    """There is none, and none could be got; the text says what to install."""


def program(name: str, cache: Path | None = None) -> Path:
    """Return ``promtool`` or ``prometheus``, of a version that knows our rules.

    Args:
        name: Which program.
        cache: Where what is got stays; the default is the user's own folder of caches.

    Raises:
        NoPrometheusError: It is neither here nor to be had.
    """
    found = shutil.which(name)
    if found is not None and version(Path(found)) >= OLDEST:
        return Path(found)
    home = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headrace"
    unpacked = home / "prometheus" / "usr" / "bin" / name
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "prometheus.lock"):
        if not unpacked.exists():
            _get(home)
    if not unpacked.exists() or version(unpacked) < OLDEST:
        raise NoPrometheusError(f"{name} is older than {OLDEST[0]}.{OLDEST[1]}. {_SAY}")
    return unpacked


def version(path: Path) -> tuple[int, ...]:
    """Return a program's version; nought where it does not say."""
    try:
        said = _run([str(path), "--version"])
    except (OSError, subprocess.SubprocessError):
        return (0,)
    match = re.search(r"version (\d+)\.(\d+)", said)
    return tuple(map(int, match.groups())) if match else (0,)


_SAY: Final = (
    "Put prometheus and promtool, 2.42 or later, on PATH: apt-get install prometheus, or prometheus.io/download"
)


def _get(home: Path) -> None:
    """Unpack Debian's package into a folder of ours: nothing is installed, and no service started."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NoPrometheusError(f"There is no Prometheus on this {platform.system()}. {_SAY}")
    place = home / "apt"
    place.mkdir(exist_ok=True)
    try:
        if not _downloaded(place, []):
            _downloaded(place, _own_lists(place))
        packages = sorted(place.glob("prometheus_*.deb"))
        if not packages:
            raise NoPrometheusError(f"apt-get knows no package prometheus. {_SAY}")
        partial = home / "prometheus.partial"
        shutil.rmtree(partial, ignore_errors=True)
        _run(["dpkg-deb", "-x", str(packages[-1]), str(partial)])
        shutil.rmtree(home / "prometheus", ignore_errors=True)
        partial.rename(home / "prometheus")
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPrometheusError(f"Prometheus could not be got: {error}. {_SAY}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _downloaded(place: Path, options: Sequence[str]) -> bool:
    try:
        _run(["apt-get", *options, "download", "prometheus"], place)
    except subprocess.CalledProcessError:
        return False
    return True


def _own_lists(place: Path) -> list[str]:
    """Return the options for lists of packages of our own, filled: the machine's may be empty, and are root's."""
    (place / "state/lists/partial").mkdir(parents=True, exist_ok=True)
    (place / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    options = [
        *("-o", f"Dir::State={place}/state", "-o", f"Dir::Cache={place}/cache"),
        *("-o", "Dir::State::status=/var/lib/dpkg/status", "-o", "Debug::NoLocking=1"),
        *("-o", "APT::Sandbox::User="),
    ]
    _run(["apt-get", *options, "update", "-qq"], place)
    return options


def _run(argv: Sequence[str], place: Path | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands, no shell
        argv, cwd=place, capture_output=True, text=True, check=True, timeout=scaled(_WITHIN_S)
    )
    return done.stdout + done.stderr
