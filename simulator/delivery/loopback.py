"""What is on this host.

Rule of the module: an address says so itself; a name only claims it, so whatever connects by such a
name looks at the addresses it stands for before it says a word.
"""

import ipaddress
from collections.abc import Iterable

from simulator.errors import BrokerUnreachableError


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this host's loopback; names are not looked up."""
    return _is_name(host) or _is_address(host)


def check_loopback(host: str, addresses: Iterable[str]) -> None:
    """Refuse a name that claims this host's loopback and stands for another address.

    Args:
        host: name or address that is to be connected to; only such a name is checked.
        addresses: what it stands for.

    Raises:
        BrokerUnreachableError: naming the address that is not loopback.
    """
    if not _is_name(host):
        return
    for address in addresses:
        if not _is_address(address):
            raise BrokerUnreachableError(
                f"{host} stands for {address} here, which is not this host's loopback: nothing is "
                "published there\n  remedy: write 127.0.0.1 or [::1] for this host, or mend its "
                "entry in the name service (/etc/hosts)"
            )


def _is_name(host: str) -> bool:
    return host.rstrip(".").lower() == "localhost"


def _is_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
