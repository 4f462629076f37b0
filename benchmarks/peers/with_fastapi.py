"""A catalogue with FastAPI and SQLAlchemy over asyncpg, as its tutorial builds one.

python with_fastapi.py DATABASE_URL
"""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

PAGE = 50


class Base(DeclarativeBase):
    pass


class ApiKey(Base):
    __tablename__ = "api_keys"
    digest: Mapped[str] = mapped_column(primary_key=True)
    storefront: Mapped[str]


class Plan(Base):
    __tablename__ = "plans"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    scope: Mapped[str]
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    validity: Mapped[dict[str, Any]] = mapped_column(JSONB)
    features: Mapped[dict[str, Any]] = mapped_column(JSONB)
    price: Mapped[dict[str, Any]] = mapped_column(JSONB)
    price_per_gb: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    price_per_day: Mapped[dict[str, Any]] = mapped_column(JSONB)
    in_stock: Mapped[bool]
    offer_count: Mapped[int]
    stale: Mapped[bool]
    updated_at: Mapped[datetime]
    unlimited: Mapped[bool]
    total_mb: Mapped[int | None]
    days: Mapped[int]
    amount: Mapped[Decimal]
    amount_per_gb: Mapped[Decimal | None]
    amount_per_day: Mapped[Decimal]


class Data(BaseModel):
    mb: int | None
    total_mb: int | None
    declared: str
    unlimited: bool
    reset: str
    fair_use: str | None
    full_speed: dict[str, Any] | None
    after: dict[str, Any] | None
    tier: str | None


class Validity(BaseModel):
    days: int
    starts: str | None


class Features(BaseModel):
    topup: bool | None
    voice: bool | None
    sms: bool | None
    exit_country: str | None
    hotspot: bool | None
    voice_minutes: int | None
    voice_unlimited: bool | None
    sms_count: int | None
    sms_unlimited: bool | None
    phone_number: bool | None
    kyc_required: bool | None
    install_within_days: int | None
    usage: str | None
    refundable: bool | None
    not_exit_countries: list[str]


class Money(BaseModel):
    amount: str
    currency: str


class PlanOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    scope: str
    countries: list[str]
    data: Data
    validity: Validity
    features: Features
    price: Money
    price_per_gb: Money | None
    price_per_day: Money
    in_stock: bool
    offer_count: int
    stale: bool
    updated_at: datetime


class Page(BaseModel):
    data: list[PlanOut]
    has_more: bool


engine = create_async_engine(sys.argv[1].replace("postgresql://", "postgresql+asyncpg://"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def open_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


async def storefront(session: Session, authorization: Annotated[str, Header()]) -> str:
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    key = await session.get(ApiKey, digest)
    if key is None:
        raise HTTPException(401)
    return key.storefront


ORDERS: dict[str, ColumnElement[Any]] = {
    "price": Plan.amount.asc(),
    "-price": Plan.amount.desc(),
    "price_per_gb": Plan.amount_per_gb.asc().nulls_last(),
    "price_per_day": Plan.amount_per_day.asc(),
    "data": Plan.total_mb.asc().nulls_last(),
    "days": Plan.days.asc(),
}


@app.get("/v1/plans", response_model=Page)
async def plans(
    session: Session,
    _storefront: Annotated[str, Depends(storefront)],
    country: str,
    sort: Literal["price", "-price", "price_per_gb", "price_per_day", "data", "days"] = "price",
    unlimited: bool | None = None,
    max_price: Decimal | None = None,
    max_days: int | None = None,
) -> dict[str, Any]:
    """The first page of a country's plans."""
    query = select(Plan).where(Plan.countries.contains([country]))
    if unlimited is not None:
        query = query.where(Plan.unlimited == unlimited)
    if max_price is not None:
        query = query.where(Plan.amount <= max_price)
    if max_days is not None:
        query = query.where(Plan.days <= max_days)
    found = (await session.scalars(query.order_by(ORDERS[sort], Plan.id).limit(PAGE + 1))).all()
    return {"data": found[:PAGE], "has_more": len(found) > PAGE}


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        server = uvicorn.Server(
            uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="error")
        )
        server.run([listening])
