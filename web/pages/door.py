"""Coming in and going out: logging in with a password, being somebody else of this house, logging out."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import logins, spare_codes
from coop.accounts import Account
from coop.errors import Trouble
from federation.instance import Instance
from federation.store import Transaction
from web import inside, session
from web.attempts import SHORTEST, Attempts
from web.languages import N_, _, sentence
from web.moments import span
from web.session import Browser, text

NO_MATCH = N_("That name and that password do not go together here. Nothing was changed; try again.")
NO_CODE = N_("That name and that spare code do not go together here. Nothing was changed; try again.")


async def get_login(request: Request) -> Response:
    """The form; who is logged in already may come in as one more of those who live here."""
    visitor = await session.visitor_of(request)
    way = session.way_back(request.query_params.get("next", ""))
    return await _form(request, visitor is not None, way)


async def _form(
    request: Request, within: bool, way: str, name: str = "", trouble: str = "", code: bool = False
) -> Response:
    here: Instance = request.scope["instance"]
    values = {"next": way, "name": name, "trouble": trouble, "within": within, "with_code": code, "shortest": SHORTEST}
    values["is_open"] = await here.store.read(logins.is_open)
    return inside.page(request, "login.html", values, 422 if trouble else 200)


async def log_in(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    name, way = text(sent, "name").strip(), session.way_back(text(sent, "next"))
    account = await _account(here, name)
    attempts: Attempts = request.scope["attempts"]
    trouble = await _must_wait(request, account, name)
    if not trouble and not await attempts.matches(account.password if account else None, text(sent, "password")):
        trouble = _(NO_MATCH)
    if account is None or trouble:
        return await _form(request, await session.visitor_of(request) is not None, way, name, trouble or _(NO_MATCH))
    return await come_in(request, account.id, inside.go(way))


async def log_in_by_code(request: Request) -> Response:
    """With one of the codes for that, which sets a new password, too."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    name, code = text(sent, "name").strip(), text(sent, "code")
    account = await _account(here, name)
    attempts: Attempts = request.scope["attempts"]
    trouble = await _must_wait(request, account, None)
    if account and not trouble:
        is_one = partial(spare_codes.is_one, account=account.id, code=code)
        trouble = "" if await here.store.read(is_one) else _(NO_CODE)
    try:
        hashed = "" if trouble else await attempts.hash_of(text(sent, "new"))
    except Trouble as error:
        trouble = sentence(error)
    if account and not trouble:
        use = partial(_use, account=account, code=code, hashed=hashed)
        trouble = "" if await here.store.write(use) else _(NO_CODE)
    if account is None or trouble:
        return await _form(
            request, await session.visitor_of(request) is not None, "/today", name, trouble or _(NO_CODE), True
        )
    return await come_in(request, account.id, inside.go("/settings/logins?done=password"))


def _use(tx: Transaction, account: Account, code: str, hashed: str) -> bool:
    if not spare_codes.use(tx, account.id, code):
        return False
    logins.change_password(tx, account.uri, hashed)
    return True


async def come_in(request: Request, account: int, answer: Response) -> Response:
    """Log an account in, with a secret that nobody can have known before, which `answer` hands out."""
    here: Instance = request.scope["instance"]
    before, browser = session.browser_of(request), Browser.new()
    name = request.headers.get("user-agent", "")

    def enter(tx: Transaction) -> None:
        logins.renew(tx, before.key, browser.key)
        logins.enter(tx, browser.key, account, name)

    await here.store.write(enter)
    return session.hand_out(request, answer, browser)


async def _account(here: Instance, name: str) -> Account | None:
    found = select(Account).where(Account.handle == _handle(name), ~Account.suspended)
    return await here.store.read(lambda db: db.scalar(found))


def _handle(name: str) -> str:
    """Of a handle, or of a whole address."""
    return name.lower().removeprefix("@").partition("@")[0]


async def _must_wait(request: Request, account: Account | None, name: str | None) -> str:
    """Count an attempt to come in, by guessing if a `name` is given; say for how long there may be none, or nothing."""
    here: Instance = request.scope["instance"]
    attempts: Attempts = request.scope["attempts"]
    browser, number = session.browser_of(request), account.id if account else 0
    been_here = await here.store.read(lambda db: logins.is_known(db, browser.key, number))
    handle = _handle(name) if name is not None else None
    wait = attempts.wait(request.scope.get("came_from"), handle, browser.key if been_here else None)
    if not wait:
        return ""
    return _too_often(timedelta(seconds=int(wait) + 1) if wait < 60 else timedelta(minutes=int(wait // 60) + 1))


def _too_often(wait: timedelta) -> str:
    words = _("That was tried too often. Wait for %(time)s, or log in on a device where you were logged in before.")
    return words % {"time": span(wait)}


async def switch(request: Request) -> Response:
    """Be another one of those who are logged in in this browser."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    number = _number(text(sent, "account"))
    await here.store.write(lambda tx: logins.act_as(tx, visitor.browser, number))
    return inside.go("/today")


async def log_out(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    await here.store.write(lambda tx: logins.leave(tx, visitor.browser, visitor.account.id))
    return inside.go("/today" if visitor.others else "/")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise HTTPException(400, "that is nobody who lives here")
    return int(text)


routes = [
    Route("/login", get_login, methods=["GET"]),
    Route("/login", log_in, methods=["POST"]),
    Route("/login/code", log_in_by_code, methods=["POST"]),
    Route("/switch", switch, methods=["POST"]),
    Route("/logout", log_out, methods=["POST"]),
]
