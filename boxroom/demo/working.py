"""Pia needs help with a client; two answer, one is taken."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from activitypub.proposal import Price
from boxroom.demo.facts import kept, shown
from boxroom.demo.sights import Query, is_told
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from coop import agreements, offers, responses
from coop.offers import Draft

TITLE = "Nine lines for a ferry's timetable"


async def find_somebody(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    fee = Price("EUR", Decimal("450.00"), Decimal("450.00"))
    words = "The Otter Ferry crosses nine times a day. Each crossing deserves a **line of its own**."
    need = Draft("request", TITLE, words, fee, ("Copywriting",), remote=True)
    sentence = f"Pia looks for somebody: “{TITLE}”, {fee}"
    offer = await story.act(pia, sentence, lambda tx: offers.open(tx, pia.me, need).uri)
    await story.see(
        *(
            kept(one, f"{one} finds Pia's offer on the board, with its price", _is_on_board(one, offer))
            for one in (ada, bo, gus)
        ),
        shown(pia, "Pia's page shows the offer to a stranger", pia.page, "timetable", "450", to=gus),
        shown(pia, "The offer has a page of its own", offer, "timetable", "450", to=ada),
    )

    ours = await _answers(story, gus, offer, "I know a few lines about water.")
    theirs = await _answers(story, bo, offer, "I could paint them very large.")
    await story.see(
        kept(pia, "Pia has Gus's answer", _stands(ours, "open", "about water")),
        kept(pia, "Pia has Bo's answer", _stands(theirs, "open", "very large")),
    )

    await story.act(pia, "Pia says yes to Gus", lambda tx: agreements.accept(tx, pia.me, ours).uri)
    reason = "Save your brushes for the sign."
    await story.act(
        pia, f"and, kindly, no to Bo: “{reason}”", lambda tx: responses.decline(tx, pia.me, theirs, reason).uri
    )
    await story.see(
        kept(gus, "Gus and Pia have an agreement, and Gus has a copy of it", _is_agreed(ours)),
        kept(gus, "Gus was told of the yes", is_told("response accepted", pia)),
        kept(bo, "Bo was told of the no, and of the reason", _is_declined(theirs, reason)),
    )

    await story.act(pia, "Pia marks the offer as taken", lambda tx: offers.fill(tx, pia.me, offer).uri)
    await story.see(
        *(kept(one, f"{one} sees that the offer is taken", _is_filled(offer)) for one in (ada, bo, gus)),
        kept(ada, "The offer is on Ada's board no more", lambda db: not _is_on_board(ada, offer)(db)),
    )


async def _answers(story: Story, who: Studio, offer: str, words: str) -> str:
    return await story.act(who, f"{who} answers: “{words}”", lambda tx: responses.respond(tx, who.me, offer, words).uri)


def _is_on_board(who: Studio, uri: str) -> Query:
    def query(db: Session) -> bool:
        found = db.scalars(offers.board(who.here.now(), who.me, skill="copywriting")).all()
        return any((one.uri, str(one.least), one.currency) == (uri, "450.00", "EUR") for one in found)

    return query


def _stands(uri: str, state: str, words: str) -> Query:
    return lambda db: (row := responses.find(db, uri)) is not None and row.state == state and words in row.text


def _is_agreed(uri: str) -> Query:
    return lambda db: (row := responses.find(db, uri)) is not None and row.state == "accepted" and row.agreement


def _is_declined(uri: str, reason: str) -> Query:
    return lambda db: (row := responses.find(db, uri)) is not None and (row.state, row.reason) == ("declined", reason)


def _is_filled(uri: str) -> Query:
    return lambda db: (row := offers.find(db, uri)) is not None and row.state == "filled"
