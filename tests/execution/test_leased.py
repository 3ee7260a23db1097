"""The executor of outside effects, over ports."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from app.actions.base import ActionContext, Ports
from app.actions.webhook import Webhook
from app.domain.breaker import BreakerPolicy
from app.domain.errors import ActionFailedError
from app.domain.retry import RetryPolicy
from app.execution.breakers import Breakers
from app.execution.bulkhead import Bulkhead
from app.execution.holding import Holding
from app.execution.lane import Lane
from app.execution.leased import LeasedExecutor
from app.execution.preparation import Preparer
from app.execution.routing import Router, claim_of, result_json
from app.execution.timing import REAL_TIME, Timing
from app.execution.tracing import UNTRACED, StepTraces
from app.ports import Claimed, HttpAnswer, HttpClient, HttpRequest, OwnerRights, Secrets, SecretUseNotes
from app.services.delivery.dead_letters import DeadLetters
from app.services.messages.message_text import TemplateTexts
from app.topics import Topics
from schemas.command import Command
from schemas.execution import Execution
from tests.execution.test_transactional import now
from tests.support.breakers import MemoryBreakers
from tests.support.current import current_over
from tests.support.fake_http import FakeHttp
from tests.support.fake_mailer import FakeMailer
from tests.support.fake_rights import FixedRights
from tests.support.quotas import no_holding
from tests.support.receipts import MemoryReceipts, ReceiptStore
from tests.support.records import FakeRecord
from tests.support.sender import MemorySender
from tests.support.slips import action, command, command_record
from tests.support.waiting import eventually

TOPICS = Topics("t.")
HOOK: dict[str, Any] = {"url": "http://shop.example/hook"}
FAST = RetryPolicy(max_retries=3, initial_delay=0.001, budget=30)


class World:
    """An executor process with its fakes; several may share a store."""

    def __init__(
        self,
        store: ReceiptStore,
        *,
        instance: str = "executor-system/1",
        kind: Any = None,
        policy: RetryPolicy = FAST,
        http: HttpClient | None = None,
        timing: Timing = REAL_TIME,
        secrets: Secrets | None = None,
        secret_uses: SecretUseNotes | None = None,
        breakers: Breakers | None = None,
        lane: Bulkhead | None = None,
        receipts: type[MemoryReceipts] = MemoryReceipts,
        attempt_within: float = 5,
        rights: OwnerRights | None = None,
        holding: Holding | None = None,
        traces: StepTraces = UNTRACED,
    ) -> None:
        self.store = store
        self.http = FakeHttp()
        self.mailer = FakeMailer()
        self.sender = MemorySender()
        self.closing = False
        self.lane = Lane(lane or Bulkhead(100, shared=True), lambda _: self.closing)
        self.receipts = receipts(store, instance, timedelta(seconds=37))
        kind = kind or Webhook()
        self.executor = LeasedExecutor(
            action=kind,
            preparer=Preparer(kind, timeout=attempt_within, clock=now),
            rights=rights or FixedRights(),
            current=current_over(store.crm),
            receipts=self.receipts,
            holding=holding or no_holding(),
            ports=Ports(
                http=http or self.http,
                mail=self.mailer,
                mail_from="Shop <shop@example.com>",
                secrets=secrets,
                secret_uses=secret_uses,
            ),
            template_texts=TemplateTexts(store.texts),
            router=Router(TOPICS, frozenset({"webhook", "send_email"})),
            sender=self.sender,
            dead_letters=DeadLetters(topics=TOPICS, sender=self.sender, role="executor-system", clock=now),
            policy=policy,
            breakers=breakers or Breakers(MemoryBreakers(), BreakerPolicy(threshold=100)),
            lease=37.0,
            timing=timing,
            traces=traces,
        )

    async def run(self, one: Command) -> bool:
        """Carry one command out; True where it may be acked."""
        await self.receipts.start()
        return await self.executor.handle(command_record(one, "t.actions.webhook"), self.lane)

    @property
    def ended(self) -> list[Execution]:
        """Executions that ended."""
        return [Execution.model_validate_json(record.value or b"") for record in self.sender.on("t.executions")]


async def test_the_effect_carries_the_command_id_and_its_result_goes_on() -> None:
    """One POST with the command id as Idempotency-Key; the slip goes on with success."""
    world = World(ReceiptStore())
    one = command(action("webhook", **HOOK))
    assert await world.run(one)
    (request,) = world.http.requests
    assert request.headers["Idempotency-Key"] == str(one.id)
    assert (world.ended[0].status, world.ended[0].results[0].attempts) == ("success", 1)


async def test_a_redelivered_command_is_not_carried_out_again_but_forwarded() -> None:
    """The earlier forward may not have happened: skip the effect, send the stored result on."""
    store = ReceiptStore()
    one = command(action("webhook", **HOOK))
    first, second = World(store), World(store)
    assert await first.run(one)
    assert await second.run(one)
    assert not second.http.requests
    assert second.ended[0].results == first.ended[0].results


async def test_a_crash_between_effect_and_receipt_is_marked_uncertain() -> None:
    """The restarted process takes its own old claim over at once, with the same key, and says so in the result."""
    store = ReceiptStore()
    one = command(action("webhook", **HOOK))
    crashed = World(store)
    await crashed.receipts.start()
    await crashed.receipts.claim([claim_of(one)])
    restarted = World(store)
    assert await restarted.run(one)
    assert restarted.http.requests[0].headers["Idempotency-Key"] == str(one.id)
    assert restarted.ended[0].results[0].uncertain


@pytest.mark.parametrize("doubtful", [[], [0], [1]])
async def test_a_retry_has_the_key_of_the_first_attempt(doubtful: list[int]) -> None:
    """A receiver that has carried it out knows it again; what may have been done before is marked, as it was."""
    world = World(ReceiptStore())
    first = command(action("webhook", **HOOK))
    again = first.model_copy(update={"attempt": 2, "doubtful": doubtful})
    assert await world.run(again)
    assert again.id != first.id
    assert world.http.requests[0].headers["Idempotency-Key"] == str(first.id)
    assert world.ended[0].results[0].uncertain is (doubtful == [0])


async def test_a_slip_that_cannot_be_sent_fails_the_step_it_was_bound_for() -> None:
    """The next step's topic is missing: the effect's result is kept, that step fails, and the command may be acked."""
    world = World(ReceiptStore())
    world.sender.topics = frozenset({"t.executions", "t.dead-letters"})
    assert await world.run(command(action("webhook", **HOOK), action("send_email", 2)))
    (execution,) = world.ended
    assert [one.status for one in execution.results] == ["success", "failed"]
    assert "no_topic" in str(execution.results[1].error)


async def test_where_not_even_its_end_can_be_sent_the_command_is_a_dead_letter() -> None:
    """Nothing is lost: the letter holds the command, and a replay forwards what its receipt says."""
    world = World(ReceiptStore())
    world.sender.topics = frozenset({"t.dead-letters"})
    assert await world.run(command(action("webhook", **HOOK)))
    (letter,) = world.sender.on("t.dead-letters")
    assert orjson.loads(letter.value or b"")["reason"] == "unsendable"
    assert orjson.loads(letter.value or b"")["topic"] == "t.actions.webhook"


@pytest.mark.parametrize("failures", range(5))
async def test_a_failing_destination_is_tried_up_to_four_times(failures: int) -> None:
    """K failures, k = 0..3: k + 1 attempts and success; after the fourth failure the action has failed."""
    world = World(ReceiptStore())
    world.http.answers = [HttpAnswer(503, {}, "") for _ in range(failures)]
    assert await world.run(command(action("webhook", **HOOK)))
    result = world.ended[0].results[0]
    assert result.attempts == min(failures + 1, 4)
    assert result.status == ("success" if failures < 4 else "failed")
    assert not result.uncertain


async def test_a_permanent_error_is_tried_once() -> None:
    """A 400 is not tried again, and the log says what the destination answered."""
    world = World(ReceiptStore())
    world.http.answers = [HttpAnswer(400, {}, "no such hook")]
    assert await world.run(command(action("webhook", **HOOK)))
    result = world.ended[0].results[0]
    assert (result.status, result.attempts) == ("failed", 1)
    assert "400" in (result.error or "")


async def test_an_answer_that_got_lost_marks_the_result() -> None:
    """A timeout leaves open whether the effect happened: the retry's result is uncertain."""
    world = World(ReceiptStore())
    world.http.answers = [ActionFailedError("no answer", effect_unknown=True)]
    assert await world.run(command(action("webhook", **HOOK)))
    assert world.ended[0].results[0].uncertain


