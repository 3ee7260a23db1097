"""``make attack``: everything that people without the right may try, on a real installation; ``build/attack.json``.

python -m tests.attack.run --only ssrf,hunt      only these
"""

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import uuid4

from tests.attack.database import nothing_is_reached_by_sql
from tests.attack.ground import Ground, ground
from tests.attack.hunt import no_secret_is_kept
from tests.attack.matrix import doors_are_as_the_matrix_says
from tests.attack.report import Check, show, timed, write
from tests.attack.slow import slow_clients_hold_nobody_up
from tests.attack.ssrf import nothing_inside_is_reached
from tests.attack.templates import hostile_templates_cost_little
from tests.attack.tokens import bad_tokens_get_nowhere
from tests.benchmarks.progress import say
from tests.support.broker import remove_topics
from tests.support.servers import Servers, harness_home, servers

# The hunt comes last: it looks at all that the others have left behind.
ATTACKS: Final[dict[str, Callable[[Ground], Awaitable[list[Check]]]]] = {
    "matrix": doors_are_as_the_matrix_says,
    "tokens": bad_tokens_get_nowhere,
    "database": nothing_is_reached_by_sql,
    "ssrf": nothing_inside_is_reached,
    "templates": hostile_templates_cost_little,
    "slow": slow_clients_hold_nobody_up,
    "hunt": no_secret_is_kept,
}


async def attack(on: Servers, names: list[str]) -> list[Check]:
    """Run attacks one after the other, on a fresh database and fresh topics; each check says how long it took."""
    home, prefix = on.home / "stack", f"a{uuid4().hex[:8]}."
    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
    checks: list[Check] = []
    say("starting every role")
    try:
        async with ground(on.bootstrap, on.fresh_database("attack"), prefix, home) as place:
            for name in names:
                say(name)
                checks += await timed(name, ATTACKS[name](place))
    finally:
        await remove_topics(on.bootstrap, prefix)
    return checks


def main() -> None:
    """Read the arguments, attack, write, show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(ATTACKS), help="names, with commas between")
    options, began = parser.parse_args(), time.monotonic()
    chosen = options.only.split(",")
    if unknown := set(chosen) - ATTACKS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(ATTACKS)}")
    with servers(harness_home("attack")) as on:
        checks = asyncio.run(attack(on, [name for name in ATTACKS if name in chosen]))
    seconds = time.monotonic() - began
    write(checks, seconds)
    show(checks, seconds)
    sys.exit(0 if checks and all(check.holds for check in checks) else 1)


if __name__ == "__main__":
    main()
