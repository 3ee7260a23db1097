"""deploy/kubernetes: manifests that a cluster takes, of every role, each with what it needs and no more."""

import re
from typing import Any, Final

import kubernetes_validate
import pytest

from app.processes.role_names import OPTIONAL_ROLES, role_names
from app.settings import Settings
from tests.deployment.compose import known
from tests.deployment.kustomize import BASE, KUBERNETES, OVERLAY, Manifest, base, containers, documents, env_file, pods

RENDERED: Final = base()
WORKERS: Final = {*role_names(), *OPTIONAL_ROLES}
ROLES: Final = {*WORKERS, "admin"}
PODS: Final = dict(pods(RENDERED))
STEPS: Final = ["migrate", "database-users", "topics", "templates"]
# Variables that no setting of ours is: parts of DATABASE_URL, and what only `headrace database-users` reads.
PARTS: Final = {"DATABASE_SERVER", "DATABASE_NAME", "DATABASE_OWNER", "DATABASE_PASSWORD", "DATABASE_URL"}
PASSWORD: Final = re.compile(
    r"^HEADRACE_DATABASE_PASSWORD_(MATCHER|EXECUTOR|SINK|SCHEDULER|SOURCES|API|DASHBOARDS)$|^POSTGRES_PASSWORD$"
)


def named(manifest: Manifest) -> str:
    """A manifest's kind and name."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(kind: str) -> dict[str, Manifest]:
    """The manifests of one kind, by name."""
    return {manifest["metadata"]["name"]: manifest for manifest in RENDERED if manifest["kind"] == kind}


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Tell whether a selector of labels takes a pod."""
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


