"""One studio of the demo: a folder, a server that is a process of its own, and somebody who does things there."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from boxroom import founding, settings
from boxroom.assemble import assemble
from boxroom.demo.cast import Person
from boxroom.folder import MEDIA
from boxroom.founding import Founding
from boxroom.settings import Settings, Wrong
from coop import accounts, media
from federation import discovery
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Actor
from web.attempts import hash_of

T = TypeVar("T")

STARTING = 60  # seconds, on a machine that has much else to do
STOPPING = 20
PASSWORD = "come in and look around"  # noqa: S105 - of studios that are on this machine alone


@dataclass(slots=True, eq=False)
class Studio:
    """Whoever lives there acts as the command line does: on the database, which the running server watches."""

    person: Person
    folder: Path
    here: Instance
    me: str  # the URI of the person
    _server: asyncio.subprocess.Process | None = field(default=None)

    @classmethod
    async def found(cls, folder: Path, person: Person) -> Studio:
        """Set up a studio in `folder`, which is new. Its server does not run yet."""
        url = f"http://localhost:{_free_port()}"
        await founding.found(folder, Founding(url, person.handle, person.name, person.kind, hash_of(PASSWORD)))
        chosen = Settings(url=url, allow_private_network=True)  # so that `boxroom --data` works there, too
        settings.write(folder, chosen)
        here = assemble(folder, chosen)
        me = await here.store.read(lambda db: accounts.first(db).uri)
        return cls(person, folder, here, me)

    def __str__(self) -> str:
        return self.person.first

    @property
    def host(self) -> str:
        return self.here.home.partition("://")[2]

    @property
    def address(self) -> str:
        return f"@{self.person.handle}@{self.host}"

    @property
    def page(self) -> str:
        """What visitors are shown of the person."""
        return f"{self.here.home}/@{self.person.handle}"

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    async def wakes(self) -> None:
        """Start the server. Raise `Wrong`, with the end of its log, if it does not come up."""
        port = self.host.rpartition(":")[2]
        command = ("-m", "boxroom", "serve", "--data", str(self.folder), "--host", "127.0.0.1", "--port", port)
        with self.log.open("ab") as log:
            self._server = await asyncio.create_subprocess_exec(
                sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._server.stdout is not None  # noqa: S101 - it is a pipe
        said = b""
        with suppress(TimeoutError):
            said = await asyncio.wait_for(self._server.stdout.readline(), STARTING)
        if not said:
            raise Wrong(f"{self}'s server did not start; it said: {self.log.read_text()[-500:] or 'nothing'}")

    async def falls_asleep(self) -> None:
        """Stop the server, and wait until it has ended."""
        server, self._server = self._server, None
        if server is None or server.returncode is not None:
            return
        server.terminate()
        try:
            await asyncio.wait_for(server.wait(), STOPPING)
        except TimeoutError:
            server.kill()
            await server.wait()

    async def closes(self) -> None:
        """Let go of everything; what it said stays in its folder."""
        await self.falls_asleep()
        await self.here.client.close()
        self.here.store.close()

    async def vanishes(self) -> None:
        """Be gone for ever, with everything that was kept."""
        await self.closes()
        shutil.rmtree(self.folder)

    async def does(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction, after whatever it lacks was fetched."""
        return await discovery.completing(self.here, work)

    async def reads(self, query: Callable[[Session], T]) -> T:
        return await self.here.store.read(query)

    async def finds(self, other: Studio) -> None:
        """Look somebody up by their address, as one does who was given a card."""
        found = await discovery.lookup(self.here, other.address)
        assert isinstance(found, Actor)  # noqa: S101 - an address is somebody's

    async def meets(self, uri: str) -> None:
        """Look up what there is at an address of the web."""
        await discovery.fetch(self.here, uri)

    async def uploads(self, picture: bytes, name: str, alt: str) -> str:
        """Store a picture; return the name under which it can be attached."""
        stored = await asyncio.to_thread(media.store_upload, self.folder / MEDIA, picture, name, alt)
        return await self.does(lambda tx: media.keep(tx, self.me, stored).name)

    async def asks_for(self, url: str, *, signed: bool = False, accept: str = "text/html") -> tuple[int, str]:
        """The status and the body that another studio gives for `url`: to a stranger, or to the person by name."""
        signer = await self.here.signer(self.me) if signed else None
        answer = await self.here.client.get(url, signer, accept)
        return answer.status, answer.body.decode("utf-8", "replace")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
