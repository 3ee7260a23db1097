"""One round is enough: every wrong field is named at once, and a misspelt key with the one that was meant."""

import logging
from typing import Any

import pytest

from app.admin.operations import JSON, MERGE_PATCH, Operation
from app.admin.routes import OPERATIONS
from tests.admin.conftest import User, draft
from tests.admin.test_problems import request_lines
from tests.admin.test_validation import TAG, errors

WAIT = {"type": "delay", "order": 1}
MISNAMED = {"workflow": draft(nmae="x"), "evnt": {}}
EVENT = {"specversion": "1.0", "id": "1", "sorce": "/s", "type": "order.paid"}
AS_JSON = {"Content-Type": JSON}
GOOD = {"field": "order.total", "operator": ">", "value": 5}


async def refused(user: User, method: str, path: str, body: Any = None, **options: Any) -> dict[str, str]:
    """What a request that is refused says, by path."""
    answer = await user.call(method, path, body, **options)
    assert answer.status == 400, answer
    return {error["path"]: error["message"] for error in answer.json["errors"]}


@pytest.mark.parametrize(
    ("changes", "path", "meant"),
    [
        ({"conditions": [{"feild": "a", "operator": "==", "value": 1}]}, "conditions[0].feild", "field"),
        ({"conditions": [{"any": [{**GOOD, "Logik": "OR"}]}]}, "conditions[0].any[0].Logik", "logic"),
        ({"nmae": "x"}, "nmae", "name"),
        ({"trigger": {"type": "order.paid", "confg": {}}}, "trigger.confg", "config"),
        ({"trigger": {"type": "temporal.daily", "config": {"timzone": "UTC"}}}, "trigger.config.timzone", "timezone"),
        ({"actions": [{**TAG, "on_eror": "stop"}]}, "actions[0].on_eror", "on_error"),
        ({"actions": [{**TAG, "config": {"tga": "t"}}]}, "actions[0].config.tga", "tag"),
        ({"actions": [{**TAG, "type": "aply_tag"}]}, "actions[0].type", "apply_tag"),
        ({"actions": [{**WAIT, "config": {"durration": "1d"}}]}, "actions[0].config.durration", "duration"),
        ({"reentry": {"once": True, "key": "a", "onec_per": "1 h"}}, "reentry.onec_per", "once_per"),
    ],
)  # fmt: skip
async def test_a_misspelt_key_of_a_workflow_names_the_one_meant(
    user: User, changes: dict[str, Any], path: str, meant: str
) -> None:
    """Wherever in a draft it stands."""
    assert f"is {meant} meant?" in (await errors(user, draft(**changes)))[path]


@pytest.mark.parametrize(
    ("asked", "body", "at", "said"),
    [
        ("POST /api/v1/crm/customers/c/notes", {"txt": "a"}, "txt", "is text meant?"),
        ("POST /api/v1/sales/orders", {"items": [{"prize": 1}]}, "items[0].prize", "is price meant?"),
        ("POST /api/v1/message-templates", {"name": "a", "kind": "sms", "tekst": "x"}, "tekst", "is text meant?"),
        ("POST /api/v1/channels", {"name": "a", "owner": ["*"]}, "owner", "is owners meant?"),
        ("POST /api/v1/api-keys", {"name": "a", "permision": []}, "permision", "is permissions meant?"),
        ("PUT /api/v1/secrets/A", {"valeu": "long enough"}, "valeu", "is value meant?"),
        ("POST /api/v1/templates", draft(categori="sales"), "categori", "is category meant?"),
        ("POST /api/v1/workflows/test", MISNAMED, "evnt", "is event meant?"),
        ("POST /api/v1/workflows/test", MISNAMED, "workflow.nmae", "is name meant?"),
        ("GET /api/v1/executions?stauts=failed", None, "stauts", "is status meant?"),
        ("GET /api/v1/dead-letters?form=2026-01-01T00:00:00Z", None, "form", "is from meant?"),
        ("GET /api/v1/crm/tasks?limt=1", None, "limt", "is limit meant?"),
        # Events may have attributes of their own: what is missing names what may be meant for it.
        ("POST /api/v1/events", EVENT, "source", "is sorce meant for it?"),
    ],
)  # fmt: skip
async def test_a_misspelt_key_anywhere_names_the_one_meant(
    admin: User, asked: str, body: Any, at: str, said: str
) -> None:
    """In every body and query string."""
    method, path = asked.split()
    assert said in (await refused(admin, method, path, body))[at]


