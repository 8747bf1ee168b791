"""Documents as other servers send them, and what is hostile about documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as some

from activitypub.document import Document

FOLDER = Path(__file__).parent.parent / "vectors" / "documents"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))

XSS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt&#58;alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href=' data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='https://x.example' onclick='alert(1)' style='position:fixed'>x</a>",
    '"><script>alert(1)</script>',
    "'-alert(1)-'",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=https://evil.example><input name=password></form>",
    "<p style='background:url(javascript:alert(1))' class='modal open'>x</p>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<base href='https://evil.example'><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<<script>alert(1)//<</script>",
    "<a href='https://x.example/\"onmouseover=\"alert(1)'>x</a>",
)
SCHEMES = (
    *("javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x"),
    *("ftp://x.example/", "ftp://x.example:443/", "gopher://x.example:70/", "ws://x.example/", "//x.example/", "/x"),
    *("https://", "https:///x", "https://u@x.example/", "https://x.example\\@y.example/", "https://x%2eexample/"),
    *("https://x.example/\r\nSet-Cookie: a", "https://x.example/\x00", "https://x .example/", " https://x.example/"),
    *(
        "https://x.example:99999/",
        "https://[::1/",
        "https://x.example/\u202eexe",
        "mailto:a@x.example",
        "",
        "about:blank",
    ),
)

values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.sampled_from(XSS + SCHEMES),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=10,
)


def read(name: str) -> Document:
    return Document.parse((FOLDER / f"{name}.json").read_bytes())


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def hostile(*names: str) -> some.SearchStrategy[dict[str, Any]]:
    """Objects with the properties `names`, all right and all wrong in all combinations."""
    kinds = some.sampled_from(
        ["Note", "Question", "Article", "Person", "Group", "Create", "Mention", "Hashtag", "Link"]
    )
    uris = some.sampled_from(["https://a.example/1", "https://a.example/u", "https://b.example/2", *SCHEMES])
    leaves = kinds | uris | values
    tags = some.fixed_dictionaries({}, optional=dict.fromkeys(("id", "type", "href", "url", "name", "icon"), leaves))
    json = leaves | tags | some.lists(tags | leaves, max_size=3)
    right = {"id": some.just("https://a.example/1"), "attributedTo": some.just("https://a.example/u")}
    right |= {"inbox": some.just("https://a.example/inbox"), "type": kinds}
    return some.fixed_dictionaries({}, optional={name: right.get(name, json) | json for name in names})


def strings(value: Any) -> list[str]:
    """Every string at any depth of a value, a dataclass included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [found for one in value.values() for found in strings(one)]
    if isinstance(value, list | tuple):
        return [found for one in value for found in strings(one)]
    return [found for name in getattr(value, "__slots__", ()) for found in strings(getattr(value, name))]
