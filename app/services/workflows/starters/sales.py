"""Built-in templates around orders and commissions."""

from typing import Any, Final

from app.services.workflows.starters.parts import (
    HAS_EMAIL,
    SIGNATURE,
    asked,
    duration,
    mail,
    note,
    steps,
    stop_unless_order_is,
    subject,
    tag,
    task,
    template,
    wait,
)

SALES: Final[tuple[dict[str, Any], ...]] = (
    template(
        "sales",
        "Recover an abandoned order",
        "Reminds a customer of an order that is not paid after a while, and once more later; stops as soon as it is.",
        "order.created",
        reentry={"once": True, "key": "order.id"},
        conditions=[HAS_EMAIL],
        actions=steps(
            wait("[[wait]]"),
            stop_unless_order_is("created", "order {{ order.id }} is no longer open"),
            mail(
                "[[subject]]",
                "you have an order with us that is waiting: {{ order.id }}. Did something get in the way?",
                "Reply to this e-mail if we can help; otherwise you can pay it whenever it suits you.",
            ),
            wait("[[again]]"),
            stop_unless_order_is("created", "order {{ order.id }} was settled after the first reminder"),
            mail(
                "Your order {{ order.id }} is still waiting",
                "a last reminder: we keep your order {{ order.id }} for a short while longer.",
                "If you have changed your mind there is nothing that you need to do.",
            ),
        ),
        placeholders=[
            duration("wait", "First reminder after", "2h"),
            duration("again", "Second reminder after another", "1d"),
            subject("Did you forget something?"),
            SIGNATURE,
        ],
    ),
    template(
        "sales",
        "Thank for a big order",
        "Makes who pays a big order a VIP, thanks them, and has the team thank them in person; goes before other work.",
        "order.paid",
        priority=2,
        conditions=[{**HAS_EMAIL, "logic": "AND"}, {"field": "order.total", "operator": ">=", "value": "[[amount]]"}],
        actions=steps(
            tag("[[tag]]"),
            mail(
                "[[subject]]",
                "thank you for your order {{ order.id }}. It is one of the largest we have had this week, and it means"
                " a lot to us.",
                "From now on your requests come first.",
            ),
            task("Thank {{ customer.name | default(customer.id) }} in person for order {{ order.id }}", "[[due]]"),
        ),
        placeholders=[
            asked("amount", "money", "From which total on", 1000, minimum=1),
            asked("tag", "tag", "Tag for your best customers", "VIP"),
            subject("Thank you, {{ customer.name | default('from all of us') }}"),
            duration("due", "The team has", "1d"),
            SIGNATURE,
        ],
    ),
    template(
        "sales",
        "Ask what stopped an order",
        "Asks a customer who cancelled an order for the reason, after a moment, and notes that it was asked.",
        "order.cancelled",
        reentry={"once": True, "key": "order.id"},
        conditions=[HAS_EMAIL],
        actions=steps(
            wait("[[wait]]"),
            mail(
                "[[subject]]",
                "you cancelled your order {{ order.id }}, and that is quite all right.",
                "Would you tell us why? One sentence helps us to do better: just reply to this e-mail.",
            ),
            note("Cancelled order {{ order.id }}; asked why."),
        ),
        placeholders=[
            duration("wait", "Ask after", "1h"),
            subject("What could we have done better?"),
            SIGNATURE,
        ],
    ),
    template(
        "sales",
        "Tell a partner that their commission is paid",
        "Writes to an affiliate when a commission was paid, with its amount, and notes it.",
        "commission.paid",
        reentry={"once": True, "key": "commission.id"},
        conditions=[HAS_EMAIL],
        actions=steps(
            mail(
                "[[subject]]",
                "your commission of {{ commission.amount }} {{ commission.currency | default('[[currency]]') }} has"
                " been paid. Depending on your bank it arrives within [[days]] days.",
                "Thank you for recommending us!",
            ),
            note("Commission {{ commission.id }} of {{ commission.amount }} was paid, and announced by e-mail."),
        ),
        placeholders=[
            subject("Your commission has been paid"),
            asked(
                "currency",
                "choice",
                "Currency, where the event names none",
                "EUR",
                choices=[{"value": one} for one in ("EUR", "USD", "GBP", "BRL")],
            ),
            asked("days", "integer", "Days that a transfer takes at most", 3, minimum=1, maximum=30),
            SIGNATURE,
        ],
    ),
)
