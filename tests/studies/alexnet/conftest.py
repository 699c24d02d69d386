"""Small networks of digits of 16 pixels, trained once for all tests."""

import pytest

from studies.alexnet.shop import ALONE, Shop, trials
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.alexnet.study import STUDY


@pytest.fixture(scope="session")
def _alexnet_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    store = RunStore(tmp_path_factory.mktemp("alexnet"))
    return Shop(store, *(outcome.run for outcome in carry_out(STUDY, trials(), store, ALONE)))


@pytest.fixture
def shop(_alexnet_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """That store, as this machine's own."""
    monkeypatch.setenv("WORKINGS_HOME", str(_alexnet_shop.store.root))
    return _alexnet_shop
