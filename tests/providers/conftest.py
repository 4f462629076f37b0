import pytest

pytest.register_assert_rewrite("tests.providers.suite", "tests.providers.suite_orders", "tests.providers.market")
