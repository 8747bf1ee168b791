"""A studio is gone for ever. What it founded goes on without it, and what it vouched for still holds."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
from sqlalchemy.orm import Session

from boxroom.demo.cast import IVO
from boxroom.demo.facts import Fact, kept, shown
from boxroom.demo.sharing import comes_in, invites, is_invited, members_are
from boxroom.demo.sights import Query, has
from boxroom.demo.sleeping import is_valid_by_copy
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from boxroom.demo.talking import says
from boxroom.demo.vouching import gives, is_judged, is_judged_in_file, show
from coop import accounts, endorsements, faces, follows, projects, reactions, statements, verdicts
from federation import known
from federation.client import Unreachable
from federation.store import Transaction

NAME = "Paper Lanterns"
TEXT = "Lanterns for a river, lit by whoever is there."
WORDS = "Knew which lantern would tip over, and it did."


async def lose_ivo(story: Story) -> None:
    """Somebody comes, begins things with others, and is never heard of again."""
    ivo = await Studio.found(story.stage.ada.folder.with_name(IVO.handle), IVO)
    try:
        await ivo.wakes()
        story.happens(f"{ivo.person.name}, {ivo.person.where}, opens a fifth studio: {ivo.here.home}")
        room = await _begin(story, ivo)
        given = await _vouch(story, ivo)
    finally:
        await ivo.vanishes()
    story.happens("The barge goes down, and with it Ivo's server, its keys, and all that it kept")
    await story.see(_nobody_answers(story.stage.ada, ivo), _nothing_is_left(ivo))
    await _go_on(story, room, ivo)
    await _move_the_face(story, room)
    await _check_the_word(story, given)


async def _begin(story: Story, ivo: Studio) -> str:
    """A project of Ivo's, which Ada leads, too; Bo only follows it."""
    ada, bo, gus, _ = story.stage.everyone
    pair = await asyncio.to_thread(accounts.new_keys)
    sentence = f"Ivo founds a project, “{NAME}”"
    room = await story.act(ivo, sentence, lambda tx: projects.create(tx, ivo.me, NAME, TEXT, pair).uri)
    await ivo.finds(ada)
    await ivo.finds(gus)
    lead = await story.act(ivo, "Ivo asks Ada to lead it, too", partial(invites, ivo, room, ada, role="lead"))
    member = await story.act(ivo, "and Gus to be a member", partial(invites, ivo, room, gus))
    await story.see(
        *(kept(one, f"{one} has Ivo's invitation", is_invited(uri)) for one, uri in ((ada, lead), (gus, member)))
    )
    await story.act(ada, "Ada comes in", partial(comes_in, ada, lead))
    await story.act(gus, "Gus, too", partial(comes_in, gus, member))
    await bo.finds(ivo)  # whose key Bo's studio would later have from others, and only after some minutes
    await _follows(story, bo, room, "Bo, who met Ivo on the quay, follows the project")
    counts = "studio counts the same members of it: Ivo, Ada and Gus"
    await story.see(
        *(kept(one, f"{one}'s {counts}", members_are(room, ivo, ada, gus)) for one in (ivo, ada, gus)),
        kept(ivo, "Ivo's studio knows that Bo follows it", _is_followed_by(room, bo)),
    )
    return room


async def _vouch(story: Story, ivo: Studio) -> str:
    ada = story.stage.ada
    given = await gives(story, ivo, ada, "Foresight", WORDS)
    await story.see(
        kept(ada, "Ada has Ivo's word for it, and the proof in it is Ivo's", is_judged(given, "valid, offline"))
    )
    await story.act(ada, "Ada is glad of it, and shows it", partial(show, ada, given))
    return given


