"""Four people say who they are, and begin to follow each other."""

from __future__ import annotations

from functools import partial

from boxroom.demo.facts import kept, shown
from boxroom.demo.sights import is_followed, is_told, knows
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from coop import follows, profiles
from coop.profiles import Changes
from federation.store import Transaction


async def introduce(story: Story) -> None:
    """Everybody fills in their page, which a stranger can read."""
    everyone = story.stage.everyone
    for one in everyone:
        said = one.person
        changes = Changes(bio=said.bio, skills=said.skills, availability=said.availability)
        await story.act(one, f"{one} writes a few words about the work: {one.page}", partial(_edit, one, changes))
    for one, guest in zip(everyone, (*everyone[1:], everyone[0]), strict=True):
        claims = (one.person.name, *one.person.skills, one.person.availability)
        what = f"{one}'s page tells a stranger what {one} can do, and when"
        await story.see(shown(one, what, one.page, *claims, to=guest))


async def follow_each_other(story: Story) -> None:
    """All follow all, but for Gus, who has not heard of Bo yet."""
    ada, bo, gus, pia = story.stage.everyone
    wishes = {ada: (bo, gus, pia), bo: (ada, gus, pia), gus: (ada, pia), pia: (ada, bo, gus)}
    for one, others in wishes.items():
        for other in others:
            await one.finds(other)
        await story.act(one, f"{one} asks to follow {_names(others)}", partial(_follow, one, others))
    for one in story.stage.everyone:
        by = tuple(other for other, others in wishes.items() if one in others)
        await story.see(
            kept(one, f"{one}'s studio lists {_names(by)} as followers", is_followed(one, *by)),
            kept(one, f"{one} was told that {_names(by)} follow {one}", is_told("follow", *by)),
            kept(one, f"{one} was let in by {_names(wishes[one])}", is_told("follow accepted", *wishes[one])),
        )
    await story.see(kept(pia, "Pia's studio knows what Bo can do, and when", knows(bo, *bo.person.skills, "snow")))

    changes = Changes(availability="Three days a week from January")
    await story.act(ada, "Ada finds a third day for work, and says so", partial(_edit, ada, changes))
    await story.see(
        *(kept(one, f"{one}'s studio knows of Ada's third day", knows(ada, "Three days")) for one in (bo, gus, pia))
    )


def _names(people: tuple[Studio, ...]) -> str:
    *first, last = map(str, people)
    return f"{', '.join(first)} and {last}"


def _edit(one: Studio, changes: Changes, tx: Transaction) -> str:
    return profiles.edit(tx, one.me, changes).uri


def _follow(one: Studio, others: tuple[Studio, ...], tx: Transaction) -> None:
    for other in others:
        follows.follow(tx, one.me, other.me)
