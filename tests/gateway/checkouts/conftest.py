"""A payment desk beside the suppliers' counter."""

import pytest

from tests.kit.paydesk import paydesk


@pytest.fixture
async def desk(counter):
    """Checkouts at the payment supplier's sandbox."""
    async with paydesk(counter) as opened:
        yield opened
