from simulator.reach import ChannelName
from simulator.reach.channels import Channels
from simulator.reach.loading import load_profile
from simulator.scenario.checks import figures
from tests.unit.reach.small import EVERYBODY, built


def test_channels_that_are_left_out_do_not_exist() -> None:
    profile = built(lambda document: document["channels"].update(radio={"hears": EVERYBODY}))
    assert list(profile.channels.all()) == [ChannelName.RADIO]
    assert not Channels().all()


def test_before_2014_no_network_broadcast_alerts() -> None:
    assert set(load_profile("j-alert-2012").channels.all()) == {
        ChannelName.LOUDSPEAKER,
        ChannelName.INDOOR_RECEIVER,
        ChannelName.TELEVISION,
        ChannelName.RADIO,
    }


def test_a_later_profile_has_all_channels_in_the_order_of_results() -> None:
    assert list(load_profile("j-alert-2022").channels.all()) == list(ChannelName)


def test_old_receivers_go_with_time() -> None:
    old = [load_profile(f"j-alert-{year}").municipal.old for year in (2012, 2017, 2022, 2023)]
    shares = [0.0 if lag is None else lag.share.share for lag in old]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[1] > shares[2] == 0


def test_every_figure_has_a_source_or_is_an_assumption_with_a_range() -> None:
    for path, figure in figures(load_profile("j-alert-2017")):
        assert figure.sources or figure.assumption, path
        if figure.assumption and not hasattr(figure, "asleep"):
            assert getattr(figure, "range") is not None, path  # noqa: B009


def test_the_mean_share_of_homes_is_weighted_by_towns() -> None:
    indoor = load_profile("j-alert-2022").channels.indoor_receiver
    assert indoor is not None
    assert 0.2 < indoor.coverage.mean < 0.25
