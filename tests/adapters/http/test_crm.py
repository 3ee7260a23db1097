"""The user's CRM over HTTP: what is sent, and what each answer means. Its contract tests are the port's."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.adapters.http.crm import CrmServer, HttpCrm
from app.domain.causation import Link
from app.domain.errors import ActionFailedError
from app.ports import CustomerUpdate, HttpAnswer, Origin, TagRequest, TaskRequest
from tests.attack.spellings import pieces, spellings
from tests.support.fake_http import FakeHttp

SERVER = CrmServer("https://crm.example/api", "secret", within=2.0)
JSON = {"content-type": "application/json"}


def crm_of(http: FakeHttp, server: CrmServer = SERVER) -> HttpCrm:
    """Return the client, for one command."""
    return HttpCrm(http, server, key=lambda: "key-1", causation="w/e", within=3.0)


def answers(*bodies: Any, status: int = 200) -> FakeHttp:
    """Return what answers with these values, one by one."""
    http = FakeHttp()
    http.answers = [HttpAnswer(status, JSON, orjson.dumps(body).decode()) for body in bodies]
    return http


async def failure(http: FakeHttp) -> ActionFailedError:
    """Apply a tag, which must fail; returns why."""
    with pytest.raises(ActionFailedError) as caught:
        await crm_of(http).apply_tags([TagRequest("c-1", "VIP")])
    return caught.value


async def test_a_change_carries_key_token_and_chain() -> None:
    """Ids are encoded segments of the path; the request's own chain goes before the command's."""
    http = answers({"applied": True}, {"applied": False})
    link = Link(UUID(int=1), UUID(int=2))
    told = TagRequest("a/b é", "50% off?", Origin(UUID(int=3), link, None))
    assert await crm_of(http).apply_tags([told, TagRequest("c-1", "x")]) == [True, False]
    first, second = http.requests
    assert (first.method, first.url) == (
        "PUT",
        "https://crm.example/api/crm/customers/a%2Fb%20%C3%A9/tags/50%25%20off%3F",
    )
    assert first.headers == {
        "Accept": "application/json",
        "Authorization": "Bearer secret",
        "Idempotency-Key": "key-1",
        "Headrace-Causation": str(link),
    }
    assert second.headers["Headrace-Causation"] == "w/e"
    assert http.withins == [3.0, 3.0]


async def test_bodies_are_json_with_times_and_nulls() -> None:
    """A task as the contract has it."""
    http = answers({})
    due = datetime(2026, 3, 1, 12, tzinfo=UTC)
    await crm_of(http).create_tasks([TaskRequest(UUID(int=7), None, "Call", "", "sam", due)])
    (request,) = http.requests
    assert orjson.loads(request.body or b"") == {
        "id": str(UUID(int=7)), "customer_id": None, "title": "Call", "description": "", "assignee": "sam",
        "due_at": "2026-03-01T12:00:00+00:00",
    }  # fmt: skip
    assert request.headers["Content-Type"] == "application/json"


async def test_without_a_token_none_is_sent() -> None:
    """A CRM inside the network may do without."""
    http = answers({"changed": ["b", "a"]})
    crm = crm_of(http, CrmServer("http://crm", "", 1.0))
    assert await crm.update_customers([CustomerUpdate("c", {"a": 1, "b": None})]) == [["a", "b"]]
    assert "Authorization" not in http.requests[0].headers


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (409, True), (302, True), (429, False), (503, False)],
)
async def test_an_error_status_is_judged_like_a_webhooks(status: int, permanent: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Tried again or not; the log has the status and the beginning of the answer."""
    error = await failure(answers({"detail": "so it is"}, status=status))
    assert error.permanent is permanent
    assert str(status) in str(error)


async def test_retry_after_is_heard() -> None:
    """As a webhook's is."""
    http = FakeHttp()
    http.answers = [HttpAnswer(429, {"Retry-After": "17"}, "")]
    assert (await failure(http)).retry_after == 17.0


@pytest.mark.parametrize("body", [{}, {"applied": "yes"}, [], None, 1])
async def test_an_answer_without_its_field_fails_for_good(body: Any) -> None:
    """The effect may have happened, and asking again would get the same answer."""
    error = await failure(answers(body))
    assert (error.permanent, error.effect_unknown) == (True, True)
    assert "applied, true or false" in str(error)


async def test_an_answer_that_is_no_json_fails_for_good() -> None:
    """A proxy's page is no CRM."""
    http = FakeHttp()
    http.answers = [HttpAnswer(200, {}, "<html>")]
    error = await failure(http)
    assert (error.permanent, error.effect_unknown, str(error)) == (True, True, "the CRM's answer is not JSON")


@pytest.mark.parametrize("odd", [".", ".."])
async def test_an_id_that_would_leave_its_place_is_refused(odd: str) -> None:
    """Every client and server on the way would take it for a step in the path."""
    http = FakeHttp()
    with pytest.raises(ActionFailedError, match="cannot be part of an address"):
        await crm_of(http).apply_tags([TagRequest(odd, "VIP")])
    with pytest.raises(ActionFailedError, match="cannot be part of an address"):
        await crm_of(http).orders([odd])
    assert not http.requests


async def test_what_is_not_there_is_left_out() -> None:
    """404 to a look is an answer; reads carry no key."""
    http = FakeHttp()
    http.answers = [HttpAnswer(404, JSON, "{}"), HttpAnswer(200, JSON, '{"id":"o-2","status":"paid"}')]
    assert await crm_of(http).orders(["o-2", "o-1"]) == {"o-2": {"id": "o-2", "status": "paid"}}
    assert [request.url for request in http.requests] == [
        "https://crm.example/api/sales/orders/o-1", "https://crm.example/api/sales/orders/o-2",
    ]  # fmt: skip
    assert "Idempotency-Key" not in http.requests[0].headers
    assert http.withins == [2.0, 2.0]


@pytest.mark.parametrize("body", [{"id": "c-2"}, {"name": "Ada"}, [], {"id": 1}])
async def test_somebody_else_is_not_taken_for_a_customer(body: Any) -> None:
    """An answer about another id, or about none, fails for good."""
    with pytest.raises(ActionFailedError, match="has no such id"):
        await crm_of(answers(body)).customers(["c-1"])


@pytest.mark.parametrize("ids", [["b", "a"], ["b", "b"], ["a"]])
async def test_a_page_out_of_order_is_refused(ids: list[str]) -> None:
    """An audience that trusts it would leave somebody out, or never end."""
    with pytest.raises(ActionFailedError, match="not in the order"):
        await crm_of(answers({"items": [{"id": one} for one in ids]})).customers_after("a", 10)


@pytest.mark.parametrize("spelled", spellings("crm-token-1f7ac09be2").items(), ids=lambda one: one[0])
async def test_a_crm_that_repeats_its_token_tells_the_log_nothing(spelled: tuple[str, str]) -> None:
    """In whichever spelling, whole or cut: no eight characters of it are in the error."""
    server, http = CrmServer("https://crm.example", "crm-token-1f7ac09be2", 1.0), FakeHttp()
    http.answers = [HttpAnswer(403, {}, f"not for {spelled[1][1:]}")]
    with pytest.raises(ActionFailedError, match="answered 403: not for") as caught:
        await crm_of(http, server).apply_tags([TagRequest("c-1", "VIP")])
    assert not [piece for _, piece in pieces(server.token) if piece in str(caught.value)]
