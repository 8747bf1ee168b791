"""What whoever is logged in says of themselves, with their pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import accounts, links, media, profiles
from coop.accounts import Account
from coop.errors import Trouble
from coop.media import Media, Stored
from coop.profiles import Changes
from federation import known
from federation.instance import Instance
from federation.store import Transaction
from web import inside, session
from web.languages import _, told
from web.pages.settings import PLACES
from web.session import text

UPLOAD = 12 * 1024 * 1024  # octets of the form, with both pictures
PATIENCE = 10.0  # seconds for the pages that are named to answer whether they lead back
LINES = ("name", "pronouns", "availability", "place")
PICTURES = ("avatar", "header")


async def get_profile(request: Request) -> Response:
    return await profile(request)


async def profile(request: Request, typed: Mapping[str, str] | None = None, trouble: str = "") -> Response:
    """The form, with what was `typed` in vain or with what is so."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        account, proven = visitor.account, links.verified(db, visitor.uri)
        pictures = {one: media.named(db, name) if (name := getattr(account, one)) else None for one in PICTURES}
        return {
            **inside.insider(db, visitor, here.home),
            "places": PLACES,
            "typed": typed or _said(db, account, pictures),
            "pictures": {one: media.url(here.home, row.name) if row else "" for one, row in pictures.items()},
            "links": [(one, one in proven) for one in account.links],
            "page": accounts.profile_url(here.home, account.handle),
            "limits": {**profiles.LINES, "bio": profiles.MAX_BIO, "alt": media.MAX_ALT},
            "trouble": trouble,
            "done": request.query_params.get("done", "") if not trouble else "",
        }

    return inside.page(request, "own-profile.html", await here.store.read(read), 422 if trouble else 200)


def _said(db: Session, account: Account, pictures: Mapping[str, Media | None]) -> dict[str, str]:
    """What stands in the fields as long as nobody has typed anything else."""
    return {
        **{name: getattr(account, name) for name in ("bio", *LINES[1:])},
        "name": known.actor(db, account.uri).name,
        "remote": "yes" if account.remote else "",
        "skills": ", ".join(account.skills),
        "links": "\n".join(account.links),
        **{f"{one}_alt": row.alt if row else "" for one, row in pictures.items()},
    }


async def save(request: Request) -> Response:
    """All of the form at once, pictures included: either everything is changed or nothing."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)  # only who lives here may send so much
    sent = await session.form_of(request, UPLOAD)
    fields = ("bio", *LINES, "remote", "skills", "links", *(f"{one}_alt" for one in PICTURES))
    typed = {name: text(sent, name).strip() for name in fields}
    try:
        stored = {one: await _stored(request, sent, one, typed[f"{one}_alt"]) for one in PICTURES}
        removed = {one for one in PICTURES if text(sent, f"{one}_away")}
        await here.store.write(lambda tx: _change(tx, visitor.account.id, typed, stored, removed))
    except Trouble as error:
        return await profile(request, typed, _("Nothing was changed: %(why)s.") % {"why": told(error)})
    finally:
        await sent.close()
    if typed["links"].split() != visitor.account.links:
        await _check(here, visitor.uri)
    return inside.go("/settings?done=profile")


async def _stored(request: Request, sent: FormData, name: str, alt: str) -> Stored | None:
    """A picture that was chosen, made anew; ``None`` without one."""
    file, folder = sent.get(name), request.scope["media"]
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    if folder is None:
        raise Trouble("this server has no place for pictures")
    return await asyncio.to_thread(media.store_upload, Path(folder), await file.read(), file.filename, alt)


def _change(
    tx: Transaction, number: int, typed: Mapping[str, str], stored: Mapping[str, Stored | None], removed: set[str]
) -> None:
    account = tx.db.get_one(Account, number)
    changed: dict[str, Any] = {name: typed[name] for name in ("bio", *LINES)}
    changed["remote"] = bool(typed["remote"])
    changed["skills"] = tuple(filter(None, (one.strip() for one in typed["skills"].split(","))))
    changed["links"] = tuple(typed["links"].split())
    for one in PICTURES:
        if (upload := stored[one]) is not None:
            changed[one] = media.keep(tx, account.uri, upload).name
        elif one in removed:
            changed[one] = ""
        elif name := getattr(account, one):
            media.describe(tx, account.uri, name, typed[f"{one}_alt"])
    profiles.edit(tx, account.uri, Changes(**changed))


async def check_links(request: Request) -> Response:
    """Ask the pages that they name whether they lead back here."""
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    await _check(here, visitor.uri)
    return inside.go("/settings?done=links")


async def _check(here: Instance, uri: str) -> None:
    """Those that do not answer soon are asked again when the server tidies up."""
    with suppress(TimeoutError):
        await asyncio.wait_for(links.verify(here, uri), PATIENCE)


routes = [
    Route("/settings", get_profile, methods=["GET"]),
    Route("/settings/profile", save, methods=["POST"]),
    Route("/settings/links", check_links, methods=["POST"]),
]
