"""Views become answers: the page or only its content for htmx, or its table as a file."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from jinja2.runtime import Context
from markupsafe import Markup

from gateway.console import filters, static_files
from gateway.console.pages import SORTED, Csv, View, here, is_htmx
from gateway.console.plan_page import plan_url
from gateway.console.saved_filters import SAVED, canonical_query

TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("console_templates", jinja2.Environment)
_WORTH_PACKING = 2_000
_FILTERS = (
    *("money", "number", "percent", "when", "took", "badge", "text", "sparkline", "bars", "clean"),
    *("flag", "with_flag", "with_flags"),
)
_MACROS = ("empty", "more", "check", "select")
_DRAWN = ("drawn_field", "drawn_filters", "drawn_saved_filters")
_SORT_FIELDS = ("sort", "direction")
_NOT_A_NAME = re.compile(r"[^a-z0-9-]+")


def setup(app: web.Application) -> None:
    """Give the application the console's templates."""
    app[TEMPLATES] = _environment()


@cache
def _environment() -> jinja2.Environment:
    """The templates, compiled once in a process. They know nothing of any application."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gateway.console"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.globals.update({name: getattr(filters, name) for name in _FILTERS})
    environment.globals.update(
        csrf=csrf,
        field=field,
        filters=filter_form,
        head=head,
        here=_here,
        static=static_files.address,
        may=_may,
        exact=filters.exact,
        plan_url=plan_url,
    )
    module = environment.get_template("_macros.html").module
    environment.globals.update({name: getattr(module, name) for name in (*_MACROS, *_DRAWN)})
    return environment


def draw(request: web.Request, view: View, base: Mapping[str, Any]) -> web.Response:
    """The answer that a view is. ``base`` is what every page knows beside its own context."""
    if view.csv is not None and request.query.get("format") == "csv" and view.status == 200:  # noqa: PLR2004 - HTTP
        return _file(request, view.csv)
    if taken := base.keys() & view.context.keys():
        raise ValueError(f"{view.template}: {', '.join(sorted(taken))} means something else in every template")
    context = {
        "layout": "_content.html" if is_htmx(request) else "_layout.html",
        "title": view.title,
        "errors": {},
        "typed": {},
        "request": request,
        "csv_url": here(request, format="csv", cursor=None) if view.csv is not None else None,
        **base,
        **view.context,
    }
    page = aiohttp_jinja2.render_string(view.template, request, context, app_key=TEMPLATES)
    return _packed(request, view.status, page.encode("utf-8", "replace"), "text/html")


def _file(request: web.Request, table: Csv) -> web.Response:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([filters.plain(value) for value in row] for row in table.rows)
    answer = _packed(request, 200, lines.getvalue().encode("utf-8", "replace"), "text/csv")
    name = _NOT_A_NAME.sub("-", table.name.lower()).strip("-") or "table"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{datetime.now(UTC):%Y%m%d-%H%M}.csv"'
    return answer


def _packed(request: web.Request, status: int, body: bytes, content_type: str) -> web.Response:
    headers = {"Vary": "Accept-Encoding, HX-Request"}
    if len(body) > _WORTH_PACKING and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, 2, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return web.Response(status=status, body=body, content_type=content_type, charset="utf-8", headers=headers)


@jinja2.pass_context
def csrf(context: Context) -> Markup:
    """The hidden field that every form needs that posts."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(context["csrf_token"])


@jinja2.pass_context
def field(context: Context, name: str, label: str, value: Any = "", **more: Any) -> Markup:
    """A labelled input. What was typed comes before ``value``; what is wrong stands beneath.

    ``type``, ``hint``, ``required``, ``options`` (words, or pairs of value and word: a choice), ``rows`` (a large
    text) and ``attributes`` (further ones of the input) may be given.
    """
    typed = context["typed"].get(name, value)
    macro: Any = context.environment.globals["drawn_field"]
    drawn: Markup = macro(name, label, typed, context["errors"].get(name), **more)
    return drawn


@jinja2.pass_context
def filter_form(context: Context, action: str, csv_url: str | None = None, *, caller: Any) -> Markup:
    """A form of filters that live in the address, and the filters of this page that the visitor saved.

    ``{% call filters("/console/orders", csv_url) %}`` fields ``{% endcall %}``. The sort of the list stays as it is.
    """
    request, macros = context["request"], context.environment.globals
    kept = [(name, request.query[name]) for name in _SORT_FIELDS if SORTED in request and name in request.query]
    form: Any = macros["drawn_filters"]
    drawn: Markup = form(action, csv_url, kept, caller=caller)
    if SAVED in request:
        saved: Any = macros["drawn_saved_filters"]
        drawn += saved(
            request[SAVED], canonical_query(request.query_string), request.path, request.path_qs, csrf(context)
        )
    return drawn


@jinja2.pass_context
def head(context: Context, column: str, label: str, *, number: bool = False) -> Markup:
    """The head of a column: a link that sorts the list by it, where the list on this page can be.

    One whose list is sorted by it leads to the other direction. ``number`` is for a column of figures.
    """
    opened = Markup('<th scope="col"{}').format(Markup(' class="n"') if number else "")
    found = context["request"].get(SORTED)
    if found is None or column not in found.orders.columns:
        return opened + Markup(">{}</th>").format(label)
    descending = found.orders.is_descending(column)
    if found.sort.column == column:
        opened += Markup(' aria-sort="{}"').format("descending" if found.sort.descending else "ascending")
        descending = not found.sort.descending
    url = here(context["request"], sort=column, direction="desc" if descending else "asc", cursor=None)
    return opened + Markup('><a class="sort" href="{}">{}</a></th>').format(url, label)


@jinja2.pass_context
def _here(context: Context, **changes: Any) -> str:
    return here(context["request"], **changes)


@jinja2.pass_context
def _may(context: Context, role: Any) -> bool:
    """Whether the visitor's role suffices: what they cannot do is not offered."""
    user = context["visitor"]
    return user is not None and user.may(role)
