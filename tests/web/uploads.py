"""Pictures and files that a studio uploads and attaches."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

import web.app
from activitypub.audience import Visibility
from coop import media, posts
from coop.posts import Draft
from federation.store import Transaction
from tests.fediverse import Studio


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (8, 4), "red").save(written, "PNG")
    return written.getvalue()


async def uploads(studio: Studio, folder: Path, data: bytes, filename: str) -> str:
    """The name under which an upload is kept; the studio's application serves `folder` from now on."""
    studio.app = web.app.create({studio.host: studio.instance}, media={studio.host: folder})
    stored = media.store_upload(folder, data, filename, "Something red")
    return await studio.does(lambda tx: media.keep(tx, studio.uri, stored).name)


async def attaches(studio: Studio, name: str, text: str, visibility: Visibility = "public", warning: str = "") -> str:
    """The URI of a post with an upload."""

    def publish(tx: Transaction) -> str:
        attached = media.attach(tx, studio.uri, [name])
        return posts.publish(tx, studio.uri, Draft(text, visibility, warning, attachments=attached)).uri

    return await studio.does(publish)
