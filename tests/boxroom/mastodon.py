"""Archives as Mastodon makes them: until 4.1 a ``.tar.gz`` with the pictures first, since then a ``.zip``."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from activitypub.audience import PUBLIC
from activitypub.document import Json
from tests.coop.images import picture

OLD = "https://social.example"
WHO = f"{OLD}/users/ada"
FOLLOWERS = f"{WHO}/followers"
SKY = "media_attachments/files/109/300/000/000/000/001/original/sky.png"

Form = Literal["zip", "tar.gz", "tar"]


def actor(**more: Any) -> Json:
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": WHO,
        "type": "Person",
        "following": f"{WHO}/following",
        "followers": FOLLOWERS,
        "inbox": f"{WHO}/inbox",
        "outbox": "outbox.json",
        "preferredUsername": "ada",
        "name": "Ada of old",
        "summary": "<p>I set <b>type</b>.<br />And books.</p>",
        "url": f"{OLD}/@ada",
        "attachment": [
            {"type": "PropertyValue", "name": "Pronouns", "value": "she/her"},
            {
                "type": "PropertyValue",
                "name": "Shop",
                "value": '<a href="https://type.example" rel="me nofollow"><span class="invisible">https://</span>'
                '<span class="">type.example</span></a>',
            },
        ],
        "likes": "likes.json",
        "bookmarks": "bookmarks.json",
        "icon": {"type": "Image", "mediaType": "image/png", "url": "avatar.png"},
        **more,
    }


def post(number: int, content: str = "", **more: Any) -> Json:
    """A ``Create`` as it stands in ``outbox.json``, on the day of that number in January 2019; for everybody."""
    uri, when = f"{WHO}/statuses/{number}", f"2019-01-{number:02}T08:30:00Z"
    addressed = {"to": [PUBLIC], "cc": [FOLLOWERS]} | {name: more[name] for name in ("to", "cc") if name in more}
    content = content or f"<p>Post {number}</p>"
    return {
        "id": f"{uri}/activity",
        "type": "Create",
        "actor": WHO,
        "published": when,
        **addressed,
        "object": {
            "id": uri,
            "type": "Note",
            "summary": None,
            "inReplyTo": None,
            "published": when,
            "url": f"{OLD}/@ada/{number}",
            "attributedTo": WHO,
            **addressed,
            "sensitive": False,
            "atomUri": uri,
            "conversation": f"tag:social.example,2019-01-01:objectId={number}:objectType=Conversation",
            "content": content,
            "contentMap": {"en": content},
            "attachment": [],
            "tag": [],
            "replies": {"id": f"{uri}/replies", "type": "Collection"},
            **more,
        },
    }


def boost(number: int) -> Json:
    uri = f"{WHO}/statuses/{number}/activity"
    return {"id": uri, "type": "Announce", "actor": WHO, "to": [PUBLIC], "object": f"{OLD}/users/bo/statuses/1"}


def attached(url: str = SKY, alt: str | None = "A sky") -> Json:
    said = {"type": "Document", "mediaType": "image/png", "url": url, "name": alt, "blurhash": "UBL_:rOpGG-;"}
    return {**said, "focalPoint": [0.1, -0.2], "width": 64, "height": 48}


def files(items: Sequence[Json], **who: Any) -> dict[str, bytes]:
    """What is in an archive that lists `items`, in the order of the older form."""
    head = {"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json", "type": "OrderedCollection"}
    listed = {**head, "totalItems": len(items), "orderedItems": items}
    likes = {**head, "id": "likes.json", "orderedItems": [f"{OLD}/users/bo/statuses/1"]}
    return {
        SKY: picture("PNG"),
        "outbox.json": json.dumps(listed, ensure_ascii=False).encode(),
        "likes.json": json.dumps(likes).encode(),
        "avatar.png": picture("PNG", (40, 40)),
        "actor.json": json.dumps(actor(**who)).encode(),
    }


def packed(folder: Path, inside: Mapping[str, bytes], form: Form = "zip") -> Path:
    file = folder / f"archive-20190201000000-1f.{form}"
    if form == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as box:
            for name, data in inside.items():
                box.writestr(name, data)
        return file
    with tarfile.open(file, "w:gz" if form == "tar.gz" else "w") as tar:
        for name, data in inside.items():
            one = tarfile.TarInfo(name)
            one.size, one.mode = len(data), 0o444
            tar.addfile(one, io.BytesIO(data))
    return file
