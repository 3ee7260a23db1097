"""What the built-in templates are put together from.

Each writes to a customer who has an address, in words that a business can send as they are or change when it applies
the template; each part that businesses differ in is a placeholder with a default, so that one click is enough.
"""

from typing import Any, Final

HAS_EMAIL: Final = {"field": "customer.email", "operator": "!=", "value": None}
CUSTOMER: Final = "{{ customer.name | default('there') }}"


def template(category: str, name: str, description: str, trigger: str, **parts: Any) -> dict[str, Any]:
    """Return a template's draft; ``parts`` are its other fields."""
    return {
        "name": name,
        "description": description,
        "category": category,
        "is_public": True,
        "trigger": {"type": trigger},
        **parts,
    }


def steps(*actions: dict[str, Any]) -> list[dict[str, Any]]:
    """Return actions in the order they run."""
    return [{"type": one["type"], "order": order, **one} for order, one in enumerate(actions, 1)]


def mail(subject: str, *paragraphs: str, **more: Any) -> dict[str, Any]:
    """Return an e-mail to the event's customer, in HTML and as text, with a greeting and the signature."""
    told = (f"Hello {CUSTOMER},", *(part[:1].upper() + part[1:] for part in paragraphs), "[[signature]]")
    config = {"subject": subject, "text": "\n\n".join(told), "html": "".join(f"<p>{part}</p>" for part in told)}
    return {"type": "send_email", "config": config, **more}


def tag(name: str) -> dict[str, Any]:
    """Return a tag on the event's customer."""
    return {"type": "apply_tag", "config": {"tag": name}}


def note(text: str) -> dict[str, Any]:
    """Return a note on the event's customer."""
    return {"type": "create_note", "config": {"text": text}}


def task(title: str, due: str) -> dict[str, Any]:
    """Return a task about the event's customer."""
    return {"type": "create_task", "config": {"title": title, "due": due}}


def wait(duration: str) -> dict[str, Any]:
    """Return a wait."""
    return {"type": "delay", "config": {"duration": duration}}


def stop_unless_order_is(status: str, reason: str) -> dict[str, Any]:
    """Return a way out for an order that is in another state by now."""
    moved_on = {"field": "current.order.status", "operator": "!=", "value": status}
    return {"type": "stop_workflow", "config": {"reason": reason}, "conditions": [moved_on]}


def asked(name: str, kind: str, label: str, default: Any, **more: Any) -> dict[str, Any]:
    """Return a placeholder with a default."""
    return {"name": name, "type": kind, "label": label, "default": default, **more}


def subject(default: str) -> dict[str, Any]:
    """Return the placeholder of an e-mail's subject."""
    told = "Shown in the customer's inbox; may hold {{ customer.name }} and other fields of the event"
    return asked("subject", "text", "Subject of the e-mail", default, min_length=1, max_length=200, help=told)


def duration(name: str, label: str, default: str) -> dict[str, Any]:
    """Return a placeholder of a wait."""
    return asked(name, "duration", label, default, maximum="90d")


SIGNATURE: Final = asked(
    "signature", "text", "How your e-mails end", "Your team", min_length=1, max_length=300, help="Your business's name"
)
