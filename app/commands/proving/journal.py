"""The run's ledger on disk, a line each as it happens, and in memory for the recount."""

import os
from pathlib import Path
from typing import Final

from app.processes.home import open_private, private_folder
from app.services.proving.ledger import Arrival, Harm, Ledger, Sending, line

FILE: Final = "ledger.jsonl"


class Journal:
    """Notes what is sent, what arrives and what is broken.

    Args:
        folder: Where the ledger is written, for its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger()
        private_folder(folder)
        self._file = os.fdopen(open_private(folder / FILE, os.O_TRUNC), "w", buffering=1)

    def note(self, entry: Sending | Arrival | Harm) -> None:
        """Write an entry down."""
        self._file.write(line(entry))
        match entry:
            case Sending():
                self.ledger.sendings.append(entry)
            case Arrival():
                self.ledger.arrivals.append(entry)
            case Harm():
                self.ledger.harms.append(entry)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