async def test_a_patch_is_told_the_same(user: User) -> None:
    """The draft that a merge patch makes is judged like a new one."""
    path = f"/api/v1/workflows/{(await user.create())['id']}"
    headers = {"If-Match": "*", "Content-Type": MERGE_PATCH}
    assert "is name meant?" in (await refused(user, "PATCH", path, {"nmae": "x"}, headers=headers))["nmae"]


@pytest.mark.parametrize("config", [{}, {"duration": "1d", "until": "2026-03-01"}, {"duration": None}])
async def test_the_field_of_a_delay_is_named(user: User, config: dict[str, Any]) -> None:
    """A delay without a time, or with two, is wrong at its duration."""
    found = await errors(user, draft(actions=[{"type": "delay", "order": 1, "config": config}]))
    assert found == {"actions[0].config.duration": "either duration or until is needed"}


@pytest.mark.parametrize(
    ("action", "config", "paths"),
    [
        ("delay", {"at": "25:00"}, {"at", "duration"}),
        ("delay", {"durration": "1d"}, {"durration", "duration"}),
        ("send_email", {"to": ["nobody"], "subject": "x"}, {"to[0]", "text"}),
        ("send_email", {"to": ["nobody"], "subject": "{{ x", "text": "{% if %}"}, {"to[0]", "subject", "text"}),
        ("send_notification", {"titel": "x", "title": "t", "body": "{{ b"}, {"titel", "channel", "body"}),
        ("send_whatsapp", {"colour": 1, "language": "en"}, {"colour", "text", "language"}),
        ("create_note", {"colour": 1, "text": "{{ x"}, {"colour", "text"}),
    ],
)
async def test_what_is_wrong_behind_another_mistake_is_named(
    user: User, action: str, config: dict[str, Any], paths: set[str]
) -> None:
    """Rules between fields and templates are judged though another field is wrong."""
    found = await errors(user, draft(actions=[{"type": action, "order": 1, "config": config}]))
    assert set(found) == {f"actions[0].config.{path}" for path in paths}


async def test_all_that_is_wrong_with_one_condition_is_named(user: User) -> None:
    """Field, operator, logic and keys, inside of groups too, beside all else."""
    wrong = {"field": "a..b", "operator": "~", "value": 1, "logic": "XOR", "colour": 1}
    found = await errors(
        user,
        draft(name="", conditions=[wrong, {"any": [wrong, GOOD]}], actions=[TAG, {**TAG, "order": 1, "config": {}}]),
    )
    of_one = {"field", "operator", "logic", "colour"}
    assert set(found) == {
        "name", "actions", "actions[1].config.tag",
        *(f"conditions[0].{name}" for name in of_one), *(f"conditions[1].any[0].{name}" for name in of_one),
    }  # fmt: skip


async def test_all_that_is_wrong_with_a_query_string_is_named(user: User) -> None:
    """Keys given twice, unreadable values and unknown keys, at once."""
    query = "limit=1&limit=2&search=%00&activ=true&trigger_type=" + "x" * 300
    found = await refused(user, "GET", f"/api/v1/workflows?{query}")
    assert set(found) == {"limit", "search", "activ", "trigger_type"}


async def test_all_that_is_wrong_with_a_business_draft_is_named(admin: User) -> None:
    """An appointment that ends before it starts, an order without a total, whatever else is wrong."""
    late = {"title": "", "starts_at": "2026-03-01T10:00:00Z", "ends_at": "2026-03-01T09:00:00Z"}
    found = await refused(admin, "POST", "/api/v1/crm/appointments", late)
    assert set(found) == {"customer_id", "title", "ends_at"}
    found = await refused(admin, "POST", "/api/v1/sales/orders", {"currency": "euro"}, headers={"Idempotency-Key": "ä"})
    assert set(found) == {"customer_id", "currency", "total", "Idempotency-Key"}


async def test_each_text_that_cannot_be_stored_is_named(user: User) -> None:
    """A NUL character is refused at its field."""
    found = await errors(user, draft(name="a\x00b", actions=[{**TAG, "config": {"tag": "\x00"}}]))
    assert set(found) == {"name", "actions[0].config.tag"}


