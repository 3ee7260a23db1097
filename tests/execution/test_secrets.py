"""Secrets on their way through an executor: in the request, and in nothing that is kept."""

import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

import pytest

from app.actions.base import ActionContext, Ports
from app.actions.registry import REGISTRY
from app.actions.steps import resolve
from app.actions.webhook import Webhook
from app.adapters.http.client import open_http_client
from app.domain.breaker import BreakerPolicy
from app.domain.errors import ActionFailedError
from app.domain.grants import EVERYBODY, NOBODY, Use
from app.execution.breakers import Breakers
from app.execution.preparation import DryRunPreparer
from app.ports import HttpAnswer, SecretUse, SecretValues
from schemas.result import ActionResult
from tests.execution.test_leased import World
from tests.execution.test_transactional import now
from tests.support.breakers import MemoryBreakers
from tests.support.fake_secrets import FixedSecrets, MemorySecretUses
from tests.support.receipts import ReceiptStore
from tests.support.records import cloud_event
from tests.support.slips import action, command

CANARY: Final = "canary-5f2c81d7-token"
HOOK: Final[dict[str, Any]] = {
    "url": "https://shop.example/{{ secrets.TOKEN }}/hook",
    "headers": {"Authorization": "Bearer {{ secrets.TOKEN }}"},
}


@dataclass
class Bench:
    """An executor with one secret, and everything that it lets out."""

    secrets: FixedSecrets = field(default_factory=lambda: FixedSecrets(TOKEN=CANARY))
    kind: Any = None

    def __post_init__(self) -> None:
        self.store = ReceiptStore()
        self.uses = MemorySecretUses()
        self.world = World(self.store, kind=self.kind, secrets=self.secrets, secret_uses=self.uses)

    async def run(self, *answers: Any, **config: Any) -> ActionResult:
        """Carry out a webhook whose destination answers so; returns its result."""
        self.world.http.answers = list(answers)
        assert await self.world.run(command(action("webhook", **{**HOOK, **config})))
        return self.world.ended[0].results[0]

    @property
    def kept(self) -> str:
        """All that was stored or sent on."""
        return repr(self.world.sender.records) + repr(self.store.__dict__) + repr(self.store.timers.__dict__)


async def test_the_request_has_it_and_nothing_that_is_kept() -> None:
    """URL and header hold the value; receipt, slip and log row do not."""
    bench = Bench()
    result = await bench.run()
    (request,) = bench.world.http.requests
    assert request.url == f"https://shop.example/{CANARY}/hook"
    assert request.headers["Authorization"] == f"Bearer {CANARY}"
    assert result.status == "success"
    assert CANARY not in bench.kept


async def test_a_secret_that_is_given_is_noted_with_whose_it_was() -> None:
    """By workflow and owner; one that is not for the workflow, and steps without any, note nothing."""
    bench = Bench()
    one = command(action("webhook", **HOOK))
    assert await bench.world.run(one)
    assert bench.uses.added == [SecretUse("TOKEN", Use(one.workflow.owner, one.workflow.id))]
    refused = Bench()
    refused.secrets.grants["TOKEN"] = NOBODY
    assert (await refused.run()).status == "failed"
    plain = Bench()
    await plain.run(url="https://shop.example/hook", headers={})
    assert refused.uses.added == plain.uses.added == []


@pytest.mark.parametrize(
    "body",
    [
        f"you sent {CANARY}",
        f'{{"echo": {{"{CANARY}": ["Bearer {CANARY}"]}}}}',
        "x" * (2048 - 10) + CANARY,
        f"see https://shop.example/{CANARY.upper()}/",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_what_comes_back_is_blotted_out(body: str, status: int) -> None:
    """An echo in the answer, in JSON or cut in its middle, leaves nothing in output or error."""
    bench = Bench()
    result = await bench.run(*[HttpAnswer(status, {"content-type": "application/json"}, body)] * 4)
    assert result.status == ("success" if status == 200 else "failed")
    assert "canary" not in bench.kept.casefold()
    assert status == 200 or "***" in str(result.error) or len(body) > 2000


async def test_what_only_a_reader_of_json_sees_is_blotted_out_too() -> None:
    """The value of a JSON answer is cleaned after it has been read."""
    answer = HttpAnswer(200, {"content-type": "application/json"}, '{"echo": "\\u0063anary-5f2c81d7-token"}')
    result = await Bench().run(answer)
    assert result.output["body"] == {"echo": "***"}


async def test_a_parked_command_and_its_reason_hold_none() -> None:
    """The timer's record and what the page of waiting executions says."""
    bench = Bench()
    bench.world.http.answers = [HttpAnswer(429, {"retry-after": "60"}, f"slow down, {CANARY}")]
    assert await bench.world.run(command(action("webhook", **HOOK)))
    (timer,) = bench.store.timers.set_timers.values()
    assert "slow down, ***" in timer.reason
    assert CANARY not in bench.kept


async def no_such_name(host: str, port: int) -> Sequence[str]:
    """Know no host, and say so with its name, as some resolvers do."""
    raise OSError(f"Name or service not known: {host}:{port}")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/{{{{ secrets.TOKEN }}}}/hook",
        "http://127.0.0.1:{port}/?key={{{{ secrets.TOKEN }}}}",
        "http://{{{{ secrets.TOKEN }}}}.example/hook",
        "http://{{{{ secrets.TOKEN }}}}/",
    ],
)
async def test_a_host_that_is_down_tells_nothing_of_a_secret_in_its_address(url: str, caplog: Any) -> None:
    """Not by the destination's name, the breaker's reason, the wait for it, nor what the resolver says."""
    store, breakers = ReceiptStore(), MemoryBreakers()
    caplog.set_level(logging.DEBUG)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        hook = {"url": url.format(port=deaf.getsockname()[1]), "headers": HOOK["headers"]}
        async with open_http_client(allow_private=True, resolve=no_such_name) as http:
            policy = Breakers(breakers, BreakerPolicy(threshold=1))
            world = World(store, http=http, breakers=policy, secrets=FixedSecrets(TOKEN=CANARY))
            for number in range(2):  # the first opens a breaker where there is one, the second waits for it
                assert await world.run(command(action("webhook", **hook), event=cloud_event(id=f"e-{number}")))
    kept = repr(world.sender.records) + repr(store.__dict__) + repr(store.timers.__dict__) + repr(breakers.__dict__)
    assert "no connection to " in kept
    assert CANARY not in kept + caplog.text


