"""The base of the Kubernetes manifests as kustomize makes it, as far as ours uses it: no program for it need be here.

``make image`` compares it with what ``kubectl kustomize`` makes, where that is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deployment.compose import ROOT

KUBERNETES: Final = ROOT / "deploy/kubernetes"
BASE: Final = KUBERNETES / "base"
OVERLAY: Final = KUBERNETES / "overlays/production"
Manifest = dict[str, Any]
# What tells members of a list from each other, by the list's name; other lists are taken whole.
_KEYS: Final = {"containers": "name", "initContainers": "name", "env": "name", "volumes": "name"}


def documents(path: Path) -> list[Manifest]:
    """Return the manifests of a file."""
    return [found for found in yaml.safe_load_all(path.read_text()) if found]


def env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file as generators read it."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def base() -> list[Manifest]:
    """Return the base's manifests, patched and labelled; generated ones under the names that they are given."""
    kustomization = documents(BASE / "kustomization.yaml")[0]
    found = [manifest for name in kustomization["resources"] for manifest in documents(BASE / name)]
    for one in kustomization["patches"]:
        patch = documents(BASE / one["path"])[0]
        found = [merged(each, _body(patch)) if _is_target(each, one["target"]) else each for each in found]
    for generated in kustomization["configMapGenerator"]:
        data = {name: value for path in generated["envs"] for name, value in env_file(BASE / path).items()}
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generated["name"]}, "data": data})
    for labels in kustomization["labels"]:
        for manifest in found:
            _label(manifest, labels["pairs"])
    return found


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield each pod that the manifests describe, with the name of what makes it."""
    for manifest in manifests:
        if manifest["kind"] in ("StatefulSet", "Deployment", "Job"):
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


def containers(pod: Manifest) -> list[Manifest]:
    """Return a pod's containers, those that come first too."""
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def merged(one: Any, patch: Any, name: str = "") -> Any:
    """Merge a patch into a value: objects by their keys, some lists by their members' names, the patch's first."""
    if isinstance(one, dict) and isinstance(patch, dict):
        together = {key: merged(one[key], patch[key], key) if key in one else patch[key] for key in patch}
        return {**one, **together}
    key = _KEYS.get(name)
    if key is None or not isinstance(one, list):
        return patch
    there = {member[key]: member for member in one}
    first = [merged(there[each[key]], each) if each[key] in there else each for each in patch]
    named = {each[key] for each in patch}
    return [*first, *(member for member in one if member[key] not in named)]


def _body(patch: Manifest) -> Manifest:
    return {key: value for key, value in patch.items() if key == "spec"}


def _is_target(manifest: Manifest, target: dict[str, str]) -> bool:
    name = manifest["metadata"]["name"]
    return manifest["kind"] == target["kind"] and re.fullmatch(target.get("name", ".*"), name) is not None


def _label(manifest: Manifest, pairs: dict[str, str]) -> None:
    manifest["metadata"]["labels"] = {**manifest["metadata"].get("labels", {}), **pairs}
    template = manifest.get("spec", {}).get("template")
    if template is not None:
        template["metadata"]["labels"] = {**template["metadata"].get("labels", {}), **pairs}