async def test_refusals_are_logged_without_values(admin: User, caplog: pytest.LogCaptureFixture) -> None:
    """Each refused request's line says why, by field or in words; what was sent is in none of them."""
    sent = "swordfish7"
    email = {"type": "send_email", "order": 1, "config": {"to": [sent], "subject": "s", "text": "t"}}
    await admin.call("POST", "/api/v1/channels", {"name": sent, "url": "json://a.example.com/"})
    with caplog.at_level(logging.INFO):
        for method, path, body in (
            ("POST", "/api/v1/workflows", draft(reentry=sent, actions=[email])),
            ("POST", "/api/v1/workflows", draft(conditions=[{"field": "a", "operator": sent, "value": {sent: 1}}])),
            ("POST", "/api/v1/workflows", draft(actions=[{"type": sent, "order": 1}])),
            ("POST", "/api/v1/channels", {"name": sent, "url": "json://a.example.com/"}),
            ("GET", "/api/v1/executions?status=" + sent, None),
            ("DELETE", "/api/v1/workflows", None),
            ("GET", "/api/v1/workflows/00000000-0000-0000-0000-000000000001", None),
            ("POST", "/api/v1/api-keys", {"name": "x", "permissions": [sent]}),
        ):
            assert (await admin.call(method, path, body)).status in {400, 404, 405, 409}
    lines = request_lines(caplog)
    assert len(lines) == 8
    assert all(line["refused"] for line in lines), lines
    assert sent not in str(lines)


BROKEN = {"name": "A B", "owners": ["x"], "workflows": ["y"], "zz": 1}
PLACEHOLDER = {"name": "n", "type": "number", "label": "N"}
NAMED_TOGETHER: list[tuple[str, Any, set[str]]] = [
    (
        "POST /api/v1/users",
        {"email": "not an email", "name": "", "rol": "x", "permissions": ["foo"]},
        {"email", "name", "rol", "permissions[0]"},
    ),
    (
        "PUT /api/v1/secrets/bad-name",
        {"value": "short", "hosts": ["http://z/"], **BROKEN},
        {"name", "value", "owners[0]", "workflows[0]", "hosts[0]", "zz"},
    ),
    (
        "POST /api/v1/api-keys",
        {"name": "", "permissions": ["bar"], "expires_at": "2020-01-01T00:00:00Z", "permisions": []},
        {"name", "permissions[0]", "expires_at", "permisions"},
    ),
    ("POST /api/v1/channels", {**BROKEN, "url": "nope"}, {"name", "owners[0]", "workflows[0]", "url", "zz"}),
    (
        "POST /api/v1/message-templates",
        {"name": "A B", "subject": "{{ a", "text": "{% x", "kind": "x"},
        {"name", "subject", "text", "kind"},
    ),
    (
        "POST /api/v1/templates",
        draft(
            name="[[nope]]",
            placeholders=[
                {"name": "c", "type": "choice", "label": "C", "choices": []},
                {**PLACEHOLDER, "minimum": 2, "maximum": 1},
                PLACEHOLDER,
            ],
        ),
        {
            "placeholders[0].choices", "placeholders[0].name", "placeholders[1].maximum", "placeholders[1].name",
            "placeholders[2].name", "name",
        },
    ),
    (
        "POST /api/v1/events",
        [{"type": "temporal.daily"}, {**EVENT, "source": "/headrace/x", "workflowid": "x", "Foo": 1}],
        {"[0].specversion", "[0].id", "[0].source", "[0].type", "[1].source", "[1].workflowid", "[1].Foo"},
    ),
    (
        "POST /api/v1/workflows",
        draft(conditions=[{"field": "a", "operator": "=>", "value": {"x": 1}}]),
        {"conditions[0].operator", "conditions[0].value"},
    ),
    (
        "POST /api/v1/workflows",
        draft(conditions=[{"all": [{"any": [{"not": {"oprator": 1}}], "x": 1}]}]),
        {
            "conditions[0].all[0]",
            *(f"conditions[0].all[0].any[0].not.{name}" for name in ("oprator", "field", "operator", "value")),
        },
    ),
    (
        "POST /api/v1/crm/customers",
        {"id": "", "first name": 1, "a-b": 1, "tags": [""]},
        {"id", "first name", "a-b", "tags[0]"},
    ),
    (
        "POST /api/v1/workflows/test",
        {"workflow": draft(), "evnt": {}, "event": {"id": "1"}, "past": {"id": "1", "zz": 1}},
        {"evnt", "", "past", "past.zz"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "body", "named"), NAMED_TOGETHER)
async def test_what_services_check_is_named_beside_what_models_refuse(
    admin: User, asked: str, body: Any, named: set[str]
) -> None:
    """A misspelt key or a wrong type hides nothing of what is wrong elsewhere, nor a name in the path."""
    method, path = asked.split()
    assert set(await refused(admin, method, path, body)) == named


async def test_a_wrong_value_of_a_placeholder_hides_nothing_of_the_rest(user: User) -> None:
    """The workflow that a template makes is judged with a sample in the value's place."""
    asked = draft(name="[[n]]", placeholders=[{**PLACEHOLDER, "type": "text", "max_length": 3}])
    made = await user.call("POST", "/api/v1/templates", asked)
    assert made.status == 201, made
    body = {"placeholders": {"n": "too long", "m": 1}, "trigger": {"type": "zzz bad"}}
    found = await refused(user, "POST", f"/api/v1/templates/{made.json['id']}/apply", body)
    assert set(found) == {"placeholders.n", "placeholders.m", "trigger.type"}


@pytest.mark.parametrize("value", [True, "5"])
async def test_an_integer_is_written_as_one(user: User, value: Any) -> None:
    """Neither true nor a text is taken for a number: two steps can not have one order in two spellings."""
    found = await errors(user, draft(priority=value, actions=[{**TAG, "order": value}]))
    assert set(found) == {"priority", "actions[0].order"}


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"trigger": {"type": "temporal.monthly", "config": {"day": "1", "at": "09:00"}}}, "trigger.config.day"),
        ({"reentry": {"once": 1, "key": "a"}}, "reentry.once"),
        ({"actions": [{"type": "webhook", "order": 1, "config": {"url": "https://a.test", "timeout_s": "5"}}]},
         "actions[0].config.timeout_s"),
        ({"is_public": "no"}, "is_public"),
        ({"placeholders": [{"name": "n", "type": "text", "label": "N", "required": 1}]}, "placeholders[0].required"),
        ({"placeholders": [{"name": "n", "type": "text", "label": "N", "min_length": "1"}]},
         "placeholders[0].min_length"),
    ],
)  # fmt: skip
async def test_no_type_is_taken_for_another_wherever_it_is_checked(
    user: User, changes: dict[str, Any], at: str
) -> None:
    """In configs and in templates, too: what was written true is no 1, and what was written 1 no "1"."""
    path = "/api/v1/templates" if at.startswith(("is_public", "placeholders")) else "/api/v1/workflows"
    assert at in await refused(user, "POST", path, draft(**changes))


