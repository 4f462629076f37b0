import pytest

pytest.register_assert_rewrite(
    "tests.providers.checks",
    "tests.providers.market",
    "tests.providers.plugin_suite",
    "tests.providers.suite",
    "tests.providers.suite_orders",
)
