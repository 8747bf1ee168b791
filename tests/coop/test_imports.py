"""Archives that were sent ahead: one of each who lives here, and nothing happens that they have not said."""

from __future__ import annotations

import pytest

from coop import accounts, imports
from coop.errors import Conflict, NotFound
from tests.fediverse import Fediverse


async def test_nothing_is_brought_before_it_was_looked_at_and_confirmed(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    me = await attic.instance.store.read(lambda db: accounts.numbers(db)[attic.uri])
    store = attic.instance.store

    await store.write(lambda tx: imports.take_in(tx, me, "one", "archive.zip"))
    with pytest.raises(NotFound):
        await store.write(lambda tx: imports.confirm(tx, me))
    with pytest.raises(Conflict):
        await store.write(lambda tx: imports.forget(tx, me))
    with pytest.raises(Conflict):
        await store.write(lambda tx: imports.take_in(tx, me, "other", "archive.zip"))
    await store.write(lambda tx: imports.note(tx, me, state="looked", counted=({"post": 2}, {"boost": 1}, 3)))
    idle = await store.read(imports.waiting)
    await store.write(lambda tx: imports.confirm(tx, me))

    assert idle == []
    [row] = await store.read(imports.waiting)
    assert (row.state, row.brought, row.left_out, row.here_already) == ("bringing", {}, {}, 0)
    assert await store.read(imports.files) == {"one"}


async def test_what_is_over_is_told_but_its_file_is_needed_no_more(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    me = await attic.instance.store.read(lambda db: accounts.numbers(db)[attic.uri])
    store = attic.instance.store
    await store.write(lambda tx: imports.take_in(tx, me, "one", "archive.zip"))

    await store.write(lambda tx: imports.note(tx, me, entries=500))
    far = await store.read(lambda db: imports.at(db, me))
    await store.write(lambda tx: imports.note(tx, me, state="failed", error="it is damaged"))
    over = await store.read(lambda db: imports.at(db, me))

    assert far is not None
    assert (far.entries, far.is_busy) == (500, True)
    assert over is not None
    assert (over.error, over.is_busy) == ("it is damaged", False)
    assert await store.read(imports.files) == set()
