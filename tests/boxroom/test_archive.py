"""Archives are read where they lie, whatever they hold: damaged, swollen, or made to do harm."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import tarfile
import zipfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from boxroom import archive, archived
from boxroom.archive import MAX_ENTRY, MAX_READ
from coop.errors import Trouble
from tests.boxroom.mastodon import SKY, Form, actor, boost, files, packed, post

FORMS: list[Form] = ["zip", "tar.gz", "tar"]
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=5) | some.dictionaries(some.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
HEAD = b'{"type":"OrderedCollection","orderedItems":['


def listed(file: Path, name: str = "outbox.json") -> list[bytes]:
    box = archive.opened(file)
    assert box is not None
    with closing(box):
        return [*archive.entries(box, name)]


def everything(file: Path) -> None:
    """Whatever an import reads of it."""
    box = archive.opened(file)
    if box is None:
        return
    with closing(box):
        who = archived.owner(box)
        archived.profile(who)
        for entry in archive.entries(box, archived.POSTS):
            archived.read(entry, who)
        for name in box.places:
            archive.whole(box, name, MAX_READ)


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_hold_the_same(tmp_path: Path, form: Form) -> None:
    inside = files([post(1), boost(2)])
    box = archive.opened(packed(tmp_path, inside, form))
    assert box is not None
    with closing(box):
        assert {name: archive.whole(box, name, MAX_READ) for name in inside} == inside
        assert [json.loads(one)["type"] for one in archive.entries(box, "outbox.json")] == ["Create", "Announce"]


@pytest.mark.parametrize(
    "name",
    [
        f"/home/mastodon/live/public/system/{SKY}",
        f"bucket/{SKY}",
        f"../../../{SKY}",
        f"./{SKY}",
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_found_whatever_stands_before_and_written_nowhere(tmp_path: Path, form: Form, name: str) -> None:
    file = packed(tmp_path, {name: b"sky"}, form)
    before = sorted(tmp_path.parent.rglob("*"))
    box = archive.opened(file)
    assert box is not None

    with closing(box):
        assert archive.whole(box, archive.called(f"/{SKY}"), 10) == b"sky"

    assert sorted(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_no_files(tmp_path: Path, kind: bytes) -> None:
    file = tmp_path / "archive.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        one = tarfile.TarInfo("actor.json")
        one.type, one.linkname = kind, "/etc/passwd"
        tar.addfile(one)
    box = archive.opened(file)
    assert box is not None

    with closing(box):
        assert box.places == {}


def test_a_link_in_a_zip_is_the_text_that_it_is(tmp_path: Path) -> None:
    file = tmp_path / "archive.zip"
    with zipfile.ZipFile(file, "w") as box:
        one = zipfile.ZipInfo("actor.json")
        one.external_attr = 0o120777 << 16
        box.writestr(one, "/etc/passwd")
    found = archive.opened(file)
    assert found is not None

    with closing(found):
        assert archive.whole(found, "actor.json", 100) == b"/etc/passwd"


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_swells_is_not_unpacked(tmp_path: Path, form: Form) -> None:
    """Zeros shrink a thousandfold."""
    inside = {"outbox.json": b" " * 40_000_000, "actor.json": json.dumps(actor()).encode()}
    file = packed(tmp_path, inside, form)

    with pytest.raises(Trouble, match="claims a size" if form != "tar" else "no list of posts"):
        everything(file)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_no_mastodon_packs_like_that_is_not_unpacked(tmp_path: Path, method: int) -> None:
    """Of these ways to pack, a few octets may become hundreds of megabytes before anybody can stop it."""
    file = tmp_path / "archive.zip"
    with zipfile.ZipFile(file, "w", method) as box:
        box.writestr("outbox.json", b" " * 1_000)
        box.writestr("actor.json", b"{}", zipfile.ZIP_DEFLATED)
    found = archive.opened(file)
    assert found is not None

    with closing(found):
        assert [*found.places] == ["actor.json"]


def test_a_file_of_less_than_nothing_leads_nowhere(tmp_path: Path) -> None:
    """A negative size would lead back to where it was read, again and again."""
    file = tmp_path / "archive.tar.gz"
    head = bytearray(tarfile.TarInfo("actor.json").tobuf(tarfile.GNU_FORMAT))
    head[124:136] = b"\xff" * 10 + b"\xfe\x00"  # -512, in base 256
    head[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(head))[0]  # type: ignore[attr-defined]
    with gzip.open(file, "wb") as out:
        out.write(bytes(head) + bytes(1024))

    with pytest.raises(Trouble):
        archive.opened(file)


def test_a_name_that_swells_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "archive.tar.gz"
    head = tarfile.TarInfo("././@LongLink")
    head.type, head.size = tarfile.GNUTYPE_LONGNAME, MAX_READ + 1
    with gzip.open(file, "wb") as out:
        out.write(head.tobuf(tarfile.GNU_FORMAT) + bytes(MAX_READ + 1024))

    with pytest.raises(Trouble, match="claims a size"):
        archive.opened(file)


def test_files_with_endless_names_and_endless_files_are_not_remembered(tmp_path: Path) -> None:
    file = packed(tmp_path, {"n" * 1_000: b"", "a.png": b"", "b.png": b""}, "tar.gz")
    box = archive.opened(file, most=2)
    assert box is not None
    with closing(box):
        assert [*box.places] == ["a.png", "b.png"]

    with pytest.raises(Trouble, match="more than 1 files"):
        archive.opened(file, most=1)


def test_a_table_of_contents_that_swells_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "archive.zip"
    size = MAX_READ + 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 4, 0)
    with file.open("wb") as out:
        out.write(b"PK\3\4")
        out.seek(4 + size)
        out.write(end)

    with pytest.raises(Trouble, match="claims a size"):
        archive.opened(file)


def test_a_locked_archive_is_refused(tmp_path: Path) -> None:
    file = packed(tmp_path, files([post(1)]))
    octets = bytearray(file.read_bytes())
    place = octets.find(b"PK\1\2")
    while place >= 0:
        octets[place + 8] |= 1
        place = octets.find(b"PK\1\2", place + 4)
    file.write_bytes(octets)

    with pytest.raises(Trouble, match="damaged"):
        everything(file)


@pytest.mark.parametrize("form", FORMS)
def test_half_a_download_is_told_as_such(tmp_path: Path, form: Form) -> None:
    file = packed(tmp_path, files([post(number % 28 + 1, os.urandom(200).hex()) for number in range(100)]), form)
    os.truncate(file, file.stat().st_size // 2)

    with pytest.raises(Trouble, match="not all of it was downloaded"):
        everything(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[]", "no list of posts"),
        (b"", "no list of posts"),
        (HEAD, "cannot be read"),
        (HEAD + b'{"a":1}', "ends before its end"),
        (HEAD + b'{"a":1} {"b":2}]}', "ends before its end"),
        (HEAD + b"[" * 100_000, "cannot be read"),
        (HEAD + b'"' + b"a" * (3 * MAX_ENTRY) + b'"]}', "cannot be read"),
        (HEAD + b"1" * 10_000 + b"]}", "cannot be read"),
        (HEAD + b"\xff]}", "damaged"),
        (b'{"orderedItems":{}}', "ends before its end"),
    ],
)
def test_a_list_that_is_none_is_refused_in_words(tmp_path: Path, text: bytes, said: str) -> None:
    with pytest.raises(Trouble, match=said):
        listed(packed(tmp_path, {"outbox.json": text}, "tar"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HEAD + b"]}", []),
        (b'{"type":"OrderedCollection"}', []),
        (b"\xef\xbb\xbf" + HEAD + b" 1 , [2] ]}", [b"1", b"[2]"]),
        (
            b'{"@context":[{"orderedItems":[5]}], "n" : 1e3,\n"orderedItems":[{"a":"\xc3\xa4]"}]}',
            [b'{"a":"\xc3\xa4]"}'],
        ),
    ],
)
def test_a_list_is_read_one_by_one(tmp_path: Path, text: bytes, found: list[bytes]) -> None:
    assert listed(packed(tmp_path, {"outbox.json": text})) == found


def test_a_list_larger_than_what_is_read_at_once_is_read_whole(tmp_path: Path) -> None:
    items = [{"number": number, "text": "ä" * 70_000} for number in range(60)]
    file = packed(tmp_path, {"outbox.json": json.dumps({"orderedItems": items}, ensure_ascii=False).encode()}, "tar")

    assert [json.loads(one) for one in listed(file)] == items


@given(some.lists(JSON, max_size=6))
def test_any_entry_is_a_post_or_left_out(items: list[object]) -> None:
    who = archived.owner(Held({"actor.json": json.dumps(actor()).encode(), "outbox.json": b"{}"}))
    for one in items:
        archived.read(json.dumps(one).encode(), who)
        archived.read(json.dumps({**post(1), "object": one}).encode(), who)
        archived.read(json.dumps(post(1, attachment=one, tag=one, to=one, contentMap=one)).encode(), who)


@given(some.dictionaries(some.sampled_from(["name", "summary", "attachment", "icon", "id", "followers"]), JSON))
def test_any_owner_is_read_or_refused(said: dict[str, object]) -> None:
    box = Held({"actor.json": json.dumps(actor(**said)).encode(), "outbox.json": b"{}"})
    try:
        who = archived.owner(box)
    except Trouble:
        return
    archived.profile(who)
    archived.picture(box, who, "icon")


class Held:
    """An archive in memory."""

    def __init__(self, inside: dict[str, bytes]) -> None:
        self.inside, self.places = inside, dict.fromkeys(inside, 0)

    def octets(self, name: str) -> io.BytesIO:
        return io.BytesIO(self.inside[name])

    def close(self) -> None: ...


@given(some.data(), some.sampled_from(FORMS))
def test_any_damage_is_told_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: some.DataObject, form: Form
) -> None:
    file = packed(tmp_path_factory.mktemp("any"), files([post(1)]), form)
    octets = bytearray(file.read_bytes())
    for place in data.draw(some.lists(some.integers(0, len(octets) - 1), min_size=1, max_size=8)):
        octets[place] = data.draw(some.integers(0, 255))
    file.write_bytes(octets)

    with suppress(Trouble):
        everything(file)


@given(
    some.binary(max_size=600), some.sampled_from([b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"", b"a" * 257 + b"ustar"])
)
def test_any_file_is_an_archive_or_none(tmp_path_factory: pytest.TempPathFactory, octets: bytes, start: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "archive"
    file.write_bytes(start + octets)

    with suppress(Trouble):
        everything(file)
