"""Properties 18 and 19: workflow templates, through the API on real Postgres."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.admin.conftest import Api
from tests.admin.drafts import NAMES, drafts
from tests.admin.test_templates import ROOT, WORKFLOW_PARTS, listed, made
from tests.properties.examples import PROPERTY


# Feature: automations-workflows, Property 18: Template Application Creates Workflow
@PROPERTY
@given(written=drafts(), name=st.none() | NAMES)
async def test_18_applying_a_template_makes_a_workflow_of_it(
    api: Api, written: dict[str, Any], name: str | None
) -> None:
    """A new inactive workflow of whoever applies it, with its trigger, conditions and actions; the use is counted."""
    author, user = api.user("user", "templates:publish"), api.user()
    template = (await author.call("POST", ROOT, {**written, "is_public": True})).json
    answer = await user.call("POST", f"{ROOT}/{template['id']}/apply", {} if name is None else {"name": name})
    assert answer.status == 201, answer.json
    workflow = (await user.call("GET", f"/api/v1/workflows/{answer.json['id']}")).json
    expected = written if name is None else {**written, "name": name}
    assert {part: workflow[part] for part in WORKFLOW_PARTS} == expected
    assert (workflow["active"], workflow["created_by"]) == (False, str(user.id))
    assert (await author.call("GET", f"{ROOT}/{template['id']}")).json == {**template, "usage_count": 1}
    await author.call("DELETE", f"{ROOT}/{template['id']}")  # so that everybody's list stays short


# Feature: automations-workflows, Property 19: Template Visibility Control
@PROPERTY
@given(public=st.lists(st.booleans(), min_size=1, max_size=3), name=NAMES)
async def test_19_a_private_template_is_its_creators_alone_and_a_public_one_everybodys(
    api: Api, public: list[bool], name: str
) -> None:
    """By list, by id and to apply."""
    author, other = api.user("user", "templates:publish"), api.user()
    templates = [await made(author, is_public=is_public, name=name) for is_public in public]
    assert {one["id"] for one in templates} == await listed(author, mine=True)
    seen = await listed(other)
    for template, is_public in zip(templates, public, strict=True):
        path = f"{ROOT}/{template['id']}"
        assert (template["id"] in seen) is is_public
        assert (await other.call("GET", path)).status == (200 if is_public else 404)
        assert (await other.call("POST", f"{path}/apply", {})).status == (201 if is_public else 404)
        assert (await author.call("GET", path)).status == 200
        await author.call("DELETE", path)  # so that everybody's list stays short
