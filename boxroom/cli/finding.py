"""Commands that find what is known here: somebody who can do something, something that was said. They ask nobody."""

from __future__ import annotations

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table
from boxroom.cli.shapes import Shape, actor_shape, object_shape
from coop import accounts, paths
from coop import search as index
from coop import who as question
from coop.errors import NotFound
from coop.who import Found, Question
from federation import actors
from federation.tables import Actor

EXCERPT = 120  # characters of what was said that a table shows

HOW = {"same": "", "synonym": ", for {}", "identifier": ", by the identifier {}"}


@command("who", prints=True)
@click.argument("skills", metavar="SKILL...", nargs=-1, required=True)
@click.option("--available", is_flag=True, help="Only those who say that they have time.")
@click.option("--remote", is_flag=True, help="Only those who work for people elsewhere.")
@click.option("--place", default="", help="Only those who are there.")
@click.option("--limit", type=click.IntRange(1, question.MAX_FOUND), default=10, show_default=True)
async def who(desk: Desk, skills: tuple[str, ...], available: bool, remote: bool, place: str, limit: int) -> None:
    """Find somebody who can do something, among those you know and those whom they know, and see why.

    Who has more of the skills comes first, then who is nearest to you, then who is endorsed for it by somebody whom
    you follow, then who says that they have time. It is answered from what is stored here: nobody is asked.
    """
    asked = Question(skills, available, remote, place)
    moment = desk.here.now()

    def read(db: Session) -> list[Shape]:
        return [_shape(db, one) for one in question.knows(db, desk.me, asked, limit, moment)]

    found = await desk.reads(read)
    if desk.as_json:
        print_document(found)
        return
    rows = [(one["name"], one["address"] or one["uri"], "; ".join(one["because"])) for one in found]
    print_table(
        ("name", "address", "because"), rows, f"Nobody you know says so, nor whom they know: {', '.join(skills)}."
    )


@command("search", prints=True)
@click.argument("words", metavar="WORDS...", nargs=-1, required=True)
@click.option("--kind", type=click.Choice(["post", "offer", "endorsement"]), help="Only what is of this kind.")
@click.option("--from", "author", metavar="ADDRESS", help="Only what they said.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
async def search(desk: Desk, words: tuple[str, ...], kind: index.Kind | None, author: str | None, limit: int) -> None:
    """Find what was said, by its words, in all that you may read, latest first.

    All of the words have to be in it, whole; if there is nothing that has them, then as beginnings of words.
    """
    by = (await desk.reads(lambda db: _known_as(db, author))) if author else None
    wanted = index.Search(" ".join(words), kind, by)

    def read(db: Session) -> list[Shape]:
        return [object_shape(db, one) for one in index.find(db, desk.me, wanted, limit)]

    found = await desk.reads(read)
    if desk.as_json:
        print_document(found)
        return
    rows = [(one["published"], one["address"] or one["author"], one["text"][:EXCERPT], one["uri"]) for one in found]
    print_table(("when", "by", "what", "URL"), rows, f"Nothing that you may read has these words: {' '.join(words)}")


def _known_as(db: Session, address: str) -> str:
    """The URI of whoever goes by that address, URL or, if they live here, handle. Raise `NotFound`; nobody is asked."""
    if "://" in address:
        found = db.scalar(select(Actor).where(Actor.uri == address))
    elif "@" in address.removeprefix("@"):
        found = actors.by_address(db, address)
    else:
        return accounts.named(db, address).uri
    if found is None:
        raise NotFound(f"nobody here has heard of {address}: boxroom lookup {address} asks their server")
    return found.uri


def _shape(db: Session, found: Found) -> Shape:
    shape: Shape = {
        **actor_shape(found.actor),
        "pronouns": found.card.pronouns,
        "skills": [{"asked": one.asked, "skill": one.skill, "how": one.how} for one in found.matched],
        "availability": found.card.availability,
        "place": found.card.place,
        "remote": found.card.remote,
        "ways": [{"words": paths.words(db, way), "steps": way} for way in found.ways],
        "endorsements": [
            {"uri": row.uri, "by": row.endorser, "verdict": judged.verdict} for row, judged in found.endorsements
        ],
    }
    givers = _names(db, [row.endorser for row, _ in found.endorsements])
    near = [f"{found.actor.name} lives in your studio"] if found.actor.local else []
    ways = [one["words"] for one in shape["ways"]]
    return {**shape, "because": [*_skills(found), *_terms(found), *near, *ways, *_vouching(givers)]}


def _skills(found: Found) -> list[str]:
    return [f"{one.skill}{HOW[one.how].format(one.asked)}" for one in found.matched]


def _terms(found: Found) -> list[str]:
    card = found.card
    where = " or ".join([*([card.place] if card.place else []), *(["remote"] if card.remote else [])])
    return [one for one in (card.availability, where) if one]


def _vouching(givers: dict[str, str]) -> list[str]:
    return [f"endorsed by {', '.join(sorted(set(givers.values())))}"] if givers else []


def _names(db: Session, uris: list[str]) -> dict[str, str]:
    """What those actors call themselves."""
    people = db.execute(select(Actor.uri, Actor.name, Actor.address).where(Actor.uri.in_(uris)))
    return {row.uri: row.name or row.address or row.uri for row in people}
