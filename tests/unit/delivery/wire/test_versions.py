import pytest

from simulator.delivery.wire.versions import codec_for
from simulator.errors import ConfigurationError


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_each_version_has_its_codec(protocol: str) -> None:
    assert codec_for(protocol).protocol == protocol


@pytest.mark.parametrize("protocol", ["", "3.1", "4", "5.0", "mqtt"])
def test_another_version_is_refused_with_a_remedy(protocol: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write 3\.1\.1 or 5"):
        codec_for(protocol)
