"""The server as a process: it starts, answers, refuses a second one, and stops when told."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from boxroom import folder
from boxroom.server import _now_and_then
from tests.boxroom.house import HEAVY, TELLING, House, found, free_port
from web.pages import exports


def gets(url: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own
        return answer.status, answer.read()


def test_a_server_answers_until_it_is_told_to_stop(house: House) -> None:
    with house.open() as server:
        status, body = gets(f"{house.url}/.well-known/webfinger?resource=acct:{house.address}")
        assert (status, house.address.encode() in body) == (200, True)
        assert folder.is_served(house.folder)
        assert "running" in house.does("status")

        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0

    assert not folder.is_served(house.folder)
    assert "server.stopped" in house.log
    assert {file.name for file in house.folder.iterdir()} == {"boxroom.db", "boxroom.toml", folder.LOCK}


def test_what_a_server_that_was_killed_was_writing_is_thrown_away(house: House) -> None:
    left = house.folder / f"{exports.PREFIX}x"
    left.mkdir()
    (left / "boxroom.json").write_text("{}")

    with house.open():
        assert not left.exists()


def test_control_c_stops_it_just_as_well(house: House) -> None:
    with house.open() as server:
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert "Traceback" not in house.log


def test_one_folder_is_served_once(house: House) -> None:
    with house.open() as first, house.starts("serve", "--port", "0") as second:
        assert second.wait(60) == 1
        assert first.poll() is None
        assert f"is being served already by process {first.pid}" in house.log
        assert gets(f"{house.url}/.well-known/nodeinfo")[0] == 200


def test_a_server_that_was_killed_leaves_no_lock_behind(house: House) -> None:
    with house.open() as server:
        server.kill()
        server.wait(30)
        assert not folder.is_served(house.folder)
    with house.open():
        assert folder.is_served(house.folder)


def test_a_port_that_is_taken_is_named(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with house.starts("serve", "--port", port) as server:
            assert server.wait(60) == 1
    assert f"nobody can listen at 127.0.0.1:{port}" in house.log
    assert "Traceback" not in house.log


def test_what_is_published_while_the_server_is_down_is_sent_when_it_starts(tmp_path: Path) -> None:
    ada, bo = found(tmp_path / "ada"), found(tmp_path / "bo", "bo")
    with ada.open(), bo.open():
        bo.does("follow", ada.address)
        bo.waits_for("following", until="accepted")

    result = ada.runs("post", "Written in the dark", "--json")

    assert '"at the next start"' in result.stdout
    assert "The server is not running" in ada.runs("post", "Another").stderr
    [way] = ada.shows("status")["condition"]["lanes"]
    assert (way["host"], way["waiting"]) == (bo.url.partition("://")[2], 2)
    with bo.open(), ada.open():
        bo.waits_for("feed", until="Written in the dark")
        assert ada.runs("post", "By daylight", "--json").stdout.count('"now"') == 1


def test_a_server_imports_nothing_heavy_that_it_does_not_need(house: House) -> None:
    command = [sys.executable, "-c", TELLING + f"main(['serve', '--port', '{free_port()}'])"]
    pipe = subprocess.PIPE
    surroundings = {**os.environ, **house.environment}
    with subprocess.Popen(command, env=surroundings, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        assert "is served at" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        told = server.stdout.read()

    assert "uvicorn" in told.split()
    assert not HEAVY & set(told.split())


def test_several_processes_share_the_work_through_postgresql(empty_postgresql: str, tmp_path: Path) -> None:
    ada, bo = found(tmp_path / "ada", database=empty_postgresql), found(tmp_path / "bo", "bo")
    with ada.open(), ada.starts("worker") as worker, bo.open():
        assert worker.stdout is not None
        assert worker.stdout.readline() == f"Working for {ada.url}\n"
        bo.does("follow", ada.address)
        bo.waits_for("following", until="accepted")
        said = ada.does("post", "From one of several")
        bo.waits_for("feed", until=said)

        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert "Traceback" not in ada.log
    assert "somebody lives in this database already" in House(tmp_path / "x", "", database=empty_postgresql).fails(
        "init", "--url", ada.url, "--handle", "bo"
    )


def test_a_worker_says_that_it_needs_postgresql(house: House) -> None:
    assert "serve` does all the work itself" in house.fails("worker")


def test_a_server_knows_itself_by_its_own_address_alone(house: House) -> None:
    with house.open():
        elsewhere = f"{house.url}/.well-known/nodeinfo"
        request = urllib.request.Request(elsewhere, headers={"host": "other.example"})  # noqa: S310 - our own
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)  # noqa: S310 - our own
    assert refused.value.code == 421
    refused.value.close()


async def test_what_is_done_now_and_then_is_done_again_after_it_failed() -> None:
    tried: list[int] = []

    async def work() -> None:
        tried.append(len(tried))
        if len(tried) < 3:
            raise AssertionError
        raise asyncio.CancelledError

    with suppress(asyncio.CancelledError):
        await _now_and_then(timedelta(0), work)

    assert tried == [0, 1, 2]
