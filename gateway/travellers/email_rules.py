"""E-mails to travellers, written: the delivery, a warning that data runs out, the confirmation of a top-up. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Literal

import jinja2

from gateway.inventory import delivery_rules
from gateway.inventory.esim_rows import Esim
from gateway.inventory.esims import install_by
from gateway.travellers.appearance_rules import text_on, topup_link
from gateway.travellers.esim_page_rules import data_text, usage_of, where_text
from gateway.travellers.languages import Texts
from gateway.travellers.traveller_setting_rows import Appearance
from providers.kit import activation

QR_NAME = "esim-qr-code.png"
_QR, _LOGO = "qr@esim", "logo@esim"
_WHOLE = 100
_LONGEST_DETAIL = 300
_LIKE_AN_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailFacts:
    """What an e-mail is about. ``plan`` is the name of what was bought, ``threshold`` how much was used, in percent."""

    id: str
    kind: Literal["delivery", "usage", "topup"]
    order_id: str
    plan: str
    threshold: int | None
    at: datetime
    page_url: str | None


@dataclass(frozen=True, slots=True)
class Sender:
    """As whom an e-mail is sent."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class _Content:
    """What an e-mail says: paragraphs, links as (text, address), facts as (name, value)."""

    subject: str
    paragraphs: Sequence[str]
    links: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    qr_png: bytes | None = None


def write_email(
    facts: EmailFacts, esim: Esim, texts: Texts, appearance: Appearance, sender: Sender, recipient: str
) -> EmailMessage:
    """The e-mail, as HTML and as text, in the language of ``texts``.

    Raises ``ValueError`` for a delivery whose eSIM has no installable code.
    """
    content = _CONTENTS[facts.kind](facts, esim, texts, appearance)
    bought = texts("You receive this e-mail because you bought an eSIM.")
    if appearance.shop_name:
        bought = texts("You receive this e-mail because you bought an eSIM from {shop}.", shop=appearance.shop_name)
    footer = (texts("Order {id}", id=facts.order_id), bought)
    message = EmailMessage()
    message["Subject"] = _line(content.subject)[:200]
    message["From"] = Address(_line(sender.name)[:100], addr_spec=sender.address)
    message["To"] = Address(addr_spec=recipient)
    message["Date"] = format_datetime(facts.at)
    message["Message-ID"] = f"<{facts.id}@{sender.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(content, footer))
    has_logo = appearance.logo is not None
    values = {"t": texts, "content": content, "footer": footer, "shop": appearance.shop_name, "qr": _QR, "logo": _LOGO}
    accent = appearance.accent_color or "#0b5cad"
    html = _template().render(**values, accent=accent, has_logo=has_logo, on_accent=text_on(accent))
    message.add_alternative(html, subtype="html")
    body = message.get_payload()[1]  # type: ignore[index]
    if content.qr_png is not None:
        body.add_related(content.qr_png, "image", "png", cid=f"<{_QR}>", filename=QR_NAME, disposition="inline")  # type: ignore[union-attr]
    if appearance.logo is not None and appearance.logo_type is not None:
        subtype = appearance.logo_type.partition("/")[2]
        body.add_related(appearance.logo, "image", subtype, cid=f"<{_LOGO}>", disposition="inline")  # type: ignore[union-attr]
    if content.qr_png is not None:
        message.add_attachment(content.qr_png, "image", "png", filename=QR_NAME)
    message["Content-Language"] = texts.language  # after the parts, which take over headers of contents
    return message


def without_addresses(text: str, recipient: str) -> str:
    """What a mail server said, on one line and without any address: it is kept longer than those are."""
    line = re.sub(re.escape(recipient), "…", _line(text), flags=re.IGNORECASE)
    return _LIKE_AN_ADDRESS.sub("…", line)[:_LONGEST_DETAIL]


