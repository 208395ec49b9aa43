"""Which codec speaks which version of MQTT."""

from simulator.delivery.wire.codec import Codec
from simulator.delivery.wire.mqtt5 import Mqtt5
from simulator.delivery.wire.mqtt311 import Mqtt311
from simulator.errors import ConfigurationError


def codec_for(protocol: str) -> Codec:
    """The codec of ``3.1.1`` or ``5``.

    Raises:
        ConfigurationError: for any other version.
    """
    if protocol == "3.1.1":
        return Mqtt311()
    if protocol == "5":
        return Mqtt5()
    raise ConfigurationError(
        "unknown MQTT version", field="protocol", value=protocol, remedy="write 3.1.1 or 5"
    )
