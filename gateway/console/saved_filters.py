"""Filters that a user keeps under names of their own, for every page with filters.

``filters`` in templates shows them and the form that saves.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateway.access import saved_filter_rows
from gateway.access.saved_filter_rows import MOST, SavedFilter
from gateway.console.forms import form_data
from gateway.console.pages import Pages, deps_of, own_address, see_other, visitor

pages = Pages()
SAVED = web.RequestKey("console_saved_filters", list[SavedFilter])
_SAVE = "/console/saved-filters"
# As the table has it.
_PAGE = re.compile(r"/console(/[^/?#\s\\]+)+")
_LONGEST_PAGE, _LONGEST_NAME, _LONGEST_QUERY, _MOST_FIELDS = 500, 60, 2000, 100
# Which part of the list is shown, and as what, is no filter.
_NO_FILTERS = {"cursor", "format"}
A = TypeVar("A")
P = ParamSpec("P")


def with_saved_filters(
    handler: Callable[Concatenate[web.Request, P], Awaitable[A]],
) -> Callable[Concatenate[web.Request, P], Awaitable[A]]:
    """A page with filters: those that the visitor saved stand beside the form, and those in force can be saved."""

    @wraps(handler)
    async def filtered(request: web.Request, /, *more: P.args, **named: P.kwargs) -> A:
        user = visitor(request)
        request[SAVED] = await saved_filter_rows.of_page(deps_of(request).pool, user.user_id, request.path)
        return await handler(request, *more, **named)

    return filtered


def canonical_query(query: str) -> str:
    """The filters and the sort of an address, always in the same order, so that equal ones are found equal."""
    try:
        fields = parse_qsl(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return ""
    return urlencode(sorted((name, value) for name, value in fields if name not in _NO_FILTERS))


@pages("POST", _SAVE, role="user", own=True)
async def save(request: web.Request) -> web.Response:
    """Keep the filters of a page under a name; those of the same name are replaced."""
    form = await form_data(request)
    page, query = form.text("page", most=_LONGEST_PAGE), canonical_query(form.text("query", most=_LONGEST_QUERY))
    name = form.text("name", required=True, most=_LONGEST_NAME)
    if not _PAGE.fullmatch(page) or len(page) > _LONGEST_PAGE:
        return see_other(request, "", message="Not saved: this page has no filters.")
    back = f"{page}?{query}" if query else page
    if not form or not 0 < len(query) <= _LONGEST_QUERY:
        why = form.errors.get("name")
        message = f"Not saved: the name {why}." if why else "Not saved: choose some filters first, but not too many."
    elif await saved_filter_rows.save(deps_of(request).pool, visitor(request).user_id, page, SavedFilter(name, query)):
        message = f"The filters are saved as “{name}”."
    else:
        message = f"Not saved: you keep {MOST} already, as many as can be. Delete some first."
    return see_other(request, back, message=message)


@pages("POST", _SAVE + "/delete", role="user", own=True)
async def delete(request: web.Request) -> web.Response:
    """Forget saved filters of one's own."""
    form = await form_data(request)
    page, name = form.text("page", most=_LONGEST_PAGE), form.text("name", most=_LONGEST_NAME)
    await saved_filter_rows.delete(deps_of(request).pool, visitor(request).user_id, page, name)
    return see_other(request, own_address(form.text("next", most=4000)), message=f"The filters “{name}” are deleted.")
