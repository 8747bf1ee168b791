"""A folder with the backups of many nights: what they are called, and which of them go."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from boxroom.settings import Settings


def named(place: Path, settings: Settings, now: datetime) -> Path:
    """The file in the folder `place` for a backup that is made now."""
    return place / f"{_stem(settings)}{now:%Y-%m-%dT%H%M%S}.backup"


def keep_only(place: Path, settings: Settings, number: int) -> None:
    """Take away all but the last `number` of the backups that `named` named, and what was cut short of others."""
    ours = re.compile(rf"{re.escape(_stem(settings))}\d{{4}}-\d\d-\d\dT\d{{6}}\.backup(\.part)?")
    found = sorted(one for one in place.iterdir() if ours.fullmatch(one.name))
    whole = [one for one in found if one.suffix != ".part"]
    for one in {*found} - {*whole[-number:]}:
        one.unlink()


def _stem(settings: Settings) -> str:
    return settings.url.partition("://")[2].replace(":", "_") + "-"
