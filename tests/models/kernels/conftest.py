from __future__ import annotations

from collections.abc import Iterator

import pytest

from botkit_models import kernels


@pytest.fixture(scope="session")
def _team():
    if not kernels.available():
        pytest.skip("no kernels on this machine")
    from botkit_models.kernels.registry import register_once

    return register_once()


@pytest.fixture
def team(_team) -> Iterator[object]:
    """The kernels' threads, as many as there are by default before and after."""
    yield _team
    from botkit_models.kernels.team import spare_cores

    _team.start(spare_cores())


@pytest.fixture(params=[0, 1, 3], ids="{} workers".format)
def workers(request, team) -> int:
    """With no worker, with one, and with more than this machine may have cores."""
    team.start(request.param)
    return request.param
