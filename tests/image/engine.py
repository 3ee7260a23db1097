"""What builds and runs containers here: Docker where it serves, else podman as root."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.deployment.compose import ROOT
from tests.support.deadlines import scaled

_PIP: Final = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "cert")
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
_BUILD_WITHIN_S: Final = 1800


class EngineError(AssertionError):
    """The engine refused; the text has its last words."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine's command line.

    Attributes:
        name: ``docker`` or ``podman``.
        general: What comes behind the name.
        building: Further arguments of ``build``, such as the bases where no registry is reached.
        running: Further arguments of ``run``.
    """

    name: str
    general: tuple[str, ...] = ()
    building: tuple[str, ...] = ()
    running: tuple[str, ...] = ()

    def call(self, *arguments: str, stdin: bytes | None = None, within: float = 120) -> str:
        """Run one command and return what it prints.

        Raises:
            EngineError: It ends with anything but 0, or takes too long.
        """
        command = (self.name, *self.general, *arguments)
        try:
            done = subprocess.run(  # noqa: S603
                command, input=stdin, capture_output=True, check=False, timeout=scaled(within), cwd=ROOT
            )
        except subprocess.TimeoutExpired:
            raise EngineError(f"{' '.join(command[:6])}: not done within {within:g} s") from None
        if done.returncode:
            raise EngineError(f"{' '.join(command[:6])}: {done.returncode}\n{done.stderr.decode()[-3000:]}")
        return done.stdout.decode()

    def build(self, tag: str, target: str) -> None:
        """Build one target of the Dockerfile."""
        with pip_configuration() as secret:
            self.call(
                *("build", *self.building, "--secret", f"id=pip,src={secret}"),
                *("--file", "deploy/Dockerfile", "--target", target, "--tag", tag, "."),
                within=_BUILD_WITHIN_S,
            )

    def megabytes(self, tag: str) -> float:
        """Return how large an image is, unpacked."""
        return int(self.call("image", "inspect", "--format", "{{.Size}}", tag)) / 1e6

    def inspect(self, what: str) -> dict[str, Any]:
        """Return what the engine knows of an image or a container."""
        found: dict[str, Any] = json.loads(self.call("inspect", what))[0]
        return found

    def run(self, image: str, arguments: Sequence[str], environment: Mapping[str, str], *options: str) -> str:
        """Run a container and return what it prints, or with ``--detach`` its id."""
        named = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
        return self.call("run", *self.running, *named, *options, image, *arguments, within=180).strip()

    def well(self, container: str) -> bool:
        """Tell what compose's health check says of a container, asked at this moment."""
        with suppress(EngineError):
            self.call("exec", container, "headrace", "healthcheck", "--ready")
            return True
        return False

    def logs(self, container: str) -> str:
        """Return the end of what a container has said."""
        done = subprocess.run(  # noqa: S603
            (self.name, *self.general, "logs", "--tail", "40", container), capture_output=True, check=False
        )
        return (done.stdout + done.stderr).decode()[-4000:]


def find_engine() -> Engine | None:
    """Return Docker where its daemon answers, else podman where it may run as root; None where neither does."""
    network = ("--network", "host", "--rm")
    if answers("docker", "info"):
        return Engine("docker", running=network)
    if os.geteuid() == 0 and answers("podman", "--version") and answers("debootstrap", "--version"):
        return Engine(
            "podman",
            general=("--runtime", "runc", "--cgroup-manager", "cgroupfs"),
            building=("--format", "docker", "--isolation", "chroot", "--layers"),
            # Without systemd there is no timer that asks; limits above this process's own are refused.
            running=(*network, "--no-healthcheck", "--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096"),
        )
    return None


def answers(*command: str) -> bool:
    """Tell whether a program is here and does what it is told."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=scaled(30)).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def pip_configuration() -> Any:
    """Write this machine's configuration of pip to a file for as long as a build needs it, for its owner alone."""
    listed = subprocess.check_output((sys.executable, "-m", "pip", "config", "list"), text=True)
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), reverse=True):  # `global.x` before `:env:.x`, which counts
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in _PIP:
            found[name] = _AUTHORITIES if name == "cert" else value.strip("'\"")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pip.conf"
        path.touch(mode=0o600)
        path.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in found.items()))
        yield path
