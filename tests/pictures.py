"""Makes the pictures for the README and docs: the demo's studios, as those see them who live there and who come by.

``python -m tests.pictures [WORD]``, or ``make pictures``; with a word, only those that have it in their name. Each page
is there by day and by night, on a desk and on a phone, in `FOLDER`.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.async_api import Browser, BrowserContext, async_playwright
from sqlalchemy import select

from boxroom import logs
from boxroom.demo import stage
from boxroom.demo.play import CHAPTERS
from boxroom.demo.stage import Stage
from boxroom.demo.story import Story
from boxroom.demo.studio import PASSWORD, Studio
from boxroom.demo.telling import Teller
from coop.endorsements import Endorsement
from coop.offers import Offer
from tests.browser.test_pages import CHROMIUM, NIGHTS, SIZES

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
TOLD = 11  # chapters, until everything is there that is to be seen
PATIENCE = 60  # seconds
LARGEST = 200_000  # octets of one picture
QUALITIES = (88, 80, 70, 60, 45)


async def main(word: str) -> None:
    logs.configure("error")
    with tempfile.TemporaryDirectory(prefix="boxroom-pictures-") as folder:
        async with stage.opened(Path(folder)) as place, async_playwright() as playwright:
            await Story(place, Teller(), PATIENCE).play(CHAPTERS[:TOLD])
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            pages = {name: path for name, path in (await pages_of(place)).items() if word in name}
            for size in SIZES:
                for night in NIGHTS:
                    await look(browser, place.ada, pages, size, night)
            await browser.close()


async def pages_of(place: Stage) -> dict[str, str]:
    """What there is to be seen at Ada's, by the name of its picture."""
    ada = place.ada
    hash_ = await ada.reads(lambda db: db.scalar(select(Endorsement.hash).where(Endorsement.display == "accepted")))
    offer = await ada.reads(lambda db: db.scalar(select(Offer.uri).order_by(Offer.id.desc())))
    return {
        "profile": f"/@{ada.person.handle}",
        "seal": f"/endorsements/{hash_}",
        "today": "/today",
        "board": "/board",
        "offered": f"/offer?is={quote(offer or '', safe='')}",
        "people": "/people",
        "person": f"/who?is={quote(place.bo.me, safe='')}",
        "projects": "/projects",
        "vouching": "/vouching",
        "promises": "/promises",
        "letters": "/conversations",
        "settings": "/settings",
        "engine": "/engine",
    }


async def look(browser: Browser, studio: Studio, pages: dict[str, str], size: str, night: str) -> None:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if night == "dark" else "light",
        device_scale_factor=2 if size == "phone" else 1,
        reduced_motion="reduce",
    )
    await log_in(context, studio)
    page = await context.new_page()
    for name, path in pages.items():
        answer = await page.goto(f"{studio.here.home}{path}")
        if answer is not None and answer.ok:
            file = FOLDER / f"{name}-{size}-{night}.webp"
            file.write_bytes(small(await page.screenshot()))
            print(file.name, f"{file.stat().st_size / 1000:.0f} KB")
        else:
            print(name, "is not there")
    await context.close()


async def log_in(context: BrowserContext, studio: Studio) -> None:
    page = await context.new_page()
    await page.goto(f"{studio.here.home}/login")
    await page.get_by_label("Name").first.fill(studio.person.handle)
    await page.get_by_label("Password").first.fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).click()
    await page.wait_for_url("**/today")
    await page.close()


def small(png: bytes) -> bytes:
    """The picture as WebP, as good as it may be within `LARGEST`."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in QUALITIES:
        written = io.BytesIO()
        image.save(written, "WEBP", quality=quality, method=6)
        if written.tell() <= LARGEST:
            break
    return written.getvalue()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
