"""Studios of which one keeps a mailbox for another, and what their tests let them do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from activitypub.document import Document
from activitypub.parcel import Parcel, SealingKey
from coop import buddies
from coop.mailboxes import Buddy, Held
from federation import known
from federation.upkeep import Upkeep
from tests.fediverse import Fediverse, Studio

HOURS = timedelta(hours=3)  # so long somebody has been asleep when others leave with a buddy what waits


async def agrees(owner: Studio, buddy: Studio) -> None:
    """Have `buddy` hold for `owner`."""
    await owner.meets(buddy)
    await owner.does(lambda tx: buddies.ask(tx, owner.uri, buddy.uri).id)
    await owner.fediverse.settle()
    await buddy.does(lambda tx: buddies.accept(tx, buddy.uri, owner.uri).id)
    await owner.fediverse.settle()


async def works(studio: Studio, minutes: int = 6) -> None:
    """Let somebody's server go on for a while, its errands included, with everybody who is awake."""
    for _ in range(minutes):
        studio.fediverse.later(minutes=1)
        await studio.upkeep.run_errands()
        await studio.fediverse.settle()


async def wakes(studio: Studio) -> None:
    """Switch it on again: a new process with the same database."""
    studio.fediverse.asleep.discard(studio.host)
    studio.upkeep = Upkeep(studio.instance)
    await works(studio)


async def village(fediverse: Fediverse) -> tuple[Studio, Studio, Studio]:
    """Ada, whom Sam follows, and Bo, who is Sam's buddy; Sam's server was awake until now."""
    ada, bo, sam = [await fediverse.studio(name) for name in ("ada", "bo", "sam")]
    await sam.follows(ada)
    await agrees(sam, bo)
    await works(sam, 1)
    return ada, bo, sam


async def falls_asleep(studio: Studio) -> None:
    studio.fediverse.asleep.add(studio.host)


async def leaves(sender: Studio) -> None:
    """Let the lane of `sender` notice that somebody sleeps, and time pass until it leaves things with buddies."""
    await sender.fediverse.settle()
    sender.fediverse.later(seconds=HOURS.total_seconds())
    await sender.fediverse.settle()
    await works(sender, 2)


async def state(studio: Studio) -> list[str]:
    """Of all that a studio agreed on, or was asked."""
    return [row.state for row in await studio.knows(Buddy)]


async def named(owner: Studio, by: Studio | None = None) -> tuple[str, ...]:
    """Whom the profile of `owner` names for buddies, as another studio has it."""
    return (await profile(owner, by)).uris("buddies")


async def profile(owner: Studio, by: Studio | None = None) -> Document:
    studio = by or owner
    return await studio.instance.store.read(lambda db: Document(known.actor(db, owner.uri).document))


async def sealed(content: bytes, sender: Studio, owner: Studio) -> Parcel:
    key = SealingKey.of(await profile(owner))
    assert key is not None
    return Parcel.seal(content, sender.uri, key)


async def puts(parcel: Parcel, sender: Studio, buddy: Studio) -> int:
    """Have `sender` leave a parcel that we made up; the status that answers it."""
    return (await sender.sends(f"{buddy.uri}/mailbox", parcel.write())).status


async def held(buddy: Studio) -> list[str]:
    """Whose parcels lie with a buddy, oldest first."""
    query = select(Held.sender).order_by(Held.id)
    return await buddy.instance.store.read(lambda db: [one.split("//")[1].split(".")[0] for one in db.scalars(query)])