async def test_data_misspelt_is_no_attribute_of_an_event(admin: User) -> None:
    """An attribute of one's own holds no object: what is meant is said, beside all else that is wrong."""
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "order.paid", "dta": {}}
    assert "is data meant?" in (await refused(admin, "POST", "/api/v1/events", event))["dta"]
    assert set(await refused(admin, "POST", "/api/v1/events", {**event, "id": ""})) == {"id", "dta"}


async def test_a_key_that_stands_twice_is_named_by_its_path(admin: User) -> None:
    """Which of the two was meant nobody knows: nothing is kept, wherever it is to be."""
    twice = b'{"name":"w1","actions":[{"type":"apply_tag","type":"delay"}],"name":"w2"}'
    said = "is given more than once in its object"
    for path in ("workflows", "templates", "channels", "crm/customers"):
        found = await refused(admin, "POST", f"/api/v1/{path}", data=twice, headers=AS_JSON)
        assert found == {"name": said, "actions[0].type": said}


async def test_an_event_whose_key_stands_twice_is_none(admin: User) -> None:
    """One alone, in a batch, and the data of one in binary mode: the last of both is not taken."""
    said, event = "is given more than once in its object", b'{"specversion":"1.0","source":"/s","type":"order.paid"'
    binary = AS_JSON | {"ce-id": "1", "ce-specversion": "1.0", "ce-source": "/s", "ce-type": "order.paid"}
    for headers, body, at in (
        (AS_JSON, event + b',"id":"1","i\\u0064":"2"}', "id"),
        (AS_JSON, b'[%b}, %b,"id":"1", "data" : {"a":[{"b":1,"b":2}]}}]' % (event, event), "[1].data.a[0].b"),
        (binary, b'{"order":{"total":1,"total":2}}', "order.total"),
    ):
        found = await refused(admin, "POST", "/api/v1/events", data=body, headers=headers)
        assert found == {at: said}


async def test_an_integer_over_64_bits_is_named_by_its_path(admin: User) -> None:
    """In documents and in batches of events."""
    big = b'{"id": 18446744073709551616}'
    for path, body, at in (
        ("crm/customers", b'{"tags":[],"a":%s}', "a.id"),
        ("events", b'[{"data":%s}]', "[0].data.id"),
    ):
        found = await refused(admin, "POST", f"/api/v1/{path}", data=body % big, headers=AS_JSON)
        assert set(found) == {at}


NO_QUERY = [one for one in OPERATIONS if one.query is None and one.access != "public"]


@pytest.mark.parametrize("one", NO_QUERY, ids=[one.name for one in NO_QUERY])
async def test_what_asks_for_nothing_in_the_query_says_so(admin: User, one: Operation) -> None:
    """A misspelt parameter is no silent one, also where there is none to misspell."""
    path = one.path.replace("{", "").replace("}", "")
    found = await refused(admin, one.method, f"{path}?publsh=1", headers={**AS_JSON, "If-Match": "*"})
    assert found == {"publsh": "is not known here"}
