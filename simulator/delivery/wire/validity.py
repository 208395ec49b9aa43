"""From when to when a certificate is valid, read from its PEM file. Pure.

Rule of the module: just as much of DER as leads to the two dates (RFC 5280, section 4.1); what does
not look like a certificate gives no dates, because whoever loads it says what is wrong with it.
"""

import re
import ssl
from datetime import UTC, datetime
from typing import Final

_PEM: Final = re.compile(
    "-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL | re.ASCII
)
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_BEFORE_VALIDITY: Final = 3  # serial number, algorithm of the signature, issuer
_LONG: Final = 0x80


def validity(pem: str) -> tuple[datetime, datetime] | None:
    """First and last instant of the first certificate of a PEM file; None if they are not found."""
    found = _PEM.search(pem)
    if found is None:
        return None
    try:
        der = ssl.PEM_cert_to_DER_cert(found.group())
        _, certificate, _ = _element(der)
        _, content, _ = _element(certificate)
        tag, _, rest = _element(content)
        if tag == _VERSION:
            content = rest
        for _ in range(_BEFORE_VALIDITY):
            _, _, content = _element(content)
        _, dates, _ = _element(content)
        first, first_text, rest = _element(dates)
        last, last_text, _ = _element(rest)
        return _instant(first, first_text), _instant(last, last_text)
    except (ValueError, IndexError):
        return None


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and what follows it."""
    length, start = data[1], 2
    if length >= _LONG:
        start += length - _LONG
        length = int.from_bytes(data[2:start])
    return data[0], data[start : start + length], data[start + length :]


def _instant(tag: int, content: bytes) -> datetime:
    """RFC 5280, section 4.1.2.5: two digits of the year mean 1950 to 2049."""
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
