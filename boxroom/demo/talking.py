"""They talk: a picture, a warning, an answer, a boost, a like, a letter, a change of words, and words taken back."""

from __future__ import annotations

from typing import Any

from boxroom.demo import picture
from boxroom.demo.facts import kept, shown
from boxroom.demo.sights import is_erased, is_followed, is_told, never_heard, reads
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from coop import follows, media, posts, reactions
from coop.posts import Draft
from federation.store import Transaction


async def says(story: Story, who: Studio, how: str, text: str, *draft: Any, **more: Any) -> str:
    """Let somebody say something; return its URI."""
    sentence = f"{how}: “{text.replace('*', '')}”"
    return await story.act(who, sentence, lambda tx: posts.publish(tx, who.me, Draft(text, *draft, **more)).uri)


async def talk(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    slip, mended = "Good mornign from the attic.", "Good morning from the attic."
    uri = await says(story, ada, "Ada says", slip)
    await story.see(*(kept(one, f"{one} reads Ada's first words", reads(one, uri, slip)) for one in (bo, gus, pia)))

    await story.act(ada, "Ada finds a slip of the pen, and mends it", lambda tx: posts.edit(tx, ada.me, uri, mended))
    await story.see(
        *(kept(one, f"{one} reads the mended words", reads(one, uri, mended)) for one in (bo, gus, pia)),
        shown(ada, "A stranger who opens Ada's words reads them mended, too", uri, mended, to=bo),
    )

    warning = "Strong opinions about commas"
    hug = await says(
        story, gus, f"Gus says, behind the warning “{warning}”", "The last comma is a *hug*.", "public", warning
    )
    await story.see(kept(pia, "Pia reads the warning, and then the opinion", reads(pia, hug, "is a hug", warning)))

    answer = await says(story, pia, "Pia answers", "Where can I get a mug with that?", reply_to=hug)
    await story.see(
        kept(gus, "Gus reads Pia's answer", reads(gus, answer, "a mug with that")),
        kept(gus, "Gus was told that Pia answered", is_told("reply", pia)),
    )


async def pass_on(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    name = await bo.uploads(picture.sign(), "otter-ferry.png", picture.SHOWS)

    def publish(tx: Transaction) -> str:
        draft = Draft("Fresh paint, do not lean.", attachments=media.attach(tx, bo.me, [name]))
        return posts.publish(tx, bo.me, draft).uri

    sign = await story.act(bo, "Bo shows a picture of a sign, with words for those who do not see it", publish)
    has_it = "has Bo's picture, and what it shows in words"
    await story.see(
        *(kept(one, f"{one} {has_it}", reads(one, sign, "Fresh paint", picture.SHOWS)) for one in (ada, pia)),
        shown(bo, "The picture itself can be opened by anybody", media.url(bo.here.home, name), to=ada),
    )
    await story.see(kept(gus, "Gus, who does not follow Bo, has heard nothing of it", never_heard(sign)))

    await story.act(ada, "Ada boosts it", lambda tx: reactions.boost(tx, ada.me, sign).uri)
    await story.see(
        kept(bo, "Bo was told that Ada boosted the picture", is_told("boost", ada)),
        kept(gus, "Gus has Bo's picture, because Ada boosted it", reads(gus, sign, "Fresh paint", boosted_by=ada)),
    )

    await story.act(gus, "Gus likes it", lambda tx: reactions.like(tx, gus.me, sign).uri)
    await story.act(gus, "and follows Bo from now on", lambda tx: follows.follow(tx, gus.me, bo.me).state)
    await story.see(
        kept(bo, "Bo was told that Gus likes the picture", is_told("like", gus)),
        kept(bo, "Bo's studio knows that Gus follows Bo", is_followed(bo, gus)),
        kept(gus, "Gus was let in by Bo", is_told("follow accepted", bo)),
    )


async def think_better_of_it(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    rash = await says(story, gus, "Gus says, late at night", "All fonts are the same font.")
    await story.see(
        *(kept(one, f"{one} reads what Gus said at night", reads(one, rash, "the same font")) for one in (ada, bo, pia))
    )

    await story.act(gus, "Gus sleeps on it, and takes it back", lambda tx: posts.delete(tx, gus.me, rash))
    await story.see(
        *(kept(one, f"{one}'s studio has forgotten Gus's words", is_erased(rash)) for one in (ada, bo, pia)),
        shown(gus, "At the address of Gus's words there is only a note that they are gone", rash, to=ada, status=410),
    )

    boat = "I have a client with a boat. Are you in?"
    letter = await says(story, pia, "Pia writes for Ada's eyes only", f"{ada.address} {boat}", "direct")
    await story.see(
        kept(ada, "Ada reads Pia's letter", reads(ada, letter, boat)),
        shown(pia, "Ada, asking by name, is given the letter at its address", letter, boat, to=ada, signed=True),
        shown(pia, "Bo, asking by name, is told that there is no letter", letter, to=bo, status=404, signed=True),
    )
    unheard = "studio has never heard of the letter"
    await story.see(*(kept(one, f"{one}'s {unheard}", never_heard(letter)) for one in (bo, gus)))