async def test_a_handler_that_raises_is_a_failed_result() -> None:
    """A mistake of ours neither crashes the process nor loses the record."""

    class Broken(Webhook):
        async def perform(self, request: Any, ports: Ports, context: ActionContext) -> dict[str, Any]:
            raise ZeroDivisionError

    world = World(ReceiptStore(), kind=Broken())
    assert await world.run(command(action("webhook", **HOOK)))
    assert world.ended[0].results[0].error == "internal error: ZeroDivisionError (trying again cannot help)"


async def test_a_used_up_time_ends_the_execution() -> None:
    """What earlier steps spent counts: no attempt is begun that could not end in time (WORKFLOW_EXECUTION_TIMEOUT)."""
    earlier = {"step": 0, "action_type": "webhook", "status": "success", "executed_at": now(), "duration_ms": 26_000}
    world = World(ReceiptStore())
    world.http.answers = [HttpAnswer(503, {}, "")]
    slip = command(action("webhook", **HOOK), action("webhook", 2, **HOOK), step=1, results=[earlier])
    assert await world.run(slip)
    assert world.ended[0].status == "timed_out"


async def test_a_revocation_ends_a_backoff_and_gives_the_command_back() -> None:
    """While it waits for a retry nothing runs: the record is given back, and its next owner claims at once."""
    store = ReceiptStore()
    one = command(action("webhook", **HOOK))
    world = World(store, policy=RetryPolicy(max_retries=3, initial_delay=5, budget=60))
    world.http.answers = [HttpAnswer(503, {}, "")]
    running = asyncio.create_task(world.run(one))
    await eventually(lambda: world.http.requests)
    world.closing = True
    assert not await running
    assert not world.ended
    successor = World(store, instance="executor-system/2")
    assert await successor.run(one)
    assert not successor.ended[0].results[0].uncertain


