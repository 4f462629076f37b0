"""``python -m clients.generate``: write the generated files of the clients anew (``make clients``)."""

from __future__ import annotations

from clients.generate import python, typescript
from clients.generate.described import read_description

description = read_description()
for path, text in (python.files(description) | typescript.files(description)).items():
    path.write_text(text, "utf-8")
