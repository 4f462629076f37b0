"""An eSIM's life, in two states that are never mixed: its profile and its service."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.examples import example


class ProfileState(StrEnum):
    """The profile, on the SM-DP+ side and on the device."""

    RELEASED = "released"
    DOWNLOADED = "downloaded"
    INSTALLED = "installed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class ServiceState(StrEnum):
    """The subscription, on the network side."""

    NOT_ACTIVE = "not_active"
    ACTIVE = "active"
    DEPLETED = "depleted"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class DataUsage(msgspec.Struct, frozen=True):
    """An eSIM's data in MB, 1 GB being 1024; null where the supplier does not say.

    Attributes:
        total_mb: All data.
        used_mb: What is used of it.
        remaining_mb: What is left of it.
    """

    total_mb: Annotated[int | None, example(1024)]
    used_mb: Annotated[int | None, example(256)]
    remaining_mb: Annotated[int | None, example(768)]


class EsimPackage(msgspec.Struct, frozen=True):
    """One data package on an eSIM.

    Attributes:
        name: The package's name.
        total_mb: All its data in MB; null where the supplier does not say.
        remaining_mb: What is left of it in MB; null where the supplier does not say.
        expires_at: When it ends; null where the supplier does not say.
        state: The supplier's word for its state.
    """

    name: Annotated[str, example("Japan 1 GB")]
    total_mb: Annotated[int | None, example(1024)] = None
    remaining_mb: Annotated[int | None, example(768)] = None
    expires_at: Annotated[datetime | None, example("2026-11-27T10:00:00Z")] = None
    state: Annotated[str | None, example("active")] = None


class EsimCoverage(msgspec.Struct, frozen=True):
    """An operator that the eSIM may use in a country.

    Attributes:
        country: The country.
        operator: The operator's name.
    """

    country: Annotated[str, example("JP")]
    operator: Annotated[str, example("Docomo")]


class EsimStatus(msgspec.Struct, frozen=True):
    """What a supplier says of an eSIM at ``observed_at`` (UTC).

    ``apn`` is the access point name that a phone needs, ``msisdn`` the eSIM's phone number and ``imsi`` its number in
    the network.
    """

    iccid: str
    profile_state: ProfileState
    service_state: ServiceState
    observed_at: datetime
    data: DataUsage | None = None
    expires_at: datetime | None = None
    can_topup: bool | None = None
    packages: tuple[EsimPackage, ...] = ()
    coverage: tuple[EsimCoverage, ...] = ()
    apn: str | None = None
    msisdn: str | None = None
    imsi: str | None = None
