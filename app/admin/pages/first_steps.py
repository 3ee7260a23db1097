"""What to do first, for who has not made and watched a workflow yet; the overview shows it on top.

``overview/first_steps.html`` shows what :func:`first_steps` returns, under the name ``first_steps``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from app.admin.demo.data import PREFIX
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.ports.workflows import WorkflowFilter

_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step: what to do, whether it is done, and where it is done."""

    title: str
    text: str
    label: str
    link: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The steps.

    Attributes:
        steps: In their order; none where all are done.
        next: The first that is not done.
        demo: Whether demo data is loaded; None: the caller may not load any.
    """

    steps: Sequence[FirstStep]
    next: FirstStep | None
    demo: bool | None


async def first_steps(request: web.Request) -> FirstSteps | None:
    """Return the steps of who asks; None once all are done, and no demo data is left to be removed.

    Demo workflows count for none of the steps.
    """
    state, caller = request.app[STATE], request[CALLER]
    own = WorkflowFilter(owner=caller.user_id)
    found = (await state.workflows.find(caller, own, None, _MOST)).items
    workflows = [one for one in found if not one.name.startswith(PREFIX)]
    newest = f"/workflows/{workflows[0].id}" if workflows else "/workflows"
    steps = [
        FirstStep(
            "Make a workflow",
            "A template is ready but for a few blanks.",
            "Choose a template",
            "/templates",
            bool(workflows),
        ),
        FirstStep(
            "Try it, and switch it on",
            "See on a real event what it would do. Nothing happens until it is on.",
            "Open your workflow" if workflows else "To the workflows",
            newest,
            any(one.active for one in workflows),
        ),
        FirstStep(
            "Watch what it does",
            "Every event says why it ran, or why it did not.",
            "To the executions",
            "/executions",
            any(one.last_run_at for one in workflows),
        ),
    ]
    waiting = next((one for one in steps if not one.is_done), None)
    demo = await state.demo.loaded() is not None if caller.role == "admin" else None
    if waiting is None:
        return FirstSteps((), None, demo) if demo else None
    return FirstSteps(steps, waiting, demo)
