"""How values look on every page: money, moments, states, text of suppliers. All of it escaped here.

Templates call these by name; nothing has to be imported there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from gateway.kit.spreadsheet import text_cell
from providers.kit import places
from schemas.money import Money, currency_digits

NOTHING = Markup('<span class="none">–</span>')
_LONGEST_TITLE = 300
_SHORT = 22  # what is never broken into lines
_FIRST_LETTER_OF_FLAGS = 0x1F1E6  # the letters of which two are a flag
_SAFE_GAPS = {ord(letter): " " for letter in "\t\n\r\x0b\x0c\x85\u2028\u2029"}
# States of everything there is, by how they are to be taken.
_LEVELS = {
    "good": "ok active fulfilled succeeded delivered closed enabled up_to_date selectable admin live done sent",
    "warn": (
        "partial pending cancel_pending sending accepted stale quarantined paused half_open waiting running warn "
        "degraded thin_margin suspect_price out_of_stock operator cooling test low"
    ),
    "bad": (
        "failed needs_review unknown charged_undeliverable stopped open expired revoked bad disabled no_balance "
        "supplier_paused overdue negative dead bounced"
    ),
}
_LEVEL = {word: level for level, states in _LEVELS.items() for word in states.split()}


def money(value: Money | None, *, currency: bool = True) -> Markup:
    """An amount with its currency (or without, where a column's head has it); a dash when it is not known."""
    if value is None:
        return Markup('<span class="none" title="not known">–</span>')
    amount = f"{value.padded().amount:,f}"
    below = " below" if value.amount < 0 else ""
    unit = Markup(' <small class="unit">{}</small>').format(value.currency) if currency else ""
    return Markup('<span class="money{}">{}{}</span>').format(below, amount, unit)


def number(value: Decimal | float | None, digits: int | None = None, unit: str = "") -> Markup:
    """A figure with separators between thousands; a dash for None."""
    if value is None:
        return NOTHING
    if digits is not None:
        figure = f"{value:,.{digits}f}"
    else:
        figure = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return Markup("{}{}").format(figure, Markup(' <small class="unit">{}</small>').format(unit) if unit else "")


def percent(share: Decimal | float | None, digits: int = 0, *, signed: bool = False) -> Markup:
    """A share (0.25) as a percentage."""
    if share is None:
        return NOTHING
    return Markup("{} %").format(f"{share * 100:{'+' if signed else ''},.{digits}f}")


def when(moment: datetime | None, never: str = "–") -> Markup:
    """How long ago, or how long until, with the exact time on hover."""
    if moment is None:
        return Markup('<span class="none">{}</span>').format(never)
    at = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), exact(at), ago(at, datetime.now(UTC))
    )


