"""Who do we know that can: of those who are named first, how many can."""

from __future__ import annotations

from benchmarks import network
from coop import who
from coop.who import Question
from tests.fediverse import Fediverse


async def test_shows_coop_6_four_in_five_of_the_first_answers_are_right(fediverse: Fediverse) -> None:
    shop = await fediverse.studio("shop")
    made = await shop.does(lambda tx: network.build(tx, shop.uri, 300))

    precision = await shop.instance.store.read(lambda db: made.precision(db, fediverse.now))
    found = await shop.instance.store.read(
        lambda db: [
            len(
                made.answers[skill]
                & {one.actor.uri for one in who.knows(db, shop.uri, Question((skill,)), 100, fediverse.now)}
            )
            for skill in made.answers
        ]
    )

    assert len(made.answers) > 150
    assert precision >= 0.8
    assert sum(found) / sum(map(len, made.answers.values())) >= 0.8  # and few who can do it are missed
