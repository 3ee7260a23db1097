"""A role whose agents die of records that ask for it: ``die:<role>:exit`` at once, ``die:<role>:raise`` by an error.

python -m tests.support.faulty_worker <role>
"""

import os
import sys

from app.domain.errors import UnreachableError
from app.processes.faust_app import run_worker
from app.processes.logs import set_up_logging
from app.processes.parent_watch import end_with_parent
from app.processes.vitals import show_page, vitals_of
from app.processes.worker import build_role, metrics_of
from app.settings import load_settings
from schemas.incoming import Incoming

EXIT_CODE = 7


class PlantedError(Exception):
    """What a planted fault raises."""


def mark(role: str, how: str) -> str:
    """Return the words that a record asks for a role's death with; ``how``: exit, raise or outage."""
    return f"die:{role}:{how}"


def main(role: str) -> None:
    """Run the role as ``headrace worker`` does."""
    settings = load_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    set_up_logging(role, settings.log_level)
    end_with_parent()

    def die_if_asked(record: Incoming) -> None:
        value = record.value or b""
        if mark(role, "exit").encode() in value:
            os._exit(EXIT_CODE)
        if mark(role, "raise").encode() in value:
            raise PlantedError("planted")
        if mark(role, "outage").encode() in value:
            raise UnreachableError("planted outage")

    vitals = vitals_of(role, settings, metrics_of(role, settings))
    show_page(role, settings, vitals)
    run_worker(build_role(role, settings, vitals, around=die_if_asked))


if __name__ == "__main__":
    main(sys.argv[1])