def exact(moment: datetime) -> str:
    """A moment in full."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """The time between in words: "3 min ago", "in 2 h", the date when it is long."""
    seconds = (now - moment).total_seconds()
    past, size = seconds >= 0, abs(seconds)
    for unit, length, most in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 48 * 3600), ("days", 86400, 45 * 86400)):
        if size < most:
            count = int(size // length)
            if unit == "s" and count < 5:  # noqa: PLR2004 - seconds that nobody counts
                return "just now"
            return f"{count} {unit} ago" if past else f"in {count} {unit}"
    return f"{moment:%Y-%m-%d}"


def took(ms: float | None) -> Markup:
    """A duration in milliseconds, in the unit that suits."""
    if ms is None:
        return NOTHING
    second, minute = 1000, 60_000
    if ms < second:
        return Markup('{} <small class="unit">ms</small>').format(f"{ms:,.0f}")
    if ms < 2 * minute:
        return Markup('{} <small class="unit">s</small>').format(f"{ms / second:,.1f}")
    return Markup('{} <small class="unit">min</small>').format(f"{ms / minute:,.0f}")


def badge(state: str | None, label: str | None = None, level: str | None = None) -> Markup:
    """A state as a small mark. ``label`` says it otherwise, ``level`` (good, warn, bad, idle) takes it otherwise."""
    if state is None:
        return NOTHING
    caption = (label or state.replace("_", " "))[:60]
    return Markup('<span class="badge {}">{}</span>').format(level or _LEVEL.get(state, "idle"), caption)


def text(value: Any, most: int = 120) -> Markup:
    """Text that others wrote: one line, at most so long, its direction kept to itself."""
    if value is None or value == "":
        return NOTHING
    line = clean(str(value))
    if len(line) <= min(_SHORT, most):
        return Markup('<bdi class="short">{}</bdi>').format(line)
    if len(line) <= most:
        return Markup("<bdi>{}</bdi>").format(line)
    return Markup('<bdi title="{}">{}…</bdi>').format(line[:_LONGEST_TITLE], line[: most - 1])


def clean(line: str) -> str:
    """The text on one line, without control characters and without marks that turn the direction of what follows."""
    kept = line[:20_000].translate(_SAFE_GAPS)
    return "".join(letter for letter in kept if letter.isprintable() or letter == "\u00a0")


def flag(code: str | None) -> Markup:
    """A country's flag, to stand before its name, for the eye only; nothing for a place that is not a country."""
    if code is None or not places.is_country(code):
        return Markup("")
    letters = "".join(chr(_FIRST_LETTER_OF_FLAGS + ord(letter) - ord("A")) for letter in code)
    # The style sheet draws it, so that tables are sorted by names, and a copied name is a name.
    return Markup('<span class="flag" data-flag="{}" aria-hidden="true"></span>').format(letters)


def with_flag(code: str) -> Markup:
    """A country's English name behind its flag."""
    return Markup("{}{}").format(flag(code), places.country_name(code))


def with_flags(codes: Sequence[str]) -> Markup:
    """The names of countries behind their flags."""
    return Markup(", ").join(with_flag(code) for code in sorted(codes, key=places.country_name))


def sparkline(values: Sequence[float | Decimal | None], label: str = "") -> Markup:
    """A line of some 20 values as a picture, for the eye only: ``label`` says it in words."""
    known = [(at, float(value)) for at, value in enumerate(values) if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return NOTHING
    low, high = min(value for _, value in known), max(value for _, value in known)
    width, height = 96.0, 20.0
    step = width / max(len(values) - 1, 1)
    scale = (height - 2) / (high - low) if high > low else 0
    points = " ".join(f"{at * step:.1f},{height - 1 - (value - low) * scale:.1f}" for at, value in known)
    return Markup(
        '<svg class="spark" viewBox="0 0 96 20" width="96" height="20" role="img" aria-label="{}">'
        '<polyline points="{}"/></svg>'
    ).format(label, points)


def bars(values: Sequence[tuple[str, float | Decimal]], label: str) -> Markup:
    """A bar for each value over its name, the last one marked as not over yet; ``label`` says it in words.

    It fills the width that it is given. A value below zero has no bar.
    """
    high = max((float(value) for _, value in values), default=0.0)
    drawn = []
    for at, (name, value) in enumerate(values):
        height = round(40 * float(value) / high, 1) if high > 0 and value > 0 else 0.0
        place = Markup('<rect class="{}" x="{}" y="{:.1f}" width="8" height="{:.1f}"><title>{}</title></rect>')
        drawn.append(place.format("last" if at == len(values) - 1 else "", at * 10 + 1, 40 - height, height, name))
    return Markup(
        '<svg class="bars" viewBox="0 0 {} 40" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(max(len(values), 1) * 10, label, Markup("").join(drawn))


def plain(value: Any) -> Any:
    """A value as a spreadsheet may read it: text that a spreadsheet would take for a formula is made text."""
    if isinstance(value, Money):
        return str(value.padded().amount)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if value is None or isinstance(value, (int, float, Decimal)):
        return "" if value is None else value
    return text_cell(clean(str(value)))


def digits_of(currency: str) -> int:
    """Digits after the point that a currency has."""
    return currency_digits(currency)
