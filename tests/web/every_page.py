"""All pages that there are, as the routes of the application tell: whoever adds one says here what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from starlette.routing import Route

import web.app
from tests.web.lively import Lively

# By the route of a page that shows nothing by its bare path: what to ask for, with names of `Lively.has`.
NEEDS: dict[str, tuple[str, ...]] = {
    "/who": ("/who?is={friend}", "/who?is={me}", "/who?is={stranger}", "/who?is={blocked}"),
    "/who/knows": tuple(f"/who/knows?is={{friend}}&show={name}" for name in ("ways", "following", "followers")),
    "/who/invite": ("/who/invite?whom={friend}",),
    "/vouching/one": ("/vouching/one?is={pending}", "/vouching/one?is={given}"),
    "/vouching/give": ("/vouching/give?whom={friend}", "/vouching/give?request={asked}"),
    "/vouching/ask": ("/vouching/ask?whom={friend}",),
    "/agreement": ("/agreement?is={agreement}",),
    "/invitation": ("/invitation?is={invitation_to_me}",),
    "/project": tuple(f"/project?is={{project}}&show={name}" for name in ("talk", "people", "settings")),
    "/promise": ("/promise?is={promise}", "/promise?is={proposed}"),
    "/promises/new": ("/promises/new?project={project}",),
    "/report": ("/report?about={stranger}",),
    "/conversations/with": ("/conversations/with?who={circle}",),
    "/change": ("/change?of={post}",),
    "/read": ("/read?of={post}", "/read?of={message}", "/read?of={room}", "/read?of={answer}", "/read?of={book}"),
    "/offer": ("/offer?is={offer}", "/offer?is={taken}", "/offer?is={theirs}"),
    "/endorsements/{hash}": ("/endorsements/{seal}", "/endorsements/{broken}"),
    "/invitations/{token}": ("/invitations/{letter}",),
    "/authorize": (),  # for who is not logged in; others are led on
    "/welcome": (),  # the first evening alone
    "/welcome/key": (),
    "/@{handle}": ("/@attic", "/@nobody"),
    "/tags/{name}": ("/tags/maps", "/tags/nothing"),
}
# What a page shows otherwise, by its route.
AS_WELL: dict[str, tuple[str, ...]] = {
    "/today": ("/today?show=offers", "/today?show=studios"),
    "/board": ("/board?show=mine", "/board?kind=request", "/board?words=nothing+of+the+kind"),
    "/board/new": ("/board/new?kind=request",),
    "/people": ("/people?show=followers", "/people?show=requests"),
    "/settings": ("/settings?done=profile",),
    "/settings/logins": ("/settings/logins?done=password",),
    "/search": ("/search?q=net", "/search?q=nothing+of+the+kind", "/search?q=Sails&in=skills"),
    "/notifications": ("/notifications?show=people", "/notifications?show=work"),
    "/moderation/reports": ("/moderation/reports?show=done",),
    "/conversations/new": ("/conversations/new?to={friend}",),
}
NO_PAGES = {  # files, parts of pages, and ways to pages
    "/agreement/file",
    "/attached",
    "/complete",
    "/endorsements/{hash}.json",
    "/hue.css",
    "/live",
    "/moderation/servers.csv",
    "/promises/file",
    "/seen/face/{of}",
    "/seen/post/{of}/{place:int}",
    "/settings/data/everything.json",
    "/settings/data/{list:str}.csv",
    "/skills/{name}",
    "/vouching/copy",
    "/way",
}
SAID = ("post", "picture", "offer", "taken", "project", "given")  # what has an address of its own here
TO_SEE = ("/nothing-here",)


def routes() -> list[str]:
    """The paths of all pages."""
    places = web.app.places()
    found = [one for place in places for one in place.routes if isinstance(one, Route) and "GET" in (one.methods or ())]
    return [one.path for one in found if one.path not in NO_PAGES]


def every_page(one: Lively) -> Iterator[str]:
    """Where to look in the attic."""
    named = {name: quote(value, safe="") for name, value in one.has.items()}
    for path in dict.fromkeys(routes()):
        for address in (*NEEDS.get(path, (path,)), *AS_WELL.get(path, ())):
            yield address.format_map(named)
    yield from (one.has[name].removeprefix(one.attic.home) for name in SAID)
    yield from TO_SEE


def bare_pages() -> list[str]:
    """Where to look in a studio where nothing happened yet."""
    return [path for path in dict.fromkeys(routes()) if path not in NEEDS and "{" not in path]
