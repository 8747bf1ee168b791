"""A real Boxroom to measure, with one address more: ``POST /publish`` sends a post to all followers.

python -m benchmarks.studio PORT FOLDER
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import select

import web.app
from boxroom.assemble import assemble, settle_in
from boxroom.settings import Settings
from coop import accounts, posts
from coop.accounts import Account
from coop.posts import Draft
from federation import engine
from federation.instance import Instance
from federation.tables import Row


class Studio:
    """The app, its workers, and the way to publish."""

    def __init__(self, here: Instance, port: int) -> None:
        self.here = here
        self.app = web.app.create({f"localhost:{port}": here})

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["path"] == "/publish":
            await self.publish(send)
        else:
            await self.app(scope, receive, send)

    async def lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        self.workers = asyncio.create_task(engine.run(self.here))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.workers.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def publish(self, send: Any) -> None:
        author = await self.here.store.read(lambda db: accounts.first(db).uri)
        draft = Draft("Hello to all of you.")
        uri = await self.here.store.write(lambda tx: posts.publish(tx, author, draft).uri)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"{uri}/activity".encode()})


async def set_up(here: Instance) -> None:
    """Tables, keys and one account, unless they are there."""
    Row.metadata.create_all(here.store.engine)
    if await here.store.read(lambda db: db.scalar(select(Account.id))) is None:
        pair = accounts.new_keys()
        await here.store.write(lambda tx: accounts.create_instance_actor(tx, pair))
        await here.store.write(lambda tx: accounts.create(tx, "studio", "Studio", "studio", pair).id)
    uri = await here.store.read(lambda db: accounts.first(db).uri)
    print(uri, flush=True)


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    here = assemble(folder, Settings(url=f"http://localhost:{port}", allow_private_network=True))
    asyncio.run(set_up(here))
    app = Studio(here, port)
    settle_in()
    uvicorn.run(
        app, host="127.0.0.1", port=port, log_level="warning", access_log=False, http="httptools", proxy_headers=False
    )


if __name__ == "__main__":
    main()
