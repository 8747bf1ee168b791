"""Whether somebody wants a document or a page, and how to say what varies with it (P-030 to P-032)."""

from __future__ import annotations

import re
from functools import lru_cache

ACTIVITY_JSON = "application/activity+json"
_DOCUMENTS = frozenset({ACTIVITY_JSON, "application/ld+json"})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_ANYTHING = {"*/*": _DOCUMENTS | _PAGES, "text/*": _PAGES, "application/*": _DOCUMENTS}
_PARTS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)

MAX_ACCEPT = 1_000  # characters that are looked at


@lru_cache(maxsize=1024)
def wants_document(accept: str, otherwise: bool = False) -> bool:
    """Whether ``Accept`` asks for ActivityStreams rather than a page; `otherwise` if it does not tell.

    Of equal quality wins what is named first; a wildcard names nothing.
    """
    named: dict[str, tuple[float, int]] = {}
    for place, part in enumerate(_PARTS.findall(accept[:MAX_ACCEPT])):
        kind = part.partition(";")[0].strip().lower()
        found = _QUALITY.search(part.partition('"')[0] + part.rpartition('"')[2])
        quality = float(found[1]) if found else 1.0
        for group, kinds in (("document", _DOCUMENTS), ("page", _PAGES)):
            if kind in kinds and quality > named.get(group, (0.0, 0))[0]:
                named[group] = (quality, -place)
            elif kind in _ANYTHING and kinds & _ANYTHING[kind]:
                named[f"any {group}"] = max(named.get(f"any {group}", (0.0, 0)), (quality, -MAX_ACCEPT))
    document = named.get("document") or named.get("any document", (0.0, 0))
    page = named.get("page") or named.get("any page", (0.0, 0))
    return otherwise if document == page else document > page
