"""The key with which the sandbox's bePaid signs its notifications. It was made for that and is known to everybody."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)

# As a shop would copy it from its settings at bePaid.
PUBLIC_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA/v3DrZBCqS0bwa2+YspYaxy1f4OvsWQcvEKCBkHihtzFxREF7yBO"
    "3N8WdFAFLj30VulLAiAVzDaT57P9ENrDX0u/fYiitBmmPx2tjilgT/gekPQHJcAWYmU3uvBfT/YwB9zW+1rOidHIuMuFB9Zw"
    "Rj/4TBYS2D/v4/4CNAn17MDOxtA5KFYXek9UHUSlc6/oa5tSAy0r+kAqfgylisfc1SgK2b9VnzutwD3LWgNGn1j4JayzD6AC"
    "C7mCGlArCgAv2l7EYgtYxbtJjihFXCDtfDPD2zAagsXxwxKSAX2dowoqIZTZ+jqIjIfooC63J9EStrmM6nR68nYEFzVj2yjf"
    "3wIDAQAB"
)
_EXPONENT = 65537
_P = (
    "ffef99fb86ce85771da64504bc3b1df271b8eadd2c64e9ef02abe3ec1cef1fdd3b69d824d7edfbf8f4bdb86727f3a68e"
    "406c52f02ad707aaaadd31c0d3a2109daef8cbff34af7b83c5aac9f3675a468da1e1d2b3a214b122b9aebe7373265d37"
    "0427562612d92f591285059f7a96c6fd1291583de7d5bfc30ee4f5616843d219"
)
_Q = (
    "ff0e1a3346dee44fa4fd697ab3a9ea866ead7bfe9993e7fb5b9a0d9d9db57560d6d99c961ee9eba4650f8cb4d7a18f15"
    "44641c398cb17797660dff260bd095dfdd3663a2b904c902528d6d0955376593e633a38871bb4d3751c7d4aae52dd337"
    "38e4ee612116ccdf7ed298dcf092af808cf379f2fec6ff60516e757718b130b7"
)


def signature(body: bytes) -> str:
    """RSA-SHA256 over the body, in base64."""
    return base64.b64encode(_private_key().sign(body, PKCS1v15(), hashes.SHA256())).decode()


@cache
def _private_key() -> RSAPrivateKey:
    p, q = int(_P, 16), int(_Q, 16)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    numbers = RSAPrivateNumbers(
        p, q, d, rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q), RSAPublicNumbers(_EXPONENT, p * q)
    )
    return numbers.private_key()
