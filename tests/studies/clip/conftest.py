"""Small towers, trained once for all tests; and no network, whatever asks for it."""

from typing import Any

import pytest
import torch

from studies.clip.shop import ALONE, DRAWN, Shop, photographs, write_photos
from workings.core.runs import RunStore
from workings.execute.local import carry_out
from workings.studies.clip import encoders
from workings.studies.clip.study import STUDY, Config, instant


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(encoders, "_hub_answers", lambda: False)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)


@pytest.fixture(scope="session")
def _clip_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    place = tmp_path_factory.mktemp("clip")
    photos, store = write_photos(place / "photos"), RunStore(place / "store")
    words = Config(task="words", data=str(photos / "captions.csv"))
    trials = [*instant(), words, photographs(photos), DRAWN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKINGS_HOME", str(store.root))
        return Shop(store, photos, *(outcome.run for outcome in carry_out(STUDY, trials, store, ALONE)))


@pytest.fixture
def shop(_clip_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """That store, as this machine's own."""
    monkeypatch.setenv("WORKINGS_HOME", str(_clip_shop.store.root))
    return _clip_shop
