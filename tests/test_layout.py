"""The layout holds, and what breaks it is found."""

import pytest

from tests.layout import circle, faults, imports, is_for_sql, modules, sql_elsewhere


def test_the_layout_holds():
    assert faults() == []


def test_a_circle_is_found_wherever_the_import_stands(tmp_path):
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "a.py").write_text("from gateway import b\n")
    (tmp_path / "gateway" / "b.py").write_text("def late():\n    from gateway.c import name\n")
    (tmp_path / "gateway" / "c.py").write_text("if TYPE_CHECKING:\n    from gateway.a import name\n")
    assert set(circle(imports(modules(tmp_path)))) == {"gateway.a", "gateway.b", "gateway.c"}
    (tmp_path / "gateway" / "c.py").write_text("name = 1\n")
    assert circle(imports(modules(tmp_path))) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ('x = "SELECT 1 FROM orders"', True),
        ('x = """\n    WITH due AS (SELECT 1)\n    SELECT 2"""', True),
        ('x = "UPDATE orders SET step = 1"', True),
        ('x = "Select a plan"', False),
    ],
)
def test_statements_are_found(tmp_path, statement, found):
    (tmp_path / "gateway" / "orders").mkdir(parents=True)
    (tmp_path / "gateway" / "orders" / "place.py").write_text(statement)
    (tmp_path / "gateway" / "orders" / "order_rows.py").write_text(statement)
    assert sql_elsewhere(tmp_path) == ({"gateway/orders/place.py"} if found else set())
    assert is_for_sql("gateway/orders/order_rows.py")
