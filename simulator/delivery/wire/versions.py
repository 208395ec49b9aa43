"""Which codec speaks which version of MQTT."""

from simulator.delivery.wire.codec import Codec
from simulator.delivery.wire.mqtt5 import Mqtt5
from simulator.delivery.wire.mqtt311 import Mqtt311
from simulator.errors import ConfigurationError


def codec_for(protocol: str, message_expiry_s: int = 0) -> Codec:
    """The codec of ``3.1.1`` or ``5``.

    Args:
        protocol: the version.
        message_expiry_s: message expiry of what is published, wall seconds; 0: none. MQTT 3.1.1
            knows no such thing.

    Raises:
        ConfigurationError: for any other version.
    """
    if protocol == "3.1.1":
        return Mqtt311()
    if protocol == "5":
        return Mqtt5(message_expiry_s)
    raise ConfigurationError(
        "unknown MQTT version", field="protocol", value=protocol, remedy="write 3.1.1 or 5"
    )
