"""What the scaling benchmark computes besides what it measures: the projection, the cost of overlapping, its nets."""

import dataclasses
import math

import numpy as np
import pytest
from scaling.nets import NetSpec, identity_bundle, local_net_bundle
from scaling.overlap import answer, overlap, split_cells
from scaling.projection import Net, Network, gather_jump, open_seconds, project, tiles_jump

from surrogate import Surrogate
from surrogate.bundle.folder import check_bundle

NET = Net(
    "net",
    channels=3,
    reach=4,
    halo=4,
    program=1e-6,
    pack=1e-8,
    bundle_bytes=10**6,
    read=0.1,
    load=0.2,
)
FREE = Network(latency=0.0, bandwidth=math.inf, level=0.0, file_bandwidth=1e9, ranks_per_node=10)
REAL = dataclasses.replace(FREE, latency=1e-6, bandwidth=1e9, level=5e-6)


def test_on_a_free_network_only_the_halo_costs_efficiency():
    free = project(dataclasses.replace(NET, pack=0.0), FREE, block=64, domain=6400, ranks=(10_000,))
    assert free["rows"][0]["weak"]["efficiency"] == pytest.approx(64**2 / 72**2)
    assert free["rows"][0]["strong"]["efficiency"] == pytest.approx(64**2 / 72**2)


def test_agreements_grow_by_two_levels_with_each_doubling():
    agree = [tiles_jump(NET, REAL, p, 64)["agree"] for p in (1024, 2048, 2049)]
    assert np.diff(agree) == pytest.approx([2 * REAL.level] * 2)


def test_a_halo_wider_than_the_block_asks_more_neighbours_and_no_more_cells_than_the_domain():
    wide = dataclasses.replace(NET, reach=100, halo=100)
    parts = tiles_jump(wide, FREE, 100, 64)
    assert parts["program"] == pytest.approx(1e-6 * 264**2)
    assert tiles_jump(wide, FREE, 4, 64)["program"] == pytest.approx(1e-6 * 128**2)
    latency = tiles_jump(wide, dataclasses.replace(FREE, latency=1.0), 100, 64)["exchange"]
    assert latency == pytest.approx(24)


def test_a_jump_is_the_sum_of_its_parts_and_one_rank_sends_nothing():
    parts = tiles_jump(NET, REAL, 100, 64)
    assert parts["jump"] == pytest.approx(sum(v for k, v in parts.items() if k != "jump"))
    alone = tiles_jump(NET, REAL, 1, 64)
    assert alone["exchange"] == alone["agree"] == 0


def test_gathering_costs_the_leader_the_whole_domain():
    assert gather_jump(NET, FREE, 100, 640.0**2) >= 1e-6 * 640**2


def test_a_collective_open_grows_with_the_logarithm_of_the_nodes():
    small, large = (open_seconds(NET, REAL, p) for p in (10_000, 20_000))
    assert large["collective"] - small["collective"] == pytest.approx(1e-6 + 1e-3)
    assert large["each_reads"] - NET.load == pytest.approx(2 * (small["each_reads"] - NET.load))


def test_splitting_computes_the_rims_three_halos_wide():
    assert split_cells((64, 32), (0, 0)) == 64 * 32
    # outputs 4 rows high at both ends, each from 12 rows of the tile
    assert split_cells((64, 32), (4, 0)) == 64 * 32 + 2 * 12 * 32
    assert split_cells((64, 32), (4, 2)) == 64 * 32 + 2 * 12 * 36 + 2 * 6 * 64


def test_overlapping_pays_where_the_exchange_takes_longer_than_the_cells_it_adds():
    slow = overlap((64, 32), (4, 0), exchange_seconds=0.5, program_seconds=1.0)
    fast = overlap((64, 32), (4, 0), exchange_seconds=0.01, program_seconds=1.0)
    assert slow["pays"]
    assert not fast["pays"]
    assert fast["extra_cells"] == pytest.approx((64 * 32 + 24 * 32) / (72 * 32) - 1)
    assert "does not pay" in answer([fast])
    assert "would pay in 1" in answer([fast, slow])


@pytest.mark.parametrize("boundary", [("periodic", "zero"), ("replicate", "periodic", "zero")])
def test_the_net_depends_on_what_its_layers_reach(tmp_path, boundary):
    spec = NetSpec(stride=2, depth=2, width=4, channels=2, boundary=boundary)
    manifest = check_bundle(local_net_bundle(tmp_path, spec))
    # a fine cell reaches over its coarse one, then one coarse cell a layer
    assert manifest.locality.receptive_field == [2 * 2 + 1] * len(boundary)
    assert manifest.locality.stride == [2] * len(boundary)
    assert not manifest.locality.reduces_over_space


def test_the_float64_net_carries_more_digits_than_float32(tmp_path):
    small = {"depth": 2, "width": 4, "channels": 1}
    single = Surrogate.open(local_net_bundle(tmp_path, NetSpec(**small)))
    double = Surrogate.open(local_net_bundle(tmp_path, NetSpec("fp64", **small)))
    state = np.random.default_rng(0).normal(size=(1, 16, 16))
    pair = double.predict(np.concatenate([state, np.zeros_like(state)]))
    leading, rest = pair[:1] - state, pair[1:]
    assert 0 < np.abs(rest).max() <= np.spacing(np.float32(np.abs(leading).max()))
    rounding = np.abs(single.predict(state) - state - leading).max()
    assert 0 < rounding <= 1e-5 * np.abs(leading).max()


def test_the_identity_bundle_returns_the_normalised_state_as_increment(tmp_path):
    model = Surrogate.open(identity_bundle(tmp_path))
    state = np.random.default_rng(0).normal(size=(1, 8, 8))
    np.testing.assert_allclose(
        model.predict(state), state + 0.25 * (state - 0.5) / 2.0, rtol=0, atol=1e-6
    )