def _delivery(facts: EmailFacts, esim: Esim, texts: Texts, _appearance: Appearance) -> _Content:
    code = activation.parse(esim.activation_code)
    if code is None:
        raise ValueError("this eSIM has no installable activation code")
    paragraphs = [texts("Your eSIM is ready.")]
    links = []
    if facts.page_url is not None:
        paragraphs.append(texts("The page has the steps for your phone and shows what is left of your data."))
        links.append((texts("Open your eSIM page"), facts.page_url))
    install = delivery_rules.install_links(code.text)
    links += [(texts("Install on iPhone"), install.ios), (texts("Install on Android"), install.android)]
    notes = []
    if (limit := install_by(esim)) is not None:
        notes.append(texts("Install it by {date}.", date=texts.day(limit)))
    if esim.confirmation_code_required or code.confirmation_code_required:
        notes.append(texts("You will be asked for a confirmation code."))
    notes += [
        texts("The QR code is also attached as a picture. Show it on another screen and scan it with your phone."),
        texts("Keep this e-mail private: anyone who has the code can take the eSIM."),
    ]
    return _Content(
        subject=texts("Your eSIM: {plan}", plan=facts.plan),
        paragraphs=paragraphs,
        links=links,
        facts=[
            (facts.plan, " · ".join(filter(None, (_data(esim, texts), _days(esim, texts), _where(esim, texts))))),
            (texts("SM-DP+ address"), code.smdp_address),
            (texts("Activation code"), code.matching_id),
            ("ICCID", esim.iccid),
        ],
        notes=notes,
        qr_png=delivery_rules.qr_png(code.text),
    )


def _usage(facts: EmailFacts, esim: Esim, texts: Texts, appearance: Appearance) -> _Content:
    threshold = facts.threshold or 0
    subject = texts("You have used all of your data")
    if threshold < _WHOLE:
        subject = texts("You have used {percent} of your data", percent=texts.percent(threshold))
    usage = None if esim.status is None else usage_of(esim.status, texts)
    paragraphs = [subject]
    if usage is not None:
        paragraphs += [
            usage.text,
            texts("As of {time}. Usage is reported late, sometimes by hours.", time=usage.observed),
        ]
    links = []
    if appearance.topup_url is not None and not (esim.status is not None and esim.status.can_topup is False):
        url = topup_link(
            appearance.topup_url, esim_id=esim.id, iccid=esim.iccid, order_id=esim.order_id, language=texts.language
        )
        links.append((texts("Top up"), url))
    return _Content(subject, paragraphs, [*links, *_page(facts, texts)], [("ICCID", esim.iccid)], ())


def _topup(facts: EmailFacts, esim: Esim, texts: Texts, _appearance: Appearance) -> _Content:
    subject = texts("Your eSIM was topped up")
    added = texts("{plan} was added to your eSIM.", plan=facts.plan)
    return _Content(subject, [subject, added], _page(facts, texts), [("ICCID", esim.iccid)], ())


_CONTENTS = {"delivery": _delivery, "usage": _usage, "topup": _topup}


def _page(facts: EmailFacts, texts: Texts) -> list[tuple[str, str]]:
    return [] if facts.page_url is None else [(texts("Open your eSIM page"), facts.page_url)]


def _data(esim: Esim, texts: Texts) -> str:
    return data_text(esim.plan.get("data") or {}, texts)


def _days(esim: Esim, texts: Texts) -> str:
    days = (esim.plan.get("validity") or {}).get("days")
    return texts.days(days) if days else ""


def _where(esim: Esim, texts: Texts) -> str:
    return where_text(esim.plan.get("countries") or [], texts)


def _text(content: _Content, footer: Sequence[str]) -> str:
    lines = [*content.paragraphs, ""]
    lines += [f"{text}:\n{url}\n" for text, url in content.links]
    lines += [f"{name}: {value}" for name, value in content.facts]
    if content.notes:
        lines += ["", *content.notes]
    return "\n".join([*lines, "", "-- ", *footer]) + "\n"


def _line(text: str) -> str:
    """Text that others wrote, on one line: none of it can end a header."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gateway.travellers"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("email.html")
