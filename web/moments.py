"""Moments and sums as whoever reads them writes them; Babel is loaded when a page first has one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from activitypub.proposal import Price
from web.languages import N_, _, locale

RATES = {"day": N_("%(sum)s per day"), "hour": N_("%(sum)s per hour")}


@pass_context
def when(context: Context, moment: datetime | None, role: str = "") -> Markup:
    """A moment, relative while it is fresh, absolute on demand; `role` is what it is to programs: ``dt-published``."""
    return _time(moment, ago(context["now"], moment), role) if moment else Markup("")


def exactly(moment: datetime | None, role: str = "") -> Markup:
    """A moment in full."""
    return _time(moment, _whole(moment), role) if moment else Markup("")


def on(moment: datetime, role: str = "") -> Markup:
    """The day alone."""
    return _time(moment, day(moment), role)


def _time(moment: datetime, words: str, role: str) -> Markup:
    stamp, marked = f"{moment:%Y-%m-%dT%H:%M:%SZ}", Markup(' class="{}"').format(role) if role else ""
    return Markup('<time{} datetime="{}" title="{}">{}</time>').format(marked, stamp, _whole(moment), words)


def _whole(moment: datetime) -> str:
    from babel.dates import format_time

    return _("%(day)s, %(time)s UTC") % {"day": day(moment), "time": format_time(moment, "short", locale=locale())}


def ago(now: datetime, moment: datetime) -> str:
    from babel.dates import format_timedelta

    passed = now - moment
    if not timedelta(0) <= passed < timedelta(days=7):
        return day(moment)
    if passed < timedelta(minutes=1):
        return _("just now")
    if timedelta(days=1) <= passed < timedelta(days=2):
        return _("yesterday")
    unit = timedelta(minutes=1) if passed < timedelta(hours=1) else timedelta(hours=1 if passed.days < 1 else 24)
    return format_timedelta(-(passed // unit * unit), format="short", threshold=1, add_direction=True, locale=locale())


def span(time: timedelta) -> str:
    """How long something takes, in its largest unit."""
    from babel.dates import format_timedelta

    return format_timedelta(time, threshold=1, locale=locale())


def day(moment: datetime) -> str:
    from babel.dates import format_date

    return format_date(moment, "long", locale=locale())


def price(asked: Price) -> str:
    """What work costs, as `Price` itself says it to other servers."""
    words = _sum(asked)
    return _(RATES[asked.per]) % {"sum": words} if asked.per in RATES else words


def _sum(asked: Price) -> str:
    least, most = (one if one is None else money(one, asked.currency) for one in (asked.least, asked.most))
    if least and most:
        return least if asked.exact else _("%(least)s to %(most)s") % {"least": least, "most": most}
    if least:
        return _("from %(sum)s") % {"sum": least}
    return (
        _("up to %(sum)s") % {"sum": most} if most else _("negotiable, in %(currency)s") % {"currency": asked.currency}
    )


def money(amount: Decimal, currency: str) -> str:
    """A sum with all of its decimals, and without any if there is nothing in them."""
    from babel import Locale
    from babel.numbers import parse_pattern

    where = Locale.parse(locale())
    pattern = parse_pattern(where.currency_formats["standard"].pattern)
    is_whole = amount == amount.to_integral_value()
    if is_whole:
        pattern.frac_prec = (0, 0)
    written: str = pattern.apply(
        amount, where, currency=currency, currency_digits=not is_whole, decimal_quantization=False
    )
    return written
