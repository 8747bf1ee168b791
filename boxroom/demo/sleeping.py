"""Bo's server sleeps. Mail waits for it, proofs hold without it, and what it missed is there when it wakes."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from boxroom.demo.facts import kept, shown
from boxroom.demo.sharing import members_are, room_of
from boxroom.demo.sights import Query, has, is_told, never_heard, reads
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from boxroom.demo.talking import says
from boxroom.demo.vouching import is_judged_in_file
from coop import projects, verdicts
from coop.endorsements import Endorsement
from federation import progress
from federation.tables import Receipt


async def prove_offline(story: Story) -> None:
    """What Bo said of Ada is checked from a file while nobody is there to ask."""
    ada, bo, gus, _ = story.stage.everyone
    await bo.falls_asleep()
    story.happens("Bo goes home, and switches the server off")
    file = ada.folder.with_name("what-bo-said-of-ada.json")
    given = select(Endorsement).where(Endorsement.endorser == bo.me)
    copy = await ada.reads(lambda db: verdicts.bundle(db, db.scalars(given).one()))
    file.write_bytes(msgspec.json.encode(copy))
    story.happens(f"Ada saves what Bo said as {file.name}, and hands it around")

    whole = file.read_bytes()
    altered = whole.replace(b"asked for nothing", b"paid in diamonds!")
    offline, found_out = is_judged_in_file(gus, whole, "valid, offline"), is_judged_in_file(gus, altered, "invalid")
    await story.see(
        kept(gus, "Gus checks the file: it is Bo's word, though Bo's server is off", offline),
        kept(gus, "Gus checks one with three words changed: it is found out", found_out),
        kept(ada, "Somebody who never met Bo finds the proof in the file alone", is_valid_by_copy(ada, whole)),
    )


async def wait_for_bo(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    room = await room_of(pia)
    public = await says(story, ada, "Ada says", "We launch on Monday. Bring scarves.")
    inside = await says(story, pia, "Pia says in the room", "The client cried. Thank you, Bo.", "project", project=room)
    await story.see(
        kept(gus, "Gus reads Ada's words at once", reads(gus, public, "Bring scarves")),
        kept(ada, "Ada reads Pia's words in the room", has(inside, "Thank you, Bo")),
        kept(ada, "Ada's studio keeps Bo's mail, and says what it waits for", _waits(public, bo)),
        kept(pia, "Pia's studio keeps Bo's mail, too", _waits(inside, bo)),
    )
    told = await ada.reads(lambda db: progress.where_is(db, public))
    story.tell.aside(f"Ada is told: {'; '.join(told.sentences(ada.here.now()))}")

    await story.act(pia, "Bo's part is done: Pia takes Bo out", lambda tx: projects.remove(tx, pia.me, room, bo.me))
    await story.see(kept(ada, "Ada's studio counts two members now", members_are(room, pia, ada)))

    late = await says(story, bo, "Bo, who has not heard, writes there", "One more coat?", "project", project=room)
    story.happens("and switches the server on again")
    await bo.wakes()
    await _catch_up(story, room, public, inside, late)


async def _catch_up(story: Story, room: str, public: str, inside: str, late: str) -> None:
    ada, bo, _, pia = story.stage.everyone
    await story.see(
        kept(bo, "Bo reads what Ada said meanwhile", reads(bo, public, "Bring scarves")),
        kept(bo, "Bo has what Pia said in the room while Bo was in it", has(inside, "Thank you, Bo")),
        kept(bo, "Bo was told of being in the room no more", is_told("removal", pia)),
        kept(bo, "Bo's studio counts two members now", members_are(room, pia, ada)),
        *(kept(one, f"{one}'s studio refuses what Bo wrote in the room", _is_refused(late)) for one in (ada, pia)),
        shown(
            pia, "Bo, asking by name, is given nothing from the room any more", inside, to=bo, status=404, signed=True
        ),
        kept(ada, "Nothing waits at Ada's for Bo any more", lambda db: progress.where_is(db, public).is_complete),
    )
    await story.see(
        *(kept(one, f"Nothing of what Bo wrote is in {one}'s room", never_heard(late)) for one in (ada, pia))
    )


def _waits(uri: str, for_whom: Studio) -> Query:
    def query(db: Session) -> bool:
        return any(one.host == for_whom.host and one.error for one in progress.where_is(db, uri).waiting)

    return query


def _is_refused(uri: str) -> Query:
    """Whether it came, was proven to be its author's, and was refused because of who may write in the room."""
    about = (Receipt.uri == f"{uri}/activity", Receipt.proven)
    refused = (Receipt.state == "refused", Receipt.error.contains("may not write"))
    return lambda db: db.scalar(select(Receipt.id).where(*about, *refused))


def is_valid_by_copy(at: Studio, file: bytes) -> Query:
    """Whether the keys in the file prove it, for somebody who has nothing else."""
    return lambda _: verdicts.verify_file(file, lambda key: None, at.here.now())[1].verdict == "valid by copy"
