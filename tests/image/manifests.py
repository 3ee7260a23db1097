"""The manifests as ``kubectl kustomize`` makes them: the base is what the tests take it for, the overlay is whole."""

import subprocess
from contextlib import suppress
from shutil import copy, copytree
from tempfile import TemporaryDirectory
from typing import Any, Final

import kubernetes_validate
import yaml

from tests.benchmarks.progress import say
from tests.deployment.kustomize import BASE, KUBERNETES, OVERLAY, Manifest, base
from tests.image.engine import answers

_PROGRAMS: Final = (("kubectl", "kustomize"), ("kustomize", "build"))


def manifests_render() -> int:
    """Return how many manifests the overlay has, each of which a cluster takes; 0 where nothing here renders it."""
    program = next(
        (one for one in _PROGRAMS if answers(one[0], "version", *(["--client"] * (one[0] == "kubectl")))), None
    )
    if program is None:
        say("neither kubectl nor kustomize is here: manifests not rendered")
        return 0
    made = {_key(one): one for one in _render(program, str(BASE))}
    assert made == {_key(one): one for one in base()}
    with TemporaryDirectory() as folder:
        copytree(KUBERNETES, f"{folder}/kubernetes")
        overlay = f"{folder}/kubernetes/{OVERLAY.relative_to(KUBERNETES)}"
        copy(f"{overlay}/secrets.env.example", f"{overlay}/secrets.env")
        found = _render(program, overlay)
    for manifest in found:
        # Kinds that operators bring have no schema here.
        with suppress(kubernetes_validate.SchemaNotFoundError):
            kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    say(f"{len(found)} manifests")
    return len(found)


def _render(program: tuple[str, ...], folder: str) -> list[Manifest]:
    text = subprocess.check_output((*program, folder), text=True)  # noqa: S603 - one of the two above
    found: list[Manifest] = list(yaml.safe_load_all(text))
    return [_unhashed(one) for one in found]


def _unhashed(value: Any) -> Any:
    """Return a manifest with the settings under the name that they are given, without what tells versions apart."""
    if isinstance(value, dict):
        return {key: _unhashed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_unhashed(one) for one in value]
    return "headrace-settings" if isinstance(value, str) and value.startswith("headrace-settings-") else value


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]
