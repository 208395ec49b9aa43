"""Whether the broker's listeners still work, asked while the run goes on.

Rule of the module: a listener can die while its broker seems healthy, and only a new connection
shows it. One that answers too late because the broker is busy is no dead one: as long as deliveries
go on arriving it is asked again, but not for ever.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Final

from simulator.clock import Clock
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.preflight import check_endpoint
from simulator.errors import AbortedError, AlertsimError, BrokerLostError
from simulator.units import NS_PER_S

PATIENCE_NS: Final = 60 * NS_PER_S


async def check_listener(
    endpoint: BrokerEndpoint,
    *,
    root: str,
    clock: Clock,
    stop: threading.Event,
    seen: Callable[[], int],
) -> None:
    """Ask one listener with a message of its own.

    Args:
        endpoint: the listener.
        root: topic root.
        clock: where time comes from.
        stop: ends the question early.
        seen: how many deliveries have arrived so far.

    Raises:
        BrokerLostError: if it does not answer although nothing else keeps the broker busy, or for a
            minute.
        AbortedError: if ``stop`` was set.
    """
    began_ns = clock.monotonic_ns()
    while True:
        before = seen()
        try:
            await asyncio.to_thread(check_endpoint, endpoint, root=root, stop=stop)
        except AbortedError:
            raise
        except AlertsimError as error:
            busy = seen() > before and clock.monotonic_ns() - began_ns < PATIENCE_NS
            if not busy:
                raise BrokerLostError(
                    f"the broker's MQTT {endpoint.protocol} listener died: {error}. On the "
                    "embedded broker one MQTT 5 message with a property does this; use --broker "
                    "mosquitto for clients that set properties"
                ) from error
        else:
            return