async def test_a_strangers_live_lease_is_waited_for() -> None:
    """Two workers with the same command: the second waits, then forwards the first one's result."""
    store = ReceiptStore()
    one = command(action("webhook", **HOOK))
    first, second = World(store), World(store, instance="executor-system/2")
    await first.receipts.start()
    await first.receipts.claim([claim_of(one)])
    waiting = asyncio.create_task(second.run(one))
    await asyncio.sleep(0)
    result = {"step": 0, "action_type": "webhook", "status": "success", "executed_at": now().isoformat()}
    await first.receipts.finish([(one.id, result)])
    assert await waiting
    assert not second.http.requests
    assert second.ended[0].status == "success"


@pytest.mark.parametrize(("most_aside", "aside"), [(256, 1), (0, 0)])
async def test_who_waits_for_a_strangers_lease_holds_no_slot(most_aside: int, aside: int) -> None:
    """It waits aside; where no room aside remains it keeps its slot, and waits all the same."""
    store = ReceiptStore()
    one = command(action("webhook", **HOOK))
    lane = Bulkhead(1, shared=True, most_aside=most_aside)
    first, second = World(store), World(store, instance="executor-system/2", lane=lane)
    await first.receipts.start()
    await first.receipts.claim([claim_of(one)])
    waiting = asyncio.create_task(second.run(one))
    await eventually(lambda: second.receipts.refused > 1)
    assert lane.aside == aside
    await first.receipts.finish([(one.id, stored_result())])
    assert await waiting
    assert (lane.aside, second.ended[0].status) == (0, "success")


