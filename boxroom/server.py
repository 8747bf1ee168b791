"""The running server: the web's requests, and the work of an instance, in one process and one loop."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvicorn
from sqlalchemy import select
from starlette.types import ASGIApp

import web.app
from boxroom import clock, importing, logs, migrations
from boxroom.assemble import assemble, database_url, settle_in
from boxroom.folder import MEDIA
from boxroom.settings import Settings, Wrong
from coop import links, remote_media
from coop.accounts import Account
from coop.media import sweep
from federation import engine
from federation.instance import Instance
from federation.store import Unavailable, database_file
from web.pages import exports

if TYPE_CHECKING:
    from boxroom.doctor import Finding

GRACE = 10  # seconds for requests that are under way when we are told to stop
SIGNALS = (signal.SIGINT, signal.SIGTERM)
CLOCK_CHECK = timedelta(minutes=10)
TIDYING = timedelta(hours=12)

log = structlog.get_logger()


async def run(data: Path, settings: Settings, listener: socket.socket) -> None:
    """Serve until a signal says to stop."""
    configure_logs(settings)
    url = database_url(data, settings)
    if migrated := migrations.ensure_current(url, lambda: False):
        log.info("database.migrated", before=migrated, now=migrations.known()[-1])
    here = assemble(data, settings)
    settle_in()
    _use_own_disk(data)
    try:
        await _serve(here, settings, listener, data / MEDIA, alone=database_file(url) is not None)
    finally:
        await here.client.close()
        here.store.close()


def _use_own_disk(data: Path) -> None:
    """What is being sent lies on the disk that it is for: others may be small, or memory."""
    for left in data.glob(f"{exports.PREFIX}*"):  # by a program that was killed
        shutil.rmtree(left, ignore_errors=True)
    tempfile.tempdir = str(data)


async def _serve(here: Instance, settings: Settings, listener: socket.socket, media: Path, *, alone: bool) -> None:
    host = here.home.partition("://")[2]
    examine = partial(asyncio.to_thread, _examine, media.parent)
    app = web.app.create({host: here}, trusted_proxies=settings.trusted_proxies, media={host: media}, examine=examine)
    server = Server(app, partial(_has_begun, here.home), app.hang_up)
    async with asyncio.TaskGroup() as tasks:
        helpers = [
            tasks.create_task(engine.run(here, alone=alone)),
            tasks.create_task(_now_and_then(CLOCK_CHECK, partial(_watch_clock, here))),
            tasks.create_task(_now_and_then(TIDYING, partial(_tidy, here, media))),
            tasks.create_task(importing.run(here, media.parent)),
        ]
        await server.serve([listener])
        for helper in helpers:
            helper.cancel()
    log.info("server.stopped", home=here.home)


def _has_begun(home: str, address: str) -> None:
    print(f"{home} is served at {address} (Ctrl-C stops it)", flush=True)
    log.info("server.started", home=home, at=address)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Have that address. Raise `Wrong` if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise Wrong(f"nobody can listen at {host}:{port} ({(error.strerror or str(error)).lower()})") from error
    with listener:
        yield listener


def _configuration(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `web.limits` knows whom to believe
        timeout_graceful_shutdown=GRACE,
    )


class Server(uvicorn.Server):
    """One that says where it is, and ends by returning, so that everything is put away: the original kills itself."""

    def __init__(self, app: ASGIApp, begins: Callable[[str], None], ends: Callable[[], None] = lambda: None) -> None:
        super().__init__(_configuration(app))
        self.begins = begins
        self.ends = ends
        self.is_told_to_stop = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port, *_ = (sockets or [])[0].getsockname()
        self.begins(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.ends()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        on_signal(self._stop)
        yield

    def _stop(self) -> None:
        self.is_told_to_stop = True
        self.handle_exit(signal.SIGTERM, None)


async def _now_and_then(every: timedelta, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await work()
        except Unavailable as error:
            log.warning("chore.waits", reason=str(error))
        except Exception:  # a bug in what is done now and then must not end the server
            log.exception("chore.failed")


async def _watch_clock(here: Instance) -> None:
    """Tell the operator when our clock is wrong: some servers refuse what is signed five minutes off (P-056)."""
    if said := clock.complaint(here.client.clock_error):
        log.warning("clock.wrong", what=said)


async def _tidy(here: Instance, media: Path) -> None:
    """Throw away files that nobody needs, and see whether the pages that people here name still name them."""
    thrown = await sweep(here, media) + await remote_media.sweep(here, media)
    for uri in await here.store.read(lambda db: list(db.scalars(select(Account.uri)))):
        await links.verify(here, uri)
    log.info("server.tidied", files_removed=thrown)


def _examine(data: Path) -> list[Finding]:
    """What the doctor finds, who looks in a thread of its own: a large database takes a while to look at."""
    from boxroom import doctor

    return asyncio.run(doctor.examine(data, offline=False))


def on_signal(stop: Callable[[], object]) -> None:
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)


def configure_logs(settings: Settings) -> None:
    """Raise `Wrong` for a level that there is not."""
    if settings.log_level not in logs.LEVELS:
        raise Wrong(f"log_level is one of {', '.join(logs.LEVELS)}, not {settings.log_level!r}")
    logs.configure(settings.log_level)
