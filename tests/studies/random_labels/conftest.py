"""A small network, a construction and linear models on digits of 8 pixels, made once for all tests."""

import pytest
from jaxtyping import install_import_hook

# Beside `model` and `learner`, whose shapes are checked in every study.
SHAPED = ("construction", "linear", "pictures")
install_import_hook([f"workings.studies.random_labels.{module}" for module in SHAPED], "beartype.beartype")

from studies.random_labels.shop import ALONE, Shop, trials  # noqa: E402
from workings.core.runs import RunStore  # noqa: E402
from workings.execute.local import carry_out  # noqa: E402
from workings.studies.random_labels.study import STUDY  # noqa: E402


@pytest.fixture(scope="session")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    store = RunStore(tmp_path_factory.mktemp("random_labels"))
    training, construction, *least = (outcome.run for outcome in carry_out(STUDY, trials(), store, ALONE))
    return Shop(store, training, construction, (least[0], least[1]))


@pytest.fixture
def shop(_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """That store, as this machine's own."""
    monkeypatch.setenv("WORKINGS_HOME", str(_shop.store.root))
    return _shop
