"""What a mapping is known by: the code and tables that decide how items are mapped."""

from gateway.sync import mapped_by
from providers.pikasim import MANIFEST


def test_the_plugin_what_all_plugins_share_and_the_tables_are_part_of_it(monkeypatch):
    added = set()
    monkeypatch.setattr(mapped_by, "_add", lambda _whole, file: added.add(file.name))
    mapped_by._code.__wrapped__(MANIFEST.provider.__module__)
    code = {"mapping.py", "contract.py", "places.py", "units.py", "plan.py"}
    tables = {"places.toml", "regions.toml", "operators.toml", "territory_names.txt"}
    assert code | tables <= added
