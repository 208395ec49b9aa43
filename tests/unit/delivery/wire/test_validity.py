"""The dates of our own certificate are looked at before a broker is asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from simulator.delivery.messages import TlsFiles
from simulator.delivery.wire.tls import client_context
from simulator.delivery.wire.validity import validity
from simulator.errors import ConfigurationError

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


def _made(first: datetime, last: datetime) -> trustme.LeafCert:
    return trustme.CA().issue_cert("client", not_before=first, not_after=last)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (NOW - DAY, NOW + DAY),
        (datetime(1999, 12, 31, 23, 59, 58, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)),
        (NOW, datetime(2050, 1, 1, tzinfo=UTC)),  # from here on the year has four digits
    ],
)
def test_both_dates_are_read(first: datetime, last: datetime) -> None:
    pem = _made(first, last).private_key_and_cert_chain_pem.bytes().decode()
    assert validity(pem) == (first, last)


@pytest.mark.parametrize("inside", ["", "MA==", "MAMCAQE=", "MIIC", "!", "MAUwAzABAQ=="])
def test_what_is_no_certificate_has_no_dates(inside: str) -> None:
    pem = f"-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n"
    assert validity(pem) is None
    assert validity(inside) is None


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (NOW - 2 * DAY, NOW - DAY, "has expired"),
        (NOW + DAY, NOW + 2 * DAY, "is not valid yet"),
        (NOW - DAY, NOW + DAY, ""),
    ],
)
def test_a_certificate_out_of_its_time_is_refused_here(
    tmp_path: Path, first: datetime, last: datetime, said: str
) -> None:
    file = tmp_path / "client.pem"
    _made(first, last).private_key_and_cert_chain_pem.write_to_path(file)
    if not said:
        client_context(TlsFiles(cert=str(file)))
        return
    with pytest.raises(ConfigurationError, match=said) as caught:
        client_context(TlsFiles(cert=str(file)))
    assert caught.value.exit_code == 104
    assert (caught.value.where, caught.value.value) == ("--cert", str(file))
    for date in (first, last):
        assert f"{date:%Y-%m-%d %H:%M:%S} UTC" in str(caught.value)
