"""What holds for every answer: no page runs or loads what is not ours, and nobody else's page frames one of ours."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Message, Send

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_OVER_TLS = {"strict-transport-security": "max-age=63072000"}

Pairs = Sequence[tuple[bytes, bytes]]


def headers(home: str) -> Pairs:
    """The headers of safety of a studio at `home`."""
    named = _ALWAYS | (_OVER_TLS if home.startswith("https://") else {})
    return [(name.encode(), value.encode()) for name, value in named.items()]


def adding(pairs: Pairs, send: Send) -> Send:
    """`send`, with those of `pairs` that an answer does not have."""

    async def safely(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name for name, _ in message["headers"]}
            added = [pair for pair in pairs if pair[0] not in given]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return safely
