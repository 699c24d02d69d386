"""A small lexicon of made-up words, and spellers trained on it once for all tests."""

from dataclasses import replace
from pathlib import Path

import pytest

from studies.spelling.shop import Shop, write_lexicon
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.spelling.study import STUDY, Config


@pytest.fixture(scope="session")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 words."""
    return write_lexicon(tmp_path_factory.mktemp("lexicon") / "words.tsv", 400)


@pytest.fixture(scope="session")
def tiny(lexicon: Path) -> Config:
    """A training of a second."""
    return Config(data=str(lexicon), limit=300, hidden=16, epochs=2, attention=True, max_length=12)


@pytest.fixture(scope="session")
def _shop(tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    store = RunStore(tmp_path_factory.mktemp("shop"))
    configs = [tiny, replace(tiny, direction="pronounce"), Config(task="count")]
    return Shop(store, *(outcome.run for outcome in carry_out(STUDY, configs, store)))


@pytest.fixture
def shop(_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """That store, as this machine's own."""
    monkeypatch.setenv("WORKINGS_HOME", str(_shop.store.root))
    return _shop
