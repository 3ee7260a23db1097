"""What a JVM's compiler takes, as the bench sees it."""

import os
import threading
from pathlib import Path

from tests.benchmarks.compiling import compiling_s


def test_only_the_compilers_threads_count() -> None:
    """A thread of the compiler's name counts with what it has taken, this process's others do not."""
    named, done = threading.Event(), threading.Event()

    def compile_much() -> None:
        comm = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
        comm.write_text("C2 CompilerThre")
        sum(range(2_000_000))
        named.set()
        done.wait()

    before = compiling_s(os.getpid())
    thread = threading.Thread(target=compile_much)
    thread.start()
    try:
        assert named.wait(30)
        assert before == 0
        assert compiling_s(os.getpid()) > 0
    finally:
        done.set()
        thread.join()


def test_a_process_that_is_not_there_took_nothing() -> None:
    """No error where the broker has ended, or is in a container."""
    assert compiling_s(2**22 + 1) == 0