async def lose_the_lease(store: ReceiptStore, one: Command) -> tuple[World, MemoryReceipts, "asyncio.Task[bool]"]:
    """Let a worker's lease run out during its attempt, another take it over, and the attempt succeed then."""
    clock = Ticks()
    store.clock = clock
    http = HeldHttp()
    slow = World(store, http=http)
    running = asyncio.create_task(slow.run(one))
    await eventually(lambda: http.asked)
    clock.now += 100
    stranger = MemoryReceipts(store, "executor-system/2", timedelta(seconds=37))
    await stranger.start()
    assert isinstance((await stranger.claim([claim_of(one)]))[0], Claimed)
    http.answer.set()
    await eventually(lambda: slow.receipts.refused)
    return slow, stranger, running


async def test_who_lost_its_lease_forwards_only_a_stored_result() -> None:
    """Nothing is stored when it has ended: it waits for whoever took over, and forwards what that one stored."""
    one = command(action("webhook", **HOOK))
    slow, stranger, running = await lose_the_lease(ReceiptStore(), one)
    assert not slow.sender.records
    await stranger.finish([(one.id, stored_result() | {"output": {"by": "stranger"}})])
    assert await running
    assert slow.ended[0].results[0].output == {"by": "stranger"}


async def test_a_lost_lease_that_comes_back_stores_the_result_it_has() -> None:
    """Whoever took over gave it back: the effect is not made a second time, and its result is marked."""
    one = command(action("webhook", **HOOK))
    slow, stranger, running = await lose_the_lease(store := ReceiptStore(), one)
    await stranger.release([one.id], uncertain=False)
    assert await running
    (result,) = slow.ended[0].results
    assert (result.status, result.attempts, result.uncertain) == ("success", 1, True)
    assert store.receipts[one.id].result == result_json(result)


def stored_result() -> dict[str, Any]:
    """Return a result as a receipt stores it."""
    return {"step": 0, "action_type": "webhook", "status": "success", "executed_at": now().isoformat()}


class Ticks:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class HeldHttp(FakeHttp):
    """A destination that answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.answer = asyncio.Event()

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Answer 200, in time."""
        self.asked += 1
        await self.answer.wait()
        return await super().send(request, within=within, body_limit=body_limit)


async def test_a_skipped_step_and_a_wrong_config_have_receipts_too() -> None:
    """Nothing is tried, the result goes on; the first step's claim still fixes the execution's version."""
    store = ReceiptStore()
    never = [{"field": "order.total", "operator": ">", "value": 1000}]
    skipped, wrong = World(store), World(store)
    one = command(action("webhook", conditions=never, **HOOK))
    assert await skipped.run(one)
    assert skipped.ended[0].results[0].status == "skipped"
    stale = one.model_copy(update={"workflow": one.workflow.model_copy(update={"version": 4})})
    assert await wrong.run(stale)
    assert not wrong.ended


async def test_steps_without_an_effect_are_counted_once() -> None:
    """A skipped step counts as such; a copy of it that comes again is a duplicate."""
    store = ReceiptStore()
    never = [{"field": "order.total", "operator": ">", "value": 1000}]
    one = command(action("webhook", conditions=never, **HOOK))
    names = {
        "headrace_actions_total": {"action_type": "webhook", "outcome": "skipped"},
        "headrace_commands_dropped_total": {"reason": "duplicate"},
    }
    before = [REGISTRY.get_sample_value(name, labels) or 0.0 for name, labels in names.items()]
    assert await World(store).run(one)
    assert await World(store).run(one)
    assert [REGISTRY.get_sample_value(name, labels) for name, labels in names.items()] == [n + 1 for n in before]


async def test_poison_goes_to_the_dead_letters() -> None:
    """A record that is no command is kept, and may be acked."""
    world = World(ReceiptStore())
    assert await world.executor.handle(FakeRecord(b"\xff"), world.lane)
    assert len(world.sender.on("t.dead-letters")) == 1


