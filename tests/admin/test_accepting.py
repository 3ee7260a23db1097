"""``Accept``: 406 for who takes nothing that we have, and never for who takes it in any way."""

import pytest

from app.admin.accepting import acceptable
from app.admin.problems import NotAcceptableError
from tests.admin.conftest import User, draft
from tests.admin.test_problems import assert_problem

KINDS = ("application/json",)
BOTH = ("text/csv", "application/jsonl")
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    "accept",
    [
        "*/*", CHROMIUM, PROMETHEUS, "application/*", "application/json", "APPLICATION/JSON",
        "application/json;q=0.001", "application/problem+json, application/json", "application/json; charset=utf-8",
        "application/xml;q=1, */*;q=0.1", "", " ", ",", "json", "application/json;q=2",
        'text/x;a="b,c/d;q=0", application/json', "*/*;q=0, application/json",
    ],
)  # fmt: skip
def test_who_takes_it_gets_it(accept: str) -> None:
    """Browsers, curl, Prometheus, clients; and who says nothing that can be read takes anything."""
    assert acceptable([accept], KINDS) == "application/json"


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml", "text/*", "text/html, image/png", "application/json;q=0", "*/*;q=0", "application/*;q=0.000",
        "application/json;q=0, */*", "application/problem+json", "application/json5",
    ],
)  # fmt: skip
def test_who_takes_nothing_that_there_is_gets_nothing(accept: str) -> None:
    """None of the ranges fits, or the most exact one that does refuses it."""
    with pytest.raises(NotAcceptableError, match="application/json"):
        acceptable([accept], KINDS)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (["*/*"], "text/csv"),
        (["application/jsonl"], "application/jsonl"),
        (["text/csv;q=0.5, application/jsonl"], "application/jsonl"),
        (["text/csv;q=0.5", "application/jsonl;q=0.4"], "text/csv"),
        (["application/*, */*;q=0.1"], "application/jsonl"),
        (["text/csv;q=0, */*"], "application/jsonl"),
        ([], "text/csv"),
    ],
)
def test_of_several_the_one_that_is_liked_best(accept: list[str], kind: str) -> None:
    """By weight; of equals the first."""
    assert acceptable(accept, BOTH) == kind


@pytest.mark.parametrize("path", ["/api/v1/workflows", "/healthz", "/openapi.json", "/api/v1/executions/stream"])
async def test_an_answer_that_is_not_taken_is_406(user: User, path: str) -> None:
    """A problem that says what there is; open or not."""
    answer = await user.call("GET", path, headers={"Accept": "application/xml"})
    assert_problem(answer, 406)
    assert "Accept" in answer.json["detail"]


async def test_nothing_is_done_for_who_does_not_take_the_answer(user: User) -> None:
    """It is refused before anything is stored; what has no answer but its status is done."""
    refused = await user.call("POST", "/api/v1/workflows", draft(), headers={"Accept": "text/html"})
    assert_problem(refused, 406)
    assert (await user.call("GET", "/api/v1/workflows")).json["items"] == []
    path = f"/api/v1/workflows/{(await user.create())['id']}"
    assert (await user.call("DELETE", path, headers={"Accept": "text/html"})).status == 204


async def test_who_may_not_call_is_told_so_first(user: User) -> None:
    """What an operation answers is nothing to who may not call it."""
    assert (await User(user.client, "x").call("GET", "/api/v1/users", headers={"Accept": "x/y"})).status == 401
    assert (await user.call("GET", "/api/v1/users", headers={"Accept": "x/y"})).status == 403


@pytest.mark.parametrize(
    ("query", "accept", "given"),
    [
        ("", "*/*", "text/csv"),
        ("", "application/jsonl", "application/jsonl"),
        ("?format=jsonl", "*/*", "application/jsonl"),
        ("?format=csv", "application/jsonl;q=0.9, text/csv;q=0.1", "text/csv"),
        ("?format=jsonl", "text/csv", None),
        ("?format=csv", "application/jsonl", None),
        ("", "application/json", None),
    ],
)
async def test_an_export_is_what_the_query_string_says_or_accept(
    user: User, query: str, accept: str, given: str | None
) -> None:
    """``format`` is the word; without it, what is liked better; 406 where both cannot be had."""
    answer = await user.call("GET", f"/api/v1/executions/export{query}", headers={"Accept": accept})
    if given is None:
        assert_problem(answer, 406)
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (200, f"{given}; charset=utf-8")