async def _go_on(story: Story, room: str, ivo: Studio) -> None:
    """They say, ask and decide things in a project whose founder is no more."""
    ada, bo, gus, _ = story.stage.everyone
    said = await says(story, gus, "Gus says in the room", "We still have paper.", "project", project=room)
    asked = await story.act(ada, "Ada asks Bo in", partial(invites, ada, room, bo))
    await story.see(
        kept(
            ada, "Ada reads Gus's words in the room, with nobody at Ivo's to bring them", has(said, "still have paper")
        ),
        kept(bo, "Bo has Ada's invitation to what Ivo founded", is_invited(asked)),
    )
    await story.act(bo, "Bo comes in", partial(comes_in, bo, asked))
    await story.see(kept(ada, "Ada's studio counts Bo", members_are(room, ivo, ada, gus, bo)))
    name = f"{NAME}, for Ivo"
    await story.act(ada, f"Ada decides: from now on it is “{name}”", lambda tx: projects.edit(tx, ada.me, room, name))
    await story.act(ada, "and Ivo is in it no more", lambda tx: projects.remove(tx, ada.me, room, ivo.me))
    answer = await says(story, bo, "Bo says in the room", "And I have paint.", "project", project=room)
    counts = "studio counts Ada, Gus and Bo, and knows the new name"
    await story.see(
        *(kept(one, f"{one}'s {counts}", _is_called(room, name, ada, gus, bo)) for one in (ada, gus, bo)),
        *(kept(one, f"{one} reads Bo's words in the room", has(answer, "have paint")) for one in (ada, gus)),
    )


async def _move_the_face(story: Story, room: str) -> None:
    """What the project shows to everybody is on a server that lives."""
    ada, bo, gus, pia = story.stage.everyone
    pair = await asyncio.to_thread(accounts.new_keys)
    sentence = "Ada takes the project's public face to the attic"
    face = await story.act(ada, sentence, lambda tx: faces.move(tx, ada.me, room, pair))
    moved = "studio knows where the project is to be found now"
    await story.see(
        *(kept(one, f"{one}'s {moved}", _has_face(room, face)) for one in (gus, bo)),
        shown(ada, "A stranger finds it there", face, NAME, to=pia),
    )
    await _follows(story, pia, face, "Pia follows it there")
    await story.see(kept(ada, "Ada's studio knows that Pia does", _is_followed_by(face, pia)))
    news = await says(story, gus, "Gus says for the project, to everybody", "Forty lanterns, one river.", project=room)
    await story.see(kept(pia, "The project passes it on: Pia's studio has that from Ada's", _is_passed_on(news, face)))


async def _check_the_word(story: Story, given: str) -> None:
    """What Ivo said of Ada is as good as ever, though nobody can be asked any more."""
    ada, _, gus, pia = story.stage.everyone
    copy = await ada.reads(lambda db: msgspec.json.encode(verdicts.bundle(db, endorsements.at(db, given))))
    altered = copy.replace(b"it did", b"I fell")
    story.happens("Ada hands a copy around of what Ivo said")
    await story.see(
        kept(gus, "Gus checks the copy: it is Ivo's word", is_judged_in_file(gus, copy, "valid, offline")),
        kept(gus, "Gus checks one with two words changed: it is found out", is_judged_in_file(gus, altered, "invalid")),
        kept(pia, "Pia, who never met Ivo, finds the proof in the copy alone", is_valid_by_copy(pia, copy)),
        shown(ada, "Ada's page shows it to a stranger still", ada.page, WORDS, to=pia),
    )


async def _follows(story: Story, who: Studio, group: str, sentence: str) -> None:
    await who.meets(group)

    def follow(tx: Transaction) -> None:
        follows.follow(tx, who.me, group)

    await story.act(who, sentence, follow)


def _is_followed_by(group: str, who: Studio) -> Query:
    return lambda db: who.me in set(db.scalars(follows.followers(group)))


def _is_called(room: str, name: str, *people: Studio) -> Query:
    return lambda db: statements.at(db, room).name == name and members_are(room, *people)(db)


def _has_face(room: str, face: str) -> Query:
    return lambda db: statements.at(db, room).face == face


def _is_passed_on(uri: str, by: str) -> Query:
    def query(db: Session) -> bool:
        row = known.find(db, uri)
        return row is not None and "boost" in reactions.by(db, by, [row.id]).get(row.id, ())

    return query


def _nobody_answers(at: Studio, gone: Studio) -> Fact:
    async def holds() -> bool:
        try:
            await at.asks_for(gone.page)
        except Unreachable:
            return True
        return False

    return Fact(at, f"Nobody answers any more at {gone}'s address", holds)


def _nothing_is_left(gone: Studio) -> Fact:
    async def holds() -> bool:
        return not gone.folder.exists()

    return Fact(gone, f"{gone}'s data are nowhere", holds)
