"""Coming in and going out: logging in with a password, being somebody else of this house, logging out."""

from __future__ import annotations

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import logins
from coop.accounts import Account
from federation.instance import Instance
from federation.store import Transaction
from web import inside, session
from web.attempts import Attempts
from web.session import Browser

NO_MATCH = "That name and that password do not go together here. Nothing was changed; try again."
TOO_OFTEN = "That was tried too often. Wait {}, or log in on a device where you were logged in before."


async def get_login(request: Request) -> Response:
    """The form; who is logged in already may come in as one more of those who live here."""
    visitor = await session.visitor_of(request)
    way = session.way_back(request.query_params.get("next", ""))
    return inside.page(request, "login.html", {"next": way, "name": "", "trouble": "", "within": visitor is not None})


async def log_in(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    name, way = session.text(sent, "name").strip(), session.way_back(session.text(sent, "next"))
    handle = name.lower().removeprefix("@").partition("@")[0]
    before = session.browser_of(request)
    found = select(Account).where(Account.handle == handle, ~Account.suspended)
    account = await here.store.read(lambda db: db.scalar(found))
    trouble = await _check(request, account, handle, before, session.text(sent, "password"))
    if account is None or trouble:
        within = await session.visitor_of(request) is not None
        values = {"next": way, "name": name, "trouble": trouble or NO_MATCH, "within": within}
        return inside.page(request, "login.html", values, 422)
    return await come_in(request, account.id, way)


async def come_in(request: Request, account: int, way: str) -> Response:
    """Log an account in, with a secret that nobody can have known before."""
    here: Instance = request.scope["instance"]
    before, browser = session.browser_of(request), Browser.new()
    name = request.headers.get("user-agent", "")

    def enter(tx: Transaction) -> None:
        logins.renew(tx, before.key, browser.key)
        logins.enter(tx, browser.key, account, name)

    await here.store.write(enter)
    return session.hand_out(request, inside.go(way), browser)


async def _check(request: Request, account: Account | None, handle: str, browser: Browser, password: str) -> str:
    """What is wrong, in words; empty if they may come in."""
    here: Instance = request.scope["instance"]
    attempts: Attempts = request.scope["attempts"]
    number = account.id if account else 0
    been_here = await here.store.read(lambda db: logins.is_known(db, browser.key, number))
    wait = attempts.wait(request.scope.get("came_from"), handle, browser.key if been_here else None)
    if wait:
        return TOO_OFTEN.format(f"{int(wait) + 1} seconds" if wait < 60 else f"{int(wait // 60) + 1} minutes")
    return "" if await attempts.matches(account.password if account else None, password) else NO_MATCH


async def switch(request: Request) -> Response:
    """Be another one of those who are logged in in this browser."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    number = _number(session.text(sent, "account"))
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
    Route("/switch", switch, methods=["POST"]),
    Route("/logout", log_out, methods=["POST"]),
]
