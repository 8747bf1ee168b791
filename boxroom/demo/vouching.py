"""They vouch for each other's work; what is taken back is so for ever, whatever copies there are."""

from __future__ import annotations

from functools import partial

import msgspec
from sqlalchemy.orm import Session

from boxroom.demo.facts import kept, shown
from boxroom.demo.sights import Query, is_told
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from coop import endorsements, verdicts
from federation.store import Transaction


async def vouch(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    given = []
    for one, other, skill, words in (
        (pia, gus, "Copywriting", "Nine lines, none of them wasted."),
        (gus, pia, "Strategy", "Knew what the ferry needed before the ferry did."),
        (bo, ada, "Accessibility", "My grandmother used the site and asked for nothing."),
        (ada, bo, "Lettering", "You can read it from the other bank."),
    ):
        given.append((one, other, words, await gives(story, one, other, skill, words)))
    for one, other, _, uri in given:
        await story.see(
            kept(other, f"{other} was told that {one} vouches", is_told("endorsement", one)),
            kept(
                other,
                f"{other} has {one}'s endorsement, and the proof in it is {one}'s",
                is_judged(uri, "valid, offline"),
            ),
        )
    for one, other, words, uri in given:
        await story.act(other, f"{other} is glad of it, and shows it", partial(show, other, uri))
        await story.see(shown(other, f"{other}'s page shows a stranger what {one} said", other.page, words, to=one))


async def take_back(story: Story) -> None:
    ada, bo, gus, _ = story.stage.everyone
    uri = await gives(story, gus, bo, "Punctuality", "Always early.")
    await story.see(
        kept(bo, "Bo has Gus's word for it, and the proof in it is Gus's", is_judged(uri, "valid, offline"))
    )
    copy = await bo.reads(lambda db: msgspec.json.encode(verdicts.bundle(db, endorsements.at(db, uri))))

    sentence = "Gus remembers last Tuesday, and takes that one back"
    await story.act(gus, sentence, lambda tx: endorsements.revoke(tx, gus.me, uri))
    await story.see(
        kept(bo, "At Bo's it says that Gus's word is revoked", is_judged(uri, "revoked")),
        kept(bo, "Bo was told that Gus took it back", is_told("endorsement revoked", gus)),
        kept(ada, "Ada's studio does not fall for a copy made before", is_judged_in_file(ada, copy, "revoked")),
    )


def is_judged_in_file(at: Studio, file: bytes, verdict: str) -> Query:
    """Whether a studio, without asking anybody, has that `verdict` on an endorsement in a file."""
    return lambda db: verdicts.verify_here(db, file, at.here.now())[1].verdict == verdict


async def gives(story: Story, one: Studio, other: Studio, skill: str, words: str) -> str:
    sentence = f"{one} vouches for {other}'s {skill.lower()}: “{words}”"
    return await story.act(one, sentence, lambda tx: endorsements.give(tx, one.me, other.me, [skill], words).uri)


def show(who: Studio, uri: str, tx: Transaction) -> None:
    endorsements.accept(tx, who.me, uri)


def is_judged(uri: str, verdict: str) -> Query:
    def query(db: Session) -> bool:
        row = endorsements.find(db, uri)
        return row is not None and verdicts.verdict_offline(db, row, row.received).verdict == verdict

    return query
