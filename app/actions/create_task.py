"""``create_task``: make a task for someone to do. One command makes one task, however often it is delivered."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, TransactionalAction
from app.actions.constants import judged_on_save
from app.actions.rights import changing_customer
from app.actions.shown import Shown, form
from app.actions.templated import Templated
from app.actions.values import (
    MAX_ASSIGNEE_CHARS,
    MAX_CUSTOMER_ID_CHARS,
    filled_line,
    optional_later,
    optional_line,
    text,
)
from app.domain.needs import Need
from app.domain.times import EPOCH
from app.ports import Crm, TaskRequest

MAX_TITLE_CHARS: Final = 255
MAX_DESCRIPTION_BYTES: Final = 64 * 1024


class CreateTaskConfig(ActionConfig):
    """What is to be done, by whom, until when."""

    model_config = form(
        "Make a task",
        "Asks a colleague to do something.",
        icon="task",
        family="Work",
        summary=("“{title}” for {assignee}", "“{title}”"),
    )

    title: Annotated[
        str,
        Templated(),
        Shown("What is to be done", "One line.", "line", example="Call {{ customer.name }}"),
        Field(min_length=1, description="One line, at most 255 characters"),
        judged_on_save(partial(filled_line, max_chars=MAX_TITLE_CHARS)),
    ]
    description: Annotated[
        str,
        Templated(),
        Shown("More about it", "What a colleague needs to know to do it.", "text"),
        Field(description="At most 64 KiB"),
        judged_on_save(partial(text, max_bytes=MAX_DESCRIPTION_BYTES)),
    ] = ""
    assignee: Annotated[
        str | None,
        Templated(),
        Shown("Whose task it is", "A colleague's e-mail or name. Leave it empty for nobody yet.", "line"),
        Field(description="Whose task it is; nobody's if left out"),
        judged_on_save(partial(optional_line, max_chars=MAX_ASSIGNEE_CHARS)),
    ] = None
    due: Annotated[
        str | None,
        Templated(),
        Shown("Due", "How long from now, such as 3d or 12h, or a date and time.", "moment", example="1d"),
        Field(description="A time, or a distance from now such as 3d or 12h"),
        judged_on_save(partial(optional_later, now=EPOCH)),
    ] = None
    customer_id: Annotated[
        str | None,
        Templated(),
        Shown("Customer", "Whom it is about. Leave it as it is for the event's customer.", "line", more=True),
        Field(description="Whom it is about"),
        judged_on_save(partial(optional_line, max_chars=MAX_CUSTOMER_ID_CHARS)),
    ] = "{{ customer.id | default('') }}"


class CreateTask(TransactionalAction[CreateTaskConfig, TaskRequest]):
    """Makes a task; output ``{task_id, due_at}``."""

    name = "create_task"
    family = "workflow"
    config = CreateTaskConfig

    def prepare(self, config: CompiledConfig[CreateTaskConfig], context: ActionContext) -> TaskRequest:
        """Render and check."""
        fields = config.render(context.scope)
        return TaskRequest(
            task_id=context.effect_id,
            customer_id=optional_line("customer_id", fields["customer_id"], max_chars=MAX_CUSTOMER_ID_CHARS),
            title=filled_line("title", fields["title"], max_chars=MAX_TITLE_CHARS),
            description=text("description", fields["description"], max_bytes=MAX_DESCRIPTION_BYTES),
            assignee=optional_line("assignee", fields["assignee"], max_chars=MAX_ASSIGNEE_CHARS),
            due_at=optional_later("due", fields["due"], context.now()),
        )

    def needs(self, request: TaskRequest, context: ActionContext) -> Need | None:
        """Return what changing that customer needs."""
        return changing_customer(request.customer_id, context)

    async def perform_all(self, requests: Sequence[TaskRequest], crm: Crm) -> list[dict[str, Any]]:
        """Make a batch of tasks."""
        await crm.create_tasks(requests)
        return [
            {"task_id": str(request.task_id), "due_at": request.due_at and request.due_at.isoformat()}
            for request in requests
        ]
