"""What a traveller gets of an activation code: its parts, a picture to scan, links to install by. Pure.

The code is a bearer secret: whoever has it takes the line. Nothing here logs or keeps it.
"""

from __future__ import annotations

import io
from urllib.parse import quote

import segno

from providers.kit import activation
from schemas.orders import InstallLinks, OrderedEsim

APPLE = "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata="
ANDROID = "https://esimsetup.android.com/esim_qrcode_provisioning?carddata="
_QUIET_ZONE = 4  # modules of white around a code: what ISO 18004 asks for
_PNG_SCALE = 8


def qr_svg(activation_code: str) -> bytes:
    """The code as an SVG picture, black on white, that grows with its place."""
    out = io.BytesIO()
    _picture(activation_code).save(
        out, kind="svg", border=_QUIET_ZONE, dark="#000", light="#fff", xmldecl=False, omitsize=True, nl=False
    )
    return out.getvalue()


def qr_png(activation_code: str) -> bytes:
    """The code as a PNG picture, eight pixels a module."""
    out = io.BytesIO()
    _picture(activation_code).save(out, kind="png", border=_QUIET_ZONE, scale=_PNG_SCALE, dark="#000", light="#fff")
    return out.getvalue()


def install_links(activation_code: str) -> InstallLinks:
    """Links that open the phone's own dialogue: iOS 17.4 and later, Android 10 and later."""
    carddata = quote(activation_code, safe="")
    return InstallLinks(ios=APPLE + carddata, android=ANDROID + carddata)


def ordered_esim(
    esim_id: str,
    iccid: str,
    activation_code: str | None,
    *,
    confirmation_code_required: bool,
    page_url: str | None,
    base_url: str = "",
) -> OrderedEsim:
    """The ``esim`` of an order's JSON, for the order's owner alone. Without ``base_url`` addresses are paths.

    A code that is not complete is given as it is, without parts, pictures and links.
    """
    code = activation.parse(activation_code)
    if code is None:
        return OrderedEsim(
            id=esim_id,
            iccid=iccid,
            activation_code=activation_code,
            smdp_address=None,
            matching_id=None,
            confirmation_code_required=confirmation_code_required,
            qr_svg_url=None,
            qr_png_url=None,
            install=None,
            page_url=page_url,
        )
    return OrderedEsim(
        id=esim_id,
        iccid=iccid,
        activation_code=code.text,
        smdp_address=code.smdp_address,
        matching_id=code.matching_id,
        confirmation_code_required=confirmation_code_required or code.confirmation_code_required,
        qr_svg_url=f"{base_url}/v1/esims/{esim_id}/qr.svg",
        qr_png_url=f"{base_url}/v1/esims/{esim_id}/qr.png",
        install=install_links(code.text),
        page_url=page_url,
    )


def _picture(text: str) -> segno.QRCode:
    return segno.make(text, error="m", micro=False)
