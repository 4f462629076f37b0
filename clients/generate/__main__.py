"""``python -m clients.generate``: write the generated files of the clients anew (``make clients``)."""

from __future__ import annotations

from clients.generate.python import files

for path, text in files().items():
    path.write_text(text, "utf-8")
