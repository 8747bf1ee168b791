from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.test_pages import CHROMIUM, Visit
from tests.web.inhabitants import Inhabitant
from tests.web.lively import Lively, lively


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lively]:
    found = await lively(tmp_path_factory.mktemp("house"))
    yield found
    await found.fediverse.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def window(browser: Browser, one: Inhabitant | None, house: Lively, **how: str) -> Visit:
    """A browser's window on the studio of somebody who is logged in, or of nobody in the attic."""
    context = await browser.new_context(reduced_motion="reduce", **how)  # type: ignore[arg-type]
    visit = Visit(await context.new_page(), one.studio if one else house.attic)
    visit.cookie = "; ".join(f"{name}={value}" for name, value in one.client.cookies.items()) if one else ""
    visit.page.on("console", lambda message: visit.complaints.append(message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    await context.route("**/*", visit.answer)
    return visit
