"""What the full preset really finds, once for all tests here."""

import pytest

from workings.core.evidence import Archive
from workings.core.registry import find
from workings.core.runs import RunStore
from workings.execute.local import carry_out


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    study, store = find("filters"), RunStore(tmp_path_factory.mktemp("filters"))
    carry_out(study, study.preset("full"), store)
    return store.archive(study, fresh_only=True)
