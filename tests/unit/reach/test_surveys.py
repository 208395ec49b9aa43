import pytest

from simulator.reach.loading import PROFILES, load_profile
from simulator.reach.surveys import Asked, Comparison, at_the_end, compare, surveys
from simulator.units import NS_PER_MIN

BY_ID = {survey.id: survey for survey in surveys()}


def test_the_questions_are_those_of_the_table() -> None:
    sendai = BY_ID["sendai-170915"]
    assert sendai.area == ("04100",)
    assert sendai.within_ns == 10 * NS_PER_MIN
    assert (sendai.low, sendai.high, sendai.n) == (0.814, 0.883, 1000)
    assert {survey.asked for survey in surveys()} == set(Asked)
    assert {survey.profile for survey in surveys()} <= set(PROFILES)


@pytest.mark.parametrize("asked", Asked)
def test_each_kind_of_question_has_an_answer(asked: Asked) -> None:
    survey = next(entry for entry in surveys() if entry.asked is asked)
    found = compare(survey, replications=20)
    assert 0 < found.modelled < 1
    if asked is Asked.KNEW:
        assert found.least < found.modelled < found.most


@pytest.mark.parametrize(
    ("least", "most", "explained"),
    [
        (0.5, 0.7, False),
        (0.5, 0.785, False),  # 0.814 within 0.024
        (0.5, 0.795, True),
        (0.5, 0.82, True),
        (0.95, 0.85, True),
    ],
)
def test_a_survey_is_explained_if_the_ranges_could_give_it(
    least: float, most: float, *, explained: bool
) -> None:
    survey = BY_ID["sendai-170915"]
    found = Comparison(survey=survey, modelled=0.6, least=least, most=most)
    assert found.explained is explained


def test_ends_of_ranges_go_the_way_that_warns_fewest_or_most() -> None:
    profile = load_profile("j-alert-2017")
    least, most = (at_the_end(profile, most=end) for end in (False, True))
    assert least.phones.held.share == 0.75
    assert most.phones.held.share == 0.88
    assert least.municipal.old is not None
    assert most.municipal.old is not None
    assert (least.municipal.old.share.share, most.municipal.old.share.share) == (0.6, 0.1)
    for end, silent, late in ((least, 0.05, 0.1), (most, 0.0, 0.0)):
        broadcast = end.channels.cell_broadcast
        assert broadcast is not None
        assert broadcast.carriers[0].silent.share == silent
        share = broadcast.stages[2].share
        assert share is not None
        assert share.share == late


def test_a_model_that_warns_too_many_is_found_out() -> None:
    street = BY_ID["internet-170915"]
    assert not Comparison(survey=street, modelled=0.8, least=0.7, most=0.9).explained
    assert Comparison(survey=street, modelled=0.8, least=0.64, most=0.9).explained
