"""Connection strings: those whose parts Postgres's client would mistake for each other are refused before it is asked.

What it makes of them comes back in its error texts: of a password with an ``@`` or a ``/`` in it, a part would be said
as a host or a port, in logs.
"""

import re
from typing import Final

_URI: Final = re.compile(r"postgres(?:ql)?://(?:[^@/]*@)?(?P<hosts>[^/?]*)(?:[/?].*)?", re.DOTALL)
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%]*\]|[^@:\[\]]*)(?::[0-9]*)?")
_WORDS: Final = re.compile(r"\s*(?:\w+\s*=\s*(?:'(?:\\.|[^'\\])*'|(?:\\.|[^\s'\\])(?:\\.|[^\s\\])*|)\s*)*", re.DOTALL)


def dsn_problem(text: str) -> str | None:
    """Say what is wrong with a connection string, without any of it; None where nothing is."""
    if "://" not in text.partition("=")[0]:
        return (
            None if _WORDS.fullmatch(text) else "must be postgresql://user:password@host:port/name or key=value words"
        )
    read = _URI.fullmatch(text)
    if read is None:
        return "must begin with postgresql://"
    if not all(_HOST.fullmatch(host) for host in read["hosts"].split(",")):
        return "its host or port cannot be read; write @ / and % of the password as %40 %2F and %25"
    return None
