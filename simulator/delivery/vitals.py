"""How much of the machine this process has used: CPU, memory, and descriptors it may open.

Rule of the module: reads of the operating system only; what it does not tell is 0.
"""

import os
import resource
from pathlib import Path
from typing import Final

from simulator.units import NS_PER_S

_STATM: Final = Path("/proc/self/statm")


def cpu_ns() -> int:
    """User plus system CPU time of this process so far, ns."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * NS_PER_S)


def rss_bytes() -> int:
    """Resident memory; 0 where the system does not tell."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard limit; returns what is now allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
