"""How much of the machine this process has used: CPU, memory, and descriptors it may open.

Rule of the module: reads of the operating system only; what it does not tell is 0.
"""

import os
import resource
from pathlib import Path
from typing import Final

from simulator.delivery.room import Limits
from simulator.units import NS_PER_S

_STATM: Final = Path("/proc/self/statm")
_PORTS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ANY_PORTS: Final = 16_384  # IANA's dynamic range, RFC 6335: where the system does not tell


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


def limits() -> Limits:
    """What the system allows this process and its children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Limits(
        descriptors=None if hard == resource.RLIM_INFINITY else hard, ports=_local_ports()
    )


def _local_ports() -> int:
    try:
        first, last = _PORTS.read_text(encoding="ascii").split()
        return int(last) - int(first) + 1
    except (OSError, ValueError):
        return _ANY_PORTS
