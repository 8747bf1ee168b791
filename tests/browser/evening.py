"""The first evening, with hands on the keyboard: from the link that the program prints to one's own desk."""

from __future__ import annotations

from tests.browser.hands import Keyboard
from tests.browser.test_inside import PASSWORD


def founds(one: Keyboard, name: str, handle: str, way: str = "passkey") -> None:
    """At the address that only this machine sees, with a passkey or a password."""
    one.is_at("Whose studio is this?")
    one.types("Name", name)
    one.types("Short name", handle)
    one.leads_away("Enter")
    one.is_at("The address, for ever")
    one.goes_to("An address of my own")
    one.page.keyboard.press("ArrowDown")
    one.leads_away("Enter")
    one.presses("This is my address")
    one.is_at("How you come in")
    one.goes_to("With a passkey")
    if way == "password":
        one.page.keyboard.press("ArrowDown")
        one.types("10 characters or more", PASSWORD)
    one.leads_away("Enter")
    one.is_at("Your sheet")
    one.chooses("I have it on paper")
    one.presses("Found the studio")
    one.is_at("The studio stands")
    one.presses("Come in")


def makes_a_key(one: Keyboard) -> None:
    """With the device that the browser has."""
    one.is_at("Make your key")
    one.types("What this device is to be called", "The phone")
    one.leads_away("Enter")


def settles_in(one: Keyboard, skill: str, offer: str, knows: str = "") -> None:
    one.is_at(f"Welcome, {one.page.locator('.who-am-i > summary > span').last.inner_text()}")
    one.types("Skill 1", skill)
    one.types("When you have time", "From March")
    one.leads_away("Enter")
    one.is_at("Whom do you know?")
    if knows:
        one.types("Their address", f"@{knows}")
        one.leads_away("Enter")
    else:
        one.presses("Later")
    one.is_at("Your first offer")
    one.types("In a few words", offer)
    one.types("What it is about", "From a sketch to the printed sheet.")
    one.presses("Put it on the board")
    one.is_at("Today")