@pytest.mark.parametrize("manifest", RENDERED, ids=named)
def test_a_cluster_takes_it(manifest: Manifest) -> None:
    """Each manifest holds against Kubernetes' own schema, with no field that it does not know."""
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_every_role_is_in_it() -> None:
    """A worker is a StatefulSet, the API a Deployment, what comes before them one job in its order."""
    assert set(of_kind("StatefulSet")) == WORKERS
    assert set(of_kind("Deployment")) == {"admin"}
    for name in WORKERS:
        assert PODS[name]["spec"]["containers"][0]["args"] == ["worker", name]
    assert [one["args"] for one in containers(PODS["headrace-prepare"])] == [[step] for step in STEPS]
    assert of_kind("StatefulSet")["sources"]["spec"]["replicas"] == 0


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_is_locked_in(name: str) -> None:
    """What the policy `restricted` asks of a pod, a root that nobody writes to, and no way to ask the cluster."""
    spec = PODS[name]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for one in containers(PODS[name]):
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert one["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in one["resources"]["limits"]
        assert {mount["name"] for mount in one["volumeMounts"]} <= {volume["name"] for volume in spec["volumes"]}


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_role_is_asked_how_it_is_and_told_to_end(name: str) -> None:
    """Only a page that is silent starts a pod anew; readiness is another question; signals reach it while it starts."""
    spec = PODS[name]["spec"]
    one = spec["containers"][0]
    port = {entry["name"]: entry["containerPort"] for entry in one["ports"]}
    wanted = ("http", 8080) if name == "admin" else ("metrics", 9464)
    assert [*port.items()] == [wanted]
    paths = {probe: one[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths["livenessProbe"] == paths["startupProbe"] == {"path": "/healthz", "port": wanted[0]}
    assert paths["readinessProbe"] == {"path": "/readyz", "port": wanted[0]}
    assert one["readinessProbe"]["timeoutSeconds"] > 2  # a page answers within two seconds, whatever hangs
    assert spec["shareProcessNamespace"] is True
    assert spec["terminationGracePeriodSeconds"] >= 60


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_the_instance_is_the_pods_name(name: str) -> None:
    """One that comes back under its name takes over what it had; a StatefulSet never runs two of one."""
    variables = {variable["name"]: variable for variable in PODS[name]["spec"]["containers"][0]["env"]}
    assert variables["HEADRACE_INSTANCE"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


@pytest.mark.parametrize("name", sorted(PODS))
def test_variables_are_made_of_earlier_ones(name: str) -> None:
    """Kubernetes fills a variable in only where it comes before; a role logs in as its own user."""
    for one in containers(PODS[name]):
        seen: set[str] = set()
        for variable in one["env"]:
            assert set(re.findall(r"\$\((\w+)\)", variable.get("value", ""))) <= seen
            seen.add(variable["name"])
        user = "executor" if name.startswith("executor-") else "api" if name == "admin" else name
        url = next(variable["value"] for variable in one["env"] if variable["name"] == "DATABASE_URL")
        owner = name == "headrace-prepare"
        assert url.startswith("postgresql://$(DATABASE_OWNER):" if owner else f"postgresql://headrace_{user}_login:")


def test_variables_are_ones_that_there_are() -> None:
    """No pod is given what nothing reads, and every secret that is asked for stands in the example."""
    offered = set(env_file(OVERLAY / "secrets.env.example"))
    for name, pod in PODS.items():
        for one in containers(pod):
            for variable in one["env"]:
                assert variable["name"] in {*known(), *PARTS} or PASSWORD.match(variable["name"]), name
                secret = variable.get("valueFrom", {}).get("secretKeyRef")
                assert secret is None or secret["name"] == "headrace-secrets"
                assert secret is None or secret.get("optional") or secret["key"] in offered
    settings = {**env_file(BASE / "settings.env"), **env_file(OVERLAY / "settings.env")}
    assert settings.keys() <= {*known(), *PARTS}
    assert all(name in known() or PASSWORD.match(name) for name in offered)
    assert not [name for name in settings if name in known() and _is_secret(name)]


def test_every_secret_reaches_who_reads_it() -> None:
    """A setting that is secret can be given as one, to some pod at least."""
    given = {variable["name"] for pod in PODS.values() for one in containers(pod) for variable in one["env"]}
    missing = {name for name in known() if _is_secret(name)} - given
    assert not missing, f"take them from the Secret in deploy/kubernetes/base: {sorted(missing)}"


def _is_secret(variable: str) -> bool:
    return "SecretStr" in str(Settings.model_fields[known()[variable]].annotation)


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_drain_takes_one_pod_of_a_role_at_a_time(name: str) -> None:
    """And never waits for a role of one pod."""
    budget = of_kind("PodDisruptionBudget")[name]["spec"]
    assert budget["maxUnavailable"] == 1
    assert selects(budget["selector"], PODS[name]["metadata"]["labels"])


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_talks_only_to_what_it_must(name: str) -> None:
    """Everything is closed first; the outside is for who sends, the API's port for the API."""
    labels = PODS[name]["metadata"]["labels"]
    policies = of_kind("NetworkPolicy")
    applies = {key for key, policy in policies.items() if selects(policy["spec"]["podSelector"], labels)}
    assert {"headrace-nothing", "headrace-names", "headrace-servers", "headrace-monitoring"} <= applies
    assert not {"ingress", "egress"} & policies["headrace-nothing"]["spec"].keys()
    sends = name.startswith("executor-") or name in {"scheduler", "admin"}
    assert ("headrace-outside" in applies) == sends
    assert ("headrace-api" in applies) == (name == "admin")


def test_nothing_private_is_reached_from_a_workflow() -> None:
    """The network holds what the guard of webhooks holds, a second time."""
    (rule,) = of_kind("NetworkPolicy")["headrace-outside"]["spec"]["egress"]
    (target,) = rule["to"]
    assert set(target["ipBlock"]["except"]) >= {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"}


def test_roles_scale_by_the_lag_of_their_own_group() -> None:
    """What KEDA looks at is each role's consumer group, and no role gets more pods than partitions."""
    found = [one for one in documents(KUBERNETES / "components/keda/scaling.yaml") if one["kind"] == "ScaledObject"]
    assert {one["metadata"]["name"] for one in found} == WORKERS - {"scheduler", "sources"}
    fields = Settings.model_fields
    for one in found:
        name, spec = one["metadata"]["name"], one["spec"]
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name}
        (trigger,) = spec["triggers"]
        assert trigger["metadata"]["consumerGroup"] == f"{fields['topic_prefix'].default}{name}"
        of = "events_partitions" if name == "matcher" else "actions_partitions"
        assert spec["minReplicaCount"] == 1
        assert spec["maxReplicaCount"] == fields[of].default


def test_the_example_of_an_installation_is_whole() -> None:
    """The overlay names what there is; no secret's value stands in the repository."""
    overlay = documents(OVERLAY / "kustomization.yaml")[0]
    assert all((OVERLAY / path).exists() for path in (*overlay["resources"], *overlay["components"]))
    assert {one["name"] for one in overlay["replicas"]} <= ROLES
    assert set(env_file(OVERLAY / "secrets.env.example").values()) == {"CHANGE_ME"}
    for one in overlay["patches"]:
        (patch,) = documents(OVERLAY / one["path"])
        kubernetes_validate.validate(patch, kubernetes_validate.latest_version(), strict=True)
        assert named(patch) in {named(manifest) for manifest in RENDERED}
