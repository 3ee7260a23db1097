"""Become another program that ends when its parent does: ``python bound_exec.py PARENT SIGNAL USER PROGRAM ARG...``.

A supervisor that is killed with -9 runs no clean-up, so each child asks the kernel for a signal at its parent's death
(PR_SET_PDEATHSIG survives ``exec``, not a change of user, hence the order here). Where the kernel has no such call the
leftovers are ended by the next start, which knows their pids. Standard library only: this runs before anything else.
"""

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    """Drop every right but those of ``user``; "-" stays who we are."""
    if user == "-":
        return
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def bind_to(parent: int, signal_number: int) -> None:
    """Ask for ``signal_number`` when ``parent`` ends; exit at once if it already has."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"the parent process {parent} has ended")


def main(arguments: list[str]) -> None:
    """Change user, bind to the parent, replace this process."""
    parent, signal_number, user, *program = arguments
    become(user)
    bind_to(int(parent), int(signal_number))
    os.execvp(program[0], program)  # noqa: S606 - the point of this file: no shell, arguments as given


if __name__ == "__main__":
    main(sys.argv[1:])