async def test_an_error_of_the_adapter_or_of_ours_holds_none(caplog: pytest.LogCaptureFixture) -> None:
    """The text of either."""

    class Broken(Webhook):
        async def perform(self, request: Any, ports: Ports, context: ActionContext) -> dict[str, Any]:
            raise ActionFailedError(f"no route to {request.http.url}", permanent=True)

    bench = Bench(kind=Broken())
    with caplog.at_level(logging.DEBUG):
        result = await bench.run()
    assert result.error == "no route to https://shop.example/***/hook (trying again cannot help)"
    assert CANARY not in bench.kept + caplog.text


async def test_a_request_that_is_refused_holds_none() -> None:
    """What the preparation finds wrong is quoted without it."""
    bench = Bench()
    result = await bench.run(url="{{ secrets.TOKEN }}://shop.example/")
    assert (result.status, result.attempts) == ("failed", 0)
    assert CANARY not in bench.kept
    assert not bench.world.http.requests


async def test_an_unknown_secret_fails_the_action_by_name() -> None:
    """Before anything is sent, and for good."""
    bench = Bench(secrets=FixedSecrets())
    result = await bench.run()
    assert (result.status, result.attempts) == ("failed", 0)
    assert result.error == "secrets.TOKEN: there is no secret TOKEN"
    assert not bench.world.http.requests


async def test_a_step_that_is_skipped_does_not_mind() -> None:
    """Its conditions come first."""
    bench = Bench(secrets=FixedSecrets())
    never = [{"field": "order.total", "operator": ">", "value": 10**9}]
    assert (await bench.run(conditions=never)).status == "skipped"


async def test_who_uses_no_secret_asks_for_none() -> None:
    """Not even the cache is touched."""
    bench = Bench()
    await bench.run(url="https://shop.example/", headers={})
    assert bench.secrets.asked == []


async def test_events_cannot_bring_their_own() -> None:
    """``secrets`` in an event's data is not what templates see."""
    bench = Bench()
    one = command(action("webhook", **HOOK))
    one.event["data"] = {**one.event["data"], "secrets": {"TOKEN": "forged-token"}}
    assert await bench.world.run(one)
    assert "forged-token" not in bench.world.http.requests[0].url


@pytest.mark.parametrize(
    ("action_type", "config"),
    [
        ("webhook", {**HOOK, "body": {"k": "{{ secrets.TOKEN }}"}}),
        ("webhook", {"url": "{{ secrets.HOOK_URL }}"}),
        ("webhook", {"url": "https://shop.example/", "sign_with": "HOOK_KEY"}),
        ("send_email", {"to": "a@b.example", "subject": "{{ secrets.TOKEN }}", "html": "<b>{{ secrets.TOKEN }}</b>"}),
    ],
)
def test_a_dry_run_shows_stars(action_type: str, config: dict[str, Any]) -> None:
    """Nothing is looked up; what would be sent has *** in the place of each."""
    kind = REGISTRY.find(action_type)
    assert kind is not None
    one = command(action(action_type, **config))
    made = DryRunPreparer(kind, timeout=5, clock=now).prepare(resolve(one))
    assert not isinstance(made, ActionResult), made
    assert resolve(one).secrets
    assert "***" in repr(made.request) or made.request.sign_with == "HOOK_KEY"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owners": (str(uuid4()),)}, "secrets.TOKEN is not for this workflow or its owner"),
        ({"workflows": ()}, "secrets.TOKEN is not for this workflow or its owner"),
        ({"hosts": ("other.example",)}, "url: is on a host that secrets.TOKEN may not be sent to"),
        ({"hosts": ("shop.example:8443",)}, "url: is on a host that secrets.TOKEN may not be sent to"),
        ({"hosts": ()}, "url: is on a host that secrets.TOKEN may not be sent to"),
    ],
)
async def test_a_secret_that_is_not_granted_fails_the_action_unsent(changes: dict[str, Any], said: str) -> None:
    """At every use: the owner's and the workflow's grant, and the host's. A dry run says the same."""
    bench = Bench()
    bench.secrets.grants["TOKEN"] = replace(EVERYBODY, **changes)
    result = await bench.run(**HOOK)
    assert result.status == "failed"
    assert str(result.error).startswith(said)
    assert not bench.world.http.requests
    one = command(action("webhook", **HOOK))
    given = SecretValues(grants=bench.secrets.grants)
    dry = DryRunPreparer(Webhook(), timeout=5, clock=now).prepare(resolve(one), None, given)
    assert str(getattr(dry, "error", None)).startswith(said)


async def test_a_secret_that_is_granted_is_sent() -> None:
    """To a host that it names; the request takes the list along for its redirects."""
    bench = Bench()
    bench.secrets.grants["TOKEN"] = replace(EVERYBODY, hosts=("shop.example",))
    assert (await bench.run(**HOOK)).status == "success"
    assert bench.world.http.requests[0].hosts == {"TOKEN": ("shop.example",)}
