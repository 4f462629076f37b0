"""Getting in and out of the console."""

from __future__ import annotations

from tests.gateway.console.conftest import PASSWORD


async def test_whoever_logs_in_comes_to_the_page_that_was_asked_for(console):
    stranger = await console.stranger()
    answer = await stranger.get("/console/password?x=1", follow=False)
    assert (answer.status, answer.location) == (303, "/console/login?next=/console/password%3Fx%3D1")
    answer = await stranger.post(
        "/console/login", {"name": "Viewer ", "password": PASSWORD, "next": "/console/password"}, token=False
    )
    assert (answer.status, answer.url) == (200, "/console/password")
    assert "viewer" in answer.words
