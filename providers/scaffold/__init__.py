"""A new supplier plugin, stamped from templates: complete but for what only the supplier's page can say.

It imports and type-checks at once; its contract tests fail and say what to fill in.
"""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

import msgspec

from providers.kit import units
from providers.simulator import Item, SandboxWorld
from schemas.errors import ConfigurationError

PLANS = 3
LONGEST_NAME = 40
_NAME = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]")
_FILES = {
    "init.py": "providers/{name}/__init__.py",
    "client.py": "providers/{name}/client.py",
    "wire.py": "providers/{name}/wire.py",
    "mapping.py": "providers/{name}/mapping.py",
    "sandbox.py": "providers/{name}/sandbox.py",
    "README.md": "providers/{name}/README.md",
    "test.py": "tests/providers/{name}/test_{name}.py",
}


def stamp(name: str, root: Path) -> list[Path]:
    """Write the plugin ``name`` below ``root`` (the checkout) and give the files that were written.

    Raises ``ConfigurationError`` for a name that cannot be a package, or that is taken.
    """
    _check(name, root)
    substitutions = _words(name)
    written = [root / "tests" / "providers" / name / "__init__.py"]
    written[0].parent.mkdir(parents=True)
    written[0].touch()
    for template, target in _FILES.items():
        path = root / target.format(name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(template, substitutions), "utf-8")
        written.append(path)
    return sorted(written)


def _check(name: str, root: Path) -> None:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME or keyword.iskeyword(name):
        raise ConfigurationError(
            f"{name!r} cannot be a provider's name: use lower-case letters, digits and _, such as name=acme"
        )
    if not (root / "providers" / "contract.py").is_file():
        raise ConfigurationError(f"{root} is no checkout of the gateway: it has no providers/contract.py")
    for taken in (f"providers/{name}", f"providers/{name}.py", f"tests/providers/{name}"):
        if (root / taken).exists():
            raise ConfigurationError(f"{taken} is there already; take another name, or remove it first")


def _words(name: str) -> dict[str, str]:
    plans = _plain_plans(name)
    title = " ".join(part.capitalize() for part in name.split("_"))
    return {
        "name": name,
        "title": title,
        "class_name": title.replace(" ", ""),
        "env_name": name.upper(),
        "rows": "\n".join(f'    "{item.key}": None,  # {_plan_name(item)}' for item in plans),
        "keys": ", ".join(f'"{item.key}"' for item in plans),
        "examples": "".join(_filled("example.py", _example(item, name)) for item in plans).rstrip(),
    }


def _plain_plans(name: str) -> list[Item]:
    """Plans of the sandbox's world with nothing special about them, no two of one country or one size."""
    found: list[Item] = []
    for item in filter(_is_plain, SandboxWorld([name]).items(name)):
        if all(item.countries != other.countries and item.mb != other.mb for other in found):
            found.append(item)
        if len(found) == PLANS:
            break
    return found


def _is_plain(item: Item) -> bool:
    if item.dirt is not None or item.unlimited or item.daily or not (item.visible and item.in_stock):
        return False
    declared = units.declared_from_text(item.data_text)
    named = len(item.countries) == 1 and item.place.isascii()
    return named and bool(item.days and item.price) and declared is not None


def _example(item: Item, provider: str) -> dict[str, str]:
    declared = units.declared_from_text(item.data_text)
    body = {
        "success": True,
        "plan": {
            "id": item.key,
            "name": _plan_name(item),
            "country": item.place,
            "data": item.data_text,
            "days": item.days,
            "price": str(item.price),
        },
    }
    return {
        "key": item.key,
        "provider": provider,
        "body": msgspec.json.format(msgspec.json.encode(body), indent=2).decode(),
        "plan_name": _plan_name(item),
        "country": item.countries[0],
        "mb": str(declared.mb if declared else None),
        "declared": declared.declared if declared else "",
        "days": str(item.days),
        "price": str(item.price),
    }


def _plan_name(item: Item) -> str:
    return f"{item.place} {item.data_text} {item.days} days"


def _filled(template: str, substitutions: dict[str, str]) -> str:
    text = resources.files("providers.scaffold").joinpath("templates", f"{template}.tmpl").read_text("utf-8")
    return _sorted_imports(Template(text).substitute(substitutions))


def _sorted_imports(text: str) -> str:
    """The text with its imports from ``providers`` in order, whatever the new plugin's name is."""
    lines = text.splitlines(keepends=True)
    places = [place for place, line in enumerate(lines) if line.startswith("from providers.")]
    ordered = sorted((lines[place] for place in places), key=lambda line: line.split()[1])
    for place, line in zip(places, ordered, strict=True):
        lines[place] = line
    return "".join(lines)
