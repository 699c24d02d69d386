"""A network of digits of 8 pixels, trained once for all tests."""

import pytest

from studies.scenes.shop import ALONE, Shop, trials
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.scenes.study import STUDY


@pytest.fixture(scope="session")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    store = RunStore(tmp_path_factory.mktemp("scenes"))
    *counts, training = (outcome.run for outcome in carry_out(STUDY, trials(), store, ALONE))
    return Shop(store, training, tuple(counts))


@pytest.fixture
def shop(_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """That store, as this machine's own."""
    monkeypatch.setenv("WORKINGS_HOME", str(_shop.store.root))
    return _shop
