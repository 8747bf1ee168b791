"""Bringing an archive from Mastodon along, as it is told on the command line."""

from __future__ import annotations

from boxroom import folder
from boxroom.archive import Archive
from boxroom.bringing import Bringing
from boxroom.cli.desk import Desk
from boxroom.cli.printing import print_document, say, whisper


async def bring(desk: Desk, box: Archive) -> None:
    """Bring all of it along that is not here, and tell what was done and what was not."""

    async def tell(number: int) -> None:
        whisper(f"{number:,} entries so far")

    bringing = Bringing(desk.here, desk.me, desk.folder / folder.MEDIA, box, tell)
    changed, tally = await bringing.bring(), bringing.tally
    if desk.as_json:
        done = {"brought": tally.brought, "here_already": tally.here_already, "left_out": tally.left_out}
        print_document({"list": "archive", **done, "profile": changed})
        return
    say(tally.in_words())
    if changed:
        desk.has_done(f"Your profile was empty there, and has from it: {', '.join(changed)}.")
    if not {"likes.json", "bookmarks.json"}.isdisjoint(box.places):
        whisper("Likes and bookmarks stay in the archive.")
