"""Row by row: what the ledger says of a delivery beside what a packet capture says of it.

Rule of the module: pure arithmetic over both. The two never share a stamp: the capture's are
tcpdump's, on the wall clock; the ledger's are on the monotonic one. A row is exact where its stated
uncertainty is small, and held where the captured arrival lies inside the stated interval.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.capture import Capture
from benchmarks.harness import BenchmarkError
from simulator.measure.account import Account
from simulator.measure.receipts import EXACT_NS

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One entry for each delivery, ns.

    Attributes:
        reported: transit of the ledger, received minus sent.
        captured: transit of the capture, delivered minus published, on its own clock.
        uncertainty: stated by the ledger.
        after: by how much the captured arrival lies after the latest instant stated, beyond what
            the conversion between the two clocks leaves open; 0 where it does not.
        before: the same before the earliest instant stated.
        messages: how many deliveries of one subscriber share its packet's stamp.
    """

    reported: Int64s
    captured: Int64s
    uncertainty: Int64s
    after: Int64s
    before: Int64s
    messages: Int64s

    def __len__(self) -> int:
        return len(self.reported)

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Rows whose stated uncertainty is below 50 us."""
        rows: npt.NDArray[np.bool_] = self.uncertainty < EXACT_NS
        return rows

    @property
    def escaped(self) -> int:
        """Rows whose captured arrival lies outside the stated interval."""
        return int(np.count_nonzero((self.after > 0) | (self.before > 0)))

    def errors(self) -> Int64s:
        """How far reported and captured transit lie apart, of the exact rows, in order."""
        apart: Int64s = np.sort(np.abs(self.reported - self.captured)[self.exact])
        return apart


def compare(account: Account, capture: Capture, offset: tuple[int, int]) -> Comparison:
    """Join both by subscriber and alert.

    Args:
        account: closed; every pair delivered.
        capture: of the same deliveries, with the connections' openings.
        offset: lowest and highest possible wall minus monotonic clock, ns.

    Raises:
        BenchmarkError: if a delivery stands in only one of them.
    """
    ports = {client: port for port, client in capture.clients.items()}
    shared: dict[tuple[int, int], int] = {}
    for (port, _), stamp_ns in capture.delivered_ns.items():
        shared[port, stamp_ns] = shared.get((port, stamp_ns), 0) + 1
    low, high = offset
    found: list[tuple[int, int, int, int, int, int]] = []
    for client, identifier, received, uncertainty, sent in _deliveries(account):
        port = ports.get(client, -1)
        at_ns = capture.delivered_ns.get((port, identifier))
        published_ns = capture.published_ns.get(identifier)
        if at_ns is None or published_ns is None:
            raise BenchmarkError(
                f"{identifier} to {client} is not in the capture "
                f"({capture.dropped} packets dropped by tcpdump)"
            )
        found.append(
            (
                received - sent,
                at_ns - published_ns,
                uncertainty,
                max(0, at_ns - high - received),
                max(0, received - uncertainty - (at_ns - low)),
                shared[port, at_ns],
            )
        )
    columns = np.array(found, np.int64).reshape(-1, 6).T
    return Comparison(
        reported=columns[0],
        captured=columns[1],
        uncertainty=columns[2],
        after=columns[3],
        before=columns[4],
        messages=columns[5],
    )


def _deliveries(account: Account) -> Iterable[tuple[str, str, int, int, int]]:
    """Client, identifier, received, uncertainty and sent of every first copy."""
    for rows in account.rows():
        for row in zip(
            *(
                rows[name]
                for name in ("client", "identifier", "received_ns", "uncertainty_ns", "sent_ns")
            ),
            strict=True,
        ):
            client, identifier, received, uncertainty, sent = row
            if received is None or sent is None:
                raise BenchmarkError(f"{identifier} to {client} was not delivered")
            yield str(client), str(identifier), int(received), int(uncertainty), int(sent)
