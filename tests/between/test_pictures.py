"""A picture of somebody elsewhere is never a reason to ask another machine for anything."""

from __future__ import annotations

import pytest

from coop import posts
from coop.posts import Draft
from federation.tables import Object
from tests.fediverse import Fediverse

PRIVATE = "http://169.254.169.254/latest/icon.png"


@pytest.mark.proves("P-339", "P-306")
async def test_icons_and_emoji_are_neither_fetched_nor_shown_from_elsewhere(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    uri = f"{attic.home}/notes/9"
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": attic.uri,
        "content": "<p>Look :owl:</p>",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "tag": [{"type": "Emoji", "name": ":owl:", "icon": {"type": "Image", "url": PRIVATE}}],
        "attachment": [{"type": "Image", "mediaType": "image/png", "url": PRIVATE, "name": "an owl"}],
        "icon": {"type": "Image", "url": PRIVATE},
    }
    create = {"id": f"{uri}/activity", "type": "Create", "actor": attic.uri, "object": note}

    answer = await attic.sends(f"{shop.home}/inbox", {**create, "to": note["to"]})
    await fediverse.settle()
    said = await shop.does(lambda tx: posts.publish(tx, shop.uri, Draft("Nice owl.", reply_to=uri)).uri)
    page = await shop.instance.store.read(lambda db: [row.uri for row in db.query(Object)])

    assert answer.status == 202
    assert {uri, said} <= set(page)
    assert "169.254.169.254" not in {request.url.host for request in fediverse.requests}
    shown = await attic.instance.client.get(said, accept="text/html")
    assert f'src="{PRIVATE}'.encode() not in shown.body
    assert "img-src" not in shown.headers["content-security-policy"]  # so it is as default-src: from here alone
