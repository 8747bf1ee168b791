"""What can be refused because of how something stands is told in words that every language has."""

from __future__ import annotations

from typing import get_args

import pytest

from activitypub import proposal
from coop import admission, commitments, endorsement_requests, profiles, responses
from coop.errors import STANDING


@pytest.mark.parametrize(
    "states",
    [
        proposal.State,
        admission.State,
        responses.State,
        endorsement_requests.State,
        commitments.State,
        commitments.Standing,
    ],
)
def test_however_something_stands_there_is_a_word_for_it(states: object) -> None:
    assert {*get_args(states)} <= STANDING.keys()


def test_every_line_of_a_profile_has_a_name_when_it_is_too_long() -> None:
    assert profiles._CALLED.keys() == profiles.LINES.keys()
