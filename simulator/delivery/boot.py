"""A child process's first moments: ``python -c "…boot…main()" DESCRIPTOR PARENT``.

Rule of the module: tie the child's life to the parent's before anything else, leave signals to the
parent, read from the pipe what to run, and run it. Imports nothing heavy: workers start quickly.
"""

import ctypes
import importlib
import os
import signal
import sys
from multiprocessing.connection import Connection as Pipe
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def main() -> None:
    """Run what the first message on the pipe names: ``(module, function, arguments)``.

    An exception of the target goes to stderr and ends the child with status 1.
    """
    descriptor, parent = (int(argument) for argument in sys.argv[1:3])
    die_with_parent(parent)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # the parent decides, over the pipe
    with Pipe(descriptor) as pipe:
        try:
            module, function, arguments = pipe.recv()
        except EOFError:
            return
        getattr(importlib.import_module(module), function)(pipe, *arguments)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill us when the thread that started us ends.

    The closing pipe says the same to a loop that still turns; this is for one that does not.

    Args:
        parent: its process id; if it is not our parent any more we end here.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