async def parked(world: World, one: Command) -> Command:
    """Carry out a command that ends up parked; returns the copy that its timer holds."""
    assert await world.run(one)
    assert not world.sender.records
    timer = world.store.timers.set_timers[one.id]
    assert timer.record.topic == "t.actions.webhook"
    return Command.model_validate_json(timer.record.value or b"")


async def test_a_wait_too_long_to_hold_is_parked_and_resumed() -> None:
    """Retry-After of a minute: acked, nothing sent, a timer; its copy goes on with the attempts that were made."""
    world = World(ReceiptStore())
    world.http.answers = [HttpAnswer(503, {}, ""), HttpAnswer(429, {"retry-after": "60"}, "")]
    one, began = command(action("webhook", **HOOK)), now()
    copy = await parked(world, one)
    timer = world.store.timers.set_timers[one.id]
    assert timedelta(seconds=60) <= timer.due - began <= timedelta(seconds=70)
    assert (timer.kind, copy.parked, copy.tried, copy.id) == ("retry", 1, 2, one.id)
    assert "429" in timer.reason
    assert await world.run(copy)
    result = world.ended[0].results[0]
    assert (result.status, result.attempts, result.uncertain) == ("success", 3, False)


async def test_a_copy_from_before_the_parking_is_dropped() -> None:
    """The command delivered again while it is parked does nothing: its timer brings the next copy."""
    world = World(ReceiptStore())
    world.http.answers = [HttpAnswer(429, {"retry-after": "60"}, "")]
    one = command(action("webhook", **HOOK))
    await parked(world, one)
    assert await world.run(one)
    assert len(world.http.requests) == 1
    assert not world.sender.records


async def test_parking_does_not_use_up_the_attempts_or_the_time() -> None:
    """Each wait of an hour is parked; after four attempts it has failed, and was not timed out."""
    world = World(ReceiptStore())
    world.http.answers = [HttpAnswer(503, {"retry-after": "3600"}, "") for _ in range(4)]
    one = command(action("webhook", **HOOK))
    for _ in range(3):
        one = await parked(world, one)
    assert await world.run(one)
    result = world.ended[0].results[0]
    assert (result.status, result.attempts, world.ended[0].status) == ("failed", 4, "failed")


async def test_the_next_step_starts_unparked() -> None:
    """What a step's command was parked for is not handed on to the step after it."""
    world = World(ReceiptStore())
    world.http.answers = [HttpAnswer(429, {"retry-after": "60"}, "")]
    copy = await parked(world, command(action("webhook", **HOOK), action("webhook", order=2, **HOOK)))
    assert await world.run(copy)
    (sent,) = world.sender.on("t.actions.webhook")
    after = Command.model_validate_json(sent.value or b"")
    assert (after.step, after.parked, after.tried, after.tried_s) == (1, 0, 0, 0.0)


class Leisurely(FakeHttp):
    """Answers in its own time: after the loop has gone round a few times."""

    async def send(self, request: HttpRequest, *, within: float, body_limit: int) -> HttpAnswer:
        """Let all else go first, and answer."""
        for _ in range(5):
            await asyncio.sleep(0)
        return await super().send(request, within=within, body_limit=body_limit)


class Untimed(Webhook):
    """A webhook that would leave its time to the executor."""

    keeps_time = False


@pytest.mark.parametrize(("kind", "error"), [(Webhook(), None), (Untimed(), "no end within 0 s")])
async def test_an_attempt_has_one_timeout(kind: Webhook, error: str | None) -> None:
    """The port's, where the action says that its port keeps to the time; else the executor's."""
    world = World(ReceiptStore(), kind=kind, http=Leisurely(), attempt_within=0)
    assert await world.run(command(action("webhook", **HOOK)))
    (result,) = world.ended[0].results
    assert (result.error is None) == (error is None)
    assert (error or "") in (result.error or "")
    assert result.uncertain == (error is not None)
