"""A promise between two members of a project, signed by both, kept, and what it is worth afterwards."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from boxroom.demo.facts import kept, shown
from boxroom.demo.sharing import room_of
from boxroom.demo.sights import Query, is_told, never_heard
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from coop import commitments, endorsement_requests, endorsements, fulfilment, promises, who
from coop.promises import Draft
from coop.who import Question

WORDS = "The ferry's site, on a telephone, in the rain"
SKILL = "Web development"


async def promise(story: Story) -> None:
    """Ada promises, Pia signs; Ada says that it is done, Pia that it is kept, and both want it to be seen."""
    ada, bo, gus, pia = story.stage.everyone
    room = await room_of(pia)
    draft = Draft(WORDS, due=ada.here.now() + timedelta(days=14))
    sentence = f"Ada promises Pia, in the room: “{WORDS}”, in a fortnight"
    uri = await story.act(ada, sentence, lambda tx: promises.propose(tx, ada.me, room, ada.me, pia.me, draft).uri)
    await story.see(kept(pia, "Pia was told of Ada's promise", is_told("commitment", ada)))

    await story.act(pia, "Pia signs it, too", lambda tx: promises.accept(tx, pia.me, uri).uri)
    await story.see(
        kept(ada, "At Ada's it counts: both have signed", _stands(ada, uri, "open")),
        kept(bo, "Bo, who is in the room, sees it with both signatures", _stands(bo, uri, "open")),
        kept(gus, "Gus's studio has never heard of it", never_heard(uri)),
    )

    await story.act(ada, "Ada says that it is done", lambda tx: fulfilment.keep(tx, ada.me, uri, shown=True).uri)
    await story.see(kept(pia, "Pia is asked whether it is", _stands(pia, uri, "done")))
    await story.act(pia, "Pia says that it is kept", lambda tx: fulfilment.keep(tx, pia.me, uri, shown=True).uri)
    await story.see(
        kept(ada, "Ada was told", is_told("commitment kept", pia)),
        kept(bo, "Bo's studio has it as kept, too", _stands(bo, uri, "kept")),
        shown(ada, "Both want it to be seen: Ada's page tells a stranger of it", ada.page, "in the rain", to=gus),
    )
    await _ask_for_a_word(story, uri)


async def _ask_for_a_word(story: Story, work: str) -> None:
    """An endorsement is asked for and given, bound to the promise that was kept."""
    ada, _, gus, pia = story.stage.everyone
    asks = f"Ada asks Pia to vouch for it: {SKILL.lower()}"
    asked = await story.act(ada, asks, lambda tx: endorsement_requests.ask(tx, ada.me, pia.me, [SKILL], work=work).uri)
    await story.see(kept(pia, "Pia has Ada's request", is_told("endorsement request", ada)))
    words = "Promised in a fortnight, there in a week."
    given = await story.act(
        pia, f"Pia does: “{words}”", lambda tx: endorsement_requests.answer(tx, pia.me, asked, ada.me, words).uri
    )
    await story.see(kept(ada, "Ada has it, and it names the promise that it is about", _is_about(given, work)))
    await story.act(ada, "Ada shows it", lambda tx: endorsements.accept(tx, ada.me, given))
    await story.see(
        shown(ada, "Ada's page shows a stranger what Pia said", ada.page, words, to=gus),
        kept(gus, f"“Who do we know for {SKILL.lower()}?” Gus's studio names Ada, asking nobody", _is_found(gus, ada)),
    )


def _stands(at: Studio, uri: str, standing: str) -> Query:
    """Whether that is how the promise stands; where one has to be asked, both have signed it."""

    def query(db: Session) -> bool:
        row = commitments.find(db, uri)
        return row is not None and row.standing(at.here.now()) == standing and row.accepted is not None

    return query


def _is_about(given: str, work: str) -> Query:
    return lambda db: (row := endorsements.find(db, given)) is not None and row.inner.get("context") == work


def _is_found(by: Studio, whom: Studio) -> Query:
    def query(db: Session) -> bool:
        found = who.knows(db, by.me, Question((SKILL,)), 5, by.here.now())
        return any(one.actor.uri == whom.me and one.ways for one in found)

    return query
