"""Keeping what a studio holds: whole, in secret, and while it works."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import tarfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from boxroom.sealed import Sealer
from tests.boxroom import disks
from tests.boxroom.house import PATIENCE, House
from tests.boxroom.test_sleep import was_awake

WORDS = "four words nobody guesses"


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(f"{WORDS}\n")
    return file


def saved(house: House, passphrase: Path) -> Path:
    file = house.folder.parent / "ada.backup"
    house.does("backup", str(file), "--passphrase-file", str(passphrase))
    return file


def test_a_backup_brings_everything_back(house: House, passphrase: Path, tmp_path: Path) -> None:
    said = house.does("post", "Before the flood")
    (house.folder / "media").mkdir()
    (house.folder / "media" / "a.webp").write_bytes(b"a picture")

    file = saved(house, passphrase)
    house.does("post", "After the backup")
    again = House(tmp_path / "again", house.url, house.handle)
    again.does("restore", str(file), "--passphrase-file", str(passphrase))

    assert [one["uri"] for one in again.shows("outbox")] == [said]
    assert again.shows("whoami") == house.shows("whoami")
    assert (again.folder / "media" / "a.webp").read_bytes() == b"a picture"
    assert again.does("doctor", "--offline")
    assert {stat.S_IMODE(path.stat().st_mode) for path in again.folder.rglob("*")} <= {0o600, 0o700}


def test_a_backup_can_be_made_while_the_server_runs(house: House, passphrase: Path) -> None:
    with house.open():
        said = house.does("post", "Good morning")
        file = saved(house, passphrase)

    again = House(house.folder.with_name("again"), house.url, house.handle)
    again.does("restore", str(file), "--passphrase-file", str(passphrase))
    assert [one["uri"] for one in again.shows("outbox")] == [said]


def test_a_restored_studio_asks_what_it_missed_since_the_backup(house: House, passphrase: Path) -> None:
    was_awake(house, timedelta(minutes=1))  # so lately that a server which only was restarted asks nobody
    file = saved(house, passphrase)
    again = House(house.folder.with_name("again"), house.url, house.handle)
    again.does("restore", str(file), "--passphrase-file", str(passphrase))

    with again.open():
        again.waits_for("status", until='"outboxes_left"')

    assert "server.woken" in again.log


@pytest.mark.proves("P-079", "P-336")
def test_a_backup_shows_nothing_to_who_has_no_passphrase(house: House, passphrase: Path) -> None:
    house.does("post", "A secret between friends", "--visibility", "followers")

    file = saved(house, passphrase)

    octets = file.read_bytes()
    for part in (b"PRIVATE KEY", b"SQLite", b"secret between", b"ustar", house.url.encode()):
        assert part not in octets
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in house.folder.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize("harm", ["cut", "flip", "lengthen", "reorder", "head", "salt", "other"])
def test_a_backup_that_is_not_as_it_was_brings_nothing_back(house: House, passphrase: Path, harm: str) -> None:
    file = saved(house, passphrase)
    octets = bytearray(file.read_bytes())
    head, piece = len(b"boxroom backup 1\n") + 16, 64 * 1024 + 16
    match harm:
        case "cut":
            del octets[head + 2 * piece :]  # between two pieces
        case "flip":
            octets[-100] ^= 1
        case "lengthen":
            octets += b"more"
        case "reorder":
            first, second = octets[head : head + piece], octets[head + piece : head + 2 * piece]
            octets[head : head + 2 * piece] = second + first
        case "head":
            octets[0] ^= 1
        case "salt":
            octets[head - 1] ^= 1
        case "other":
            passphrase.write_text("four words that are others")
    file.write_bytes(octets)
    again = House(house.folder.with_name("again"), house.url, house.handle)

    line = again.fails("restore", str(file), "--passphrase-file", str(passphrase))

    assert "backup" in line
    assert list(again.folder.iterdir()) == []


def test_what_is_wrong_with_a_backup_comes_with_what_to_do(house: House, passphrase: Path) -> None:
    whole = saved(house, passphrase).read_bytes()
    again, part = House(house.folder.with_name("again"), house.url), house.folder.with_name("ada.backup.part")

    def told(octets: bytes) -> str:
        part.write_bytes(octets)
        return again.fails("restore", str(part), "--passphrase-file", str(passphrase))

    for cut in (whole[:20], whole[:33], whole[: len(whole) // 2], whole[:-1]):
        assert "cut short; copy it again from where it is whole, or take the backup before it" in told(cut)
    assert "not a backup of Boxroom" in told(b"")
    passphrase.write_text("four words that are others")
    assert "try the passphrase again" in told(whole)


def test_a_backup_of_a_newer_boxroom_is_restored_by_that_one(house: House, passphrase: Path) -> None:
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '2099_01_01_hoverboards'")
    file = house.folder.with_name("ada.backup")
    result = house.runs("backup", str(file), "--passphrase-file", str(passphrase))
    again = House(house.folder.with_name("again"), house.url)

    line = again.fails("restore", str(file), "--passphrase-file", str(passphrase))

    assert "of a newer Boxroom (2099_01_01_hoverboards): install that one here" in line
    assert list(again.folder.iterdir()) == []
    assert result.exit_code == 0
    assert "The backup is whole, but `boxroom status` cannot know of it" in result.stderr


def test_a_damaged_database_does_not_take_the_place_of_a_good_backup(house: House, passphrase: Path) -> None:
    file = saved(house, passphrase)
    good = file.read_bytes()
    with (house.folder / "boxroom.db").open("r+b") as database:
        database.seek(8192)
        database.write(bytes(50_000))

    line = house.fails("backup", str(file), "--passphrase-file", str(passphrase))

    assert "keep the backups that you have" in line
    assert file.read_bytes() == good


def test_the_last_good_backup_is_remembered(house: House, passphrase: Path) -> None:
    assert "never saved" in house.does("status")
    assert house.shows("status")["condition"]["saved"] is None

    begun = datetime.now(UTC)
    saved(house, passphrase)
    house.fails("backup", str(house.folder / "no" / "folder"), "--passphrase-file", str(passphrase))

    when = datetime.fromisoformat(house.shows("status")["condition"]["saved"])
    assert timedelta(0) <= when - begun < timedelta(minutes=2)
    assert f"last saved: {when:%Y-%m-%d %H:%M} UTC" in house.does("status")


def test_a_folder_gets_a_backup_of_each_night_and_keeps_the_last(house: House, passphrase: Path) -> None:
    nights = house.folder.with_name("nights")
    nights.mkdir()
    stem = house.url.partition("://")[2].replace(":", "_")
    older = [nights / f"{stem}-2026-01-0{day}T030000.backup" for day in (1, 2, 3)]
    others = [nights / "notes.backup", nights / "b.example-2026-01-01T030000.backup", nights / f"{stem}-2026.backup"]
    for file in (*older, *others, older[2].with_name(f"{older[2].name}.part")):
        file.touch()

    told = house.does("backup", str(nights), "--passphrase-file", str(passphrase), "--keep", "2")

    new = Path(told.partition(": ")[0])
    assert set(nights.iterdir()) == {new, older[2], *others}
    again = House(house.folder.with_name("again"), house.url)
    again.does("restore", str(new), "--passphrase-file", str(passphrase))


def test_no_backup_goes_before_the_next_is_whole(house: House, passphrase: Path, tmp_path: Path) -> None:
    nights = tmp_path / "nights"
    nights.mkdir()
    old = nights / f"{house.url.partition('://')[2].replace(':', '_')}-2026-01-01T030000.backup"
    old.touch()
    passphrase.write_text("short")

    house.fails("backup", str(nights), "--passphrase-file", str(passphrase), "--keep", "1")

    assert list(nights.iterdir()) == [old]
    assert house.runs("backup", str(old), "--passphrase-file", str(passphrase), "--keep", "1").exit_code == 2


def test_a_backup_that_is_killed_leaves_the_one_before_and_the_next_clears_up(house: House, passphrase: Path) -> None:
    file = saved(house, passphrase)
    good = file.read_bytes()
    (house.folder / "media").mkdir()
    film = house.folder / "media" / "film"
    with film.open("wb") as out:
        out.truncate(2_000_000_000)  # without taking any room
    part = file.with_name("ada.backup.part")
    with house.starts("backup", str(file), "--passphrase-file", str(passphrase)) as process:
        end = time.monotonic() + PATIENCE
        while not (part.exists() and part.stat().st_size > len(good)):
            assert (process.poll(), time.monotonic() < end) == (None, True), house.log
        line = house.fails("backup", str(file), "--passphrase-file", str(passphrase))
        process.kill()
        process.wait()

    assert "is being saved or restored already" in line
    assert file.read_bytes() == good
    assert len(list(house.folder.glob(".backup-*"))) == 1
    film.unlink()
    saved(house, passphrase)
    assert (part.exists(), list(house.folder.glob(".backup-*"))) == (False, [])


def test_what_a_restoration_left_that_was_killed_is_cleared_away(house: House, passphrase: Path) -> None:
    file = saved(house, passphrase)
    again = House(house.folder.with_name("again"), house.url, house.handle)
    (again.folder / ".restore-x" / "media").mkdir(parents=True)

    again.does("restore", str(file), "--passphrase-file", str(passphrase))

    assert again.shows("whoami") == house.shows("whoami")
    assert list(again.folder.glob(".restore-*")) == []


@pytest.mark.skipif(not disks.can_be_mounted(), reason="nobody may mount anything here")
def test_a_backup_for_which_there_is_no_room_says_so(house: House, passphrase: Path, tmp_path: Path) -> None:
    file = tmp_path / "ada.backup"

    result = disks.runs_on("full", house, "backup", str(file), "--passphrase-file", str(passphrase), room=100)

    assert (result.returncode, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert "is there room for it" in line
    assert not list(tmp_path.glob("ada.backup*"))


def test_what_climbs_out_of_its_folder_is_not_brought_back(house: House, passphrase: Path, tmp_path: Path) -> None:
    file = tmp_path / "evil.backup"
    with file.open("wb") as out:
        sealer = Sealer(out, WORDS)
        with tarfile.open(fileobj=sealer, mode="w|") as archive:
            member = tarfile.TarInfo("../climbed.txt")
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
        sealer.seal()

    line = House(tmp_path / "deep" / "again", "").fails("restore", str(file), "--passphrase-file", str(passphrase))

    assert "cannot be read" in line
    assert not list(tmp_path.rglob("climbed.txt"))


def test_a_studio_is_never_restored_over_another(house: House, passphrase: Path) -> None:
    file = saved(house, passphrase)

    assert "not empty" in house.fails("restore", str(file), "--passphrase-file", str(passphrase))


def test_a_backup_needs_a_passphrase_worth_the_name(house: House, passphrase: Path, tmp_path: Path) -> None:
    passphrase.write_text("short")
    file = tmp_path / "x.backup"
    file.write_bytes(b"the last one")

    assert "12 characters" in house.fails("backup", str(file), "--passphrase-file", str(passphrase))
    assert file.read_bytes() == b"the last one"
    assert not file.with_name("x.backup.part").exists()


def test_a_database_elsewhere_is_saved_by_its_own_tools(house: House, passphrase: Path) -> None:
    settings = house.folder / "boxroom.toml"
    settings.write_text(settings.read_text() + 'database = "postgresql+psycopg://nobody@nowhere.invalid/x"\n')

    file = house.folder.with_name("ada.backup")
    assert "pg_dump" in house.fails("backup", str(file), "--passphrase-file", str(passphrase))
    assert not file.exists()


@pytest.mark.proves("P-079", "P-336")
def test_an_export_has_all_that_was_said_and_no_key(house: House, tmp_path: Path) -> None:
    house.does("profile", "--bio", "I draw")
    house.does("post", "Hello")
    house.does("offer", "create", "--title", "A logo", "--text", "Warm", "--amount", "9.50", "--currency", "EUR")
    file = tmp_path / "ada.json"

    house.does("export", str(file))

    text = file.read_text()
    exported = json.loads(text)
    assert exported["home"] == house.url
    assert [one["bio"] for one in exported["accounts"]] == ["I draw"]
    assert len(exported["posts"]) == len(exported["offers"]) == 1
    assert exported["endorsements"] == exported["follows"] == []
    assert "PRIVATE KEY" not in text
    assert "password" not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        for (private,) in database.execute("SELECT private FROM keys WHERE private IS NOT NULL"):
            assert private.splitlines()[1] not in text
