"""A town whose disk is watched and can be spoilt."""

import pytest

from peer.disk import Disk
from peer.town import Town


@pytest.fixture(scope="module")
def town_on_disk(built, tmp_path_factory):
    """Founds towns on a disk of their own (`town.disk`), with settings of SQLite; at the end they are killed."""
    towns = []

    def found(name, settings):
        folder = tmp_path_factory.mktemp(name)
        town = Town(folder, at=None, configure=lambda gateway: gateway.configure(
            "database", f"sqlite:gatehouse.db?{settings}")).build()
        town.disk = Disk(folder / "disk", town.gateway.data)
        towns.append(town)
        return town
    yield found
    for town in towns:
        if town.gateway.is_running():
            town.gateway.kill()
