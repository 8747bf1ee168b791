"""The least that such a server must do, as a program: the measure that Boxroom is held against in the same run.

It verifies, stores durably and applies what comes in, and delivers posts from a durable queue. It has no retries, no
people, no pages and no origin rules, and it writes SQL by hand: what it reaches is a ceiling, not a goal.

    python -m benchmarks.reference PORT FOLDER

``POST /publish`` sends a post to all followers.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import uvicorn

from activitypub import digest, keys, signatures
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.message import Request
from benchmarks.wire import timestamp

SCHEMA = """
CREATE TABLE inbox(id INTEGER PRIMARY KEY, uri TEXT UNIQUE, actor TEXT, kind TEXT, body BLOB);
CREATE TABLE note(uri TEXT PRIMARY KEY, actor TEXT, reply_to TEXT, content TEXT, published TEXT);
CREATE TABLE reaction(object TEXT, kind TEXT, actor TEXT, PRIMARY KEY(object, kind, actor));
CREATE TABLE follower(actor TEXT PRIMARY KEY, inbox TEXT);
CREATE TABLE message(id INTEGER PRIMARY KEY, body BLOB);
CREATE TABLE delivery(id INTEGER PRIMARY KEY, message INTEGER, inbox TEXT);
"""
AT_ONCE = 128

Work = Callable[[sqlite3.Connection], Any]


class Writer(threading.Thread):
    """The only connection that writes; what waits together is committed together."""

    def __init__(self, file: Path, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(daemon=True)
        self.loop = loop
        self.db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self.db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {SCHEMA}")
        self.jobs: queue.SimpleQueue[tuple[Work, asyncio.Future[Any]]] = queue.SimpleQueue()
        self.start()

    def write(self, work: Work) -> asyncio.Future[Any]:
        done = self.loop.create_future()
        self.jobs.put((work, done))
        return done

    def run(self) -> None:
        while True:
            batch = [self.jobs.get()]
            while len(batch) < 500 and not self.jobs.empty():
                batch.append(self.jobs.get())
            self.db.execute("BEGIN IMMEDIATE")
            results = [(done, work(self.db)) for work, done in batch]
            self.db.execute("COMMIT")
            self.loop.call_soon_threadsafe(self.answer, results)

    @staticmethod
    def answer(results: list[tuple[asyncio.Future[Any], Any]]) -> None:
        for done, value in results:
            done.set_result(value)


@dataclass
class Server:
    home: str
    folder: Path
    answers: set[asyncio.Task[None]] = field(default_factory=set)  # to those who follow, on their way
    known: dict[str, tuple[keys.PublicKey, str]] = field(default_factory=dict)  # by actor: its key and inbox

    async def start(self) -> None:
        self.writer = Writer(self.folder / "reference.db", asyncio.get_running_loop())
        self.key = keys.new_rsa()
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        self.signers = ThreadPoolExecutor(2)

    @property
    def me(self) -> str:
        return f"{self.home}/actor"

    def document(self) -> bytes:
        key = {"id": f"{self.me}#main-key", "owner": self.me, "publicKeyPem": keys.write_pem(self.key.public_key())}
        who = {"id": self.me, "type": "Person", "preferredUsername": "reference", "inbox": f"{self.home}/inbox"}
        return msgspec.json.encode({"@context": "https://www.w3.org/ns/activitystreams", **who, "publicKey": key})

    # --- In ---

    async def take(self, request: Request) -> int:
        """The status for an inbox POST."""
        try:
            activity = msgspec.json.decode(request.body)
            signature = signatures.read(request, datetime.now(UTC))
            actor = activity["actor"]
            if signature.key_id.partition("#")[0] != actor:
                return 401
            if actor not in self.known:
                self.known[actor] = await self.fetch(actor, signature.key_id)
            signature.verify(self.known[actor][0])
        except ProtocolError as error:
            return error.status
        inbox = self.known[actor][1]
        await self.writer.write(lambda db: apply(db, activity, request.body, inbox))
        if activity["type"] == "Follow":
            await self.say_yes(activity, inbox)
        return 202

    async def say_yes(self, follow: dict[str, Any], inbox: str) -> None:
        name = f"{self.home}/accepts/{follow['id']}"
        body = msgspec.json.encode({"id": name, "type": "Accept", "actor": self.me, "object": follow})

        def enqueue(db: sqlite3.Connection) -> int | None:
            message = db.execute("INSERT INTO message(body) VALUES (?)", (body,)).lastrowid
            return db.execute("INSERT INTO delivery(message, inbox) VALUES (?, ?)", (message, inbox)).lastrowid

        number = await self.writer.write(enqueue)
        self.answers.add(task := asyncio.create_task(self.deliver(number, inbox, body, digest.of(body))))
        task.add_done_callback(self.answers.discard)

    async def fetch(self, actor: str, key_id: str) -> tuple[keys.PublicKey, str]:
        async with self.http.get(actor) as response:
            document = Document.parse(await response.read())
        return keys.find(document, key_id).public, document.require("inbox")

    # --- Out ---

    async def publish(self) -> str:
        name = f"{self.home}/notes/{timestamp()}-{id(object())}"
        note = {"id": name, "type": "Note", "attributedTo": self.me, "content": "<p>Hello to all of you.</p>"}
        body = msgspec.json.encode({"id": f"{name}/activity", "type": "Create", "actor": self.me, "object": note})

        def enqueue(db: sqlite3.Connection) -> list[tuple[int, str]]:
            message = db.execute("INSERT INTO message(body) VALUES (?)", (body,)).lastrowid
            db.execute("INSERT INTO delivery(message, inbox) SELECT ?, inbox FROM follower", (message,))
            return db.execute("SELECT id, inbox FROM delivery WHERE message = ?", (message,)).fetchall()

        waiting = await self.writer.write(enqueue)
        self.task = asyncio.create_task(self.deliver_all(body, waiting))
        return f"{name}/activity"

    async def deliver_all(self, body: bytes, waiting: list[tuple[int, str]]) -> None:
        summed, slots = digest.of(body), asyncio.Semaphore(AT_ONCE)

        async def one(number: int, inbox: str) -> None:
            async with slots:
                await self.deliver(number, inbox, body, summed)

        await asyncio.gather(*(one(*delivery) for delivery in waiting))

    async def deliver(self, number: int, inbox: str, body: bytes, summed: str) -> None:
        url = urlsplit(inbox)
        headers = {"content-type": "application/activity+json"}
        request = Request("POST", f"{url.scheme}://{url.netloc}", url.path, headers, body)
        now, key_id = datetime.now(UTC), f"{self.me}#main-key"
        sign = partial(signatures.sign, "cavage", request, key_id, self.key, now, summed)
        headers |= await asyncio.get_running_loop().run_in_executor(self.signers, sign)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.post(inbox, data=body, headers=headers) as response:
                await response.read()
            await self.writer.write(lambda db: db.execute("DELETE FROM delivery WHERE id = ?", (number,)).rowcount)

    # --- HTTP ---

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
            return
        status, answer = 200, b""
        if scope["method"] == "GET":
            answer = self.document()
        elif scope["path"] == "/publish":
            answer = (await self.publish()).encode()
        else:
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
            status = await self.take(Request("POST", self.home, scope["path"], headers, body))
        kind = [(b"content-type", b"application/activity+json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": answer})

    async def lifespan(self, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.http.close()
        await send({"type": "lifespan.shutdown.complete"})


def apply(db: sqlite3.Connection, activity: dict[str, Any], body: bytes, inbox: str) -> None:
    """Store an activity and its effect, in the writer's transaction."""
    uri, actor, kind, about = activity["id"], activity["actor"], activity["type"], activity["object"]
    row = (uri, actor, kind, body)
    if not db.execute("INSERT OR IGNORE INTO inbox(uri, actor, kind, body) VALUES (?, ?, ?, ?)", row).rowcount:
        return
    if kind in ("Create", "Update"):
        note = (about["id"], actor, about.get("inReplyTo"), about["content"], about["published"])
        db.execute("INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, ?)", note)
    elif kind == "Follow":
        db.execute("INSERT OR REPLACE INTO follower VALUES (?, ?)", (actor, inbox))
    elif kind == "Delete":
        db.execute("DELETE FROM note WHERE uri = ? AND actor = ?", (about["id"], actor))
    else:
        db.execute("INSERT OR IGNORE INTO reaction VALUES (?, ?, ?)", (about, kind, actor))


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    server = Server(f"http://localhost:{port}", folder)
    uvicorn.run(server, host="127.0.0.1", port=port, log_level="warning", access_log=False, proxy_headers=False)
