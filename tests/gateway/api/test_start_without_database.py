"""Serving begins although PostgreSQL does not answer: it is waited for once, by the catalogue."""

import socket

import gateway.app
from gateway.api import state

SUPPLIER = {
    "provider": "beppay",
    "mode": "test",
    "base_url": "http://127.0.0.1:1",
    "api_key": "pk",
    "email_domain": "a.example",
}


async def test_a_silent_database_is_asked_once_before_the_process_listens(make_api, monkeypatch):
    asked = []
    for name in ("require_durable", "follow_keys"):
        real = getattr(gateway.app, name)

        async def called(*given, real=real, name=name):
            asked.append(name)
            return await real(*given)

        monkeypatch.setattr(gateway.app, name, called)

    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes connections, nobody answers them
        url = f"postgresql://gateway@127.0.0.1:{silent.getsockname()[1]}/gateway"
        api = await make_api(own_catalog=True, database_url=url, suppliers={"bep": SUPPLIER})
        assert api.client.app[state.CATALOG].degraded[0].startswith("postgresql")
        assert asked == []
        assert (await api.get("/livez")).status == 200
        await api.client.close()
