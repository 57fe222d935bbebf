"""mhd2d with a surrogate in its loop: what the solver keeps, and what it does when the frame is refused."""

import re

import numpy as np
import pytest
from bundles import field, stub_bundle
from integration.mhd2d_tools import FIELDS, ROOT, SOURCE, read, same_bits, solve, start

STEP = 0.05
SHIFT = [3, -5]


def state_fields():
    return [field(name, mean=1.0, std=2.0, scale=0.5) for name in FIELDS]


def bundle(folder, program, **more):
    """A bundle for the solver's state that returns `program` of the normalised state, with time step STEP."""
    channels = {"operation": "affine", "channels": [0, 1, 2, 3, 4]}
    rest = {
        "time": {"step": STEP, "unit": "1"},
        "locality": {"receptive_field": [abs(cells) for cells in SHIFT], "stride": [1, 1]},
    }
    return stub_bundle(folder, state_fields(), channels | program, **rest | more)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A frame to jump from, at 64²."""
    path = tmp_path_factory.mktemp("first") / "first.h5"
    solve(problem="random", seed=7, nx=64, t_end=0.2, output=path)
    return path


def jump(first, folder, bundle_path, ranks=1, **options):
    folder.mkdir(exist_ok=True)
    path = folder / f"next_{ranks}.h5"
    report = solve(
        ranks=ranks, restart=first, t_end=0.2 + STEP, output=path, surrogate=bundle_path, **options
    )
    return report, read(path)


@pytest.fixture
def moving(tmp_path):
    """Adds a tenth of a shifted, normalised state to A_z and a little to the rest."""
    program = {"scale": [0.01, 0.1, 0.1, 0.01, 0.3], "offset": [0.0] * 5, "shift": SHIFT}
    return bundle(tmp_path / "moving.surrogate", program)


def test_zero_increments_leave_the_state_as_it_is(first, tmp_path):
    still = bundle(tmp_path / "still.surrogate", {"scale": [0.0] * 5, "offset": [0.0] * 5})
    report, after = jump(first, tmp_path, still)
    before = read(first)
    assert report["steps"] == 0
    assert after.time[0] == pytest.approx(0.2 + STEP)
    for name in FIELDS:
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-13)


def test_the_frame_is_what_the_program_says(first, tmp_path, moving):
    report, after = jump(first, tmp_path, moving)
    before = read(first)["az"][0]
    expected = before + 0.5 * 0.3 * (np.roll(before, SHIFT, axis=(0, 1)) - 1.0) / 2.0
    assert report["steps"] == 0
    np.testing.assert_allclose(after["az"][0], expected, rtol=0, atol=1e-6)


def difference(a, b, before):
    """Largest difference of two frames, in units of the largest change from `before`, field by field."""
    return max(
        np.abs(a[name] - b[name]).max() / np.abs(b[name] - before[name]).max() for name in FIELDS
    )


@pytest.mark.parametrize("mode", ["tiles", "gather", "batch"])
@pytest.mark.parametrize("ranks", [1, 2, pytest.param(3, marks=pytest.mark.full), 4])
def test_any_number_of_ranks_gives_the_same_frame_in_every_mode(
    first, tmp_path, moving, ranks, mode
):
    _, serial = jump(first, tmp_path, moving)
    report, parallel = jump(
        first, tmp_path / mode, moving, ranks=ranks, surrogate_mode=mode, surrogate_threads=1
    )
    assert report["surrogate"]["jumps"] == 1
    assert ranks == 1 or report["surrogate"]["mode"] == mode
    assert difference(parallel, serial, read(first)) <= 1e-5


def test_tiles_move_little_more_than_their_halos(first, tmp_path, moving):
    report, _ = jump(first, tmp_path, moving, ranks=2, surrogate_mode="tiles")
    cost = report["surrogate"]
    halo = 4 * len(FIELDS) * 2 * abs(SHIFT[0]) * 64
    assert cost["minimum_bytes"] == halo
    assert halo <= cost["bytes_received"] <= 1.2 * halo


def test_tiles_of_a_given_shape_give_the_same_bits_on_any_number_of_ranks(first, tmp_path, moving):
    tile = {"surrogate_tile": "16x16", "surrogate_threads": 1, "surrogate_mode": "tiles"}
    _, serial = jump(first, tmp_path, moving, **tile)
    for ranks in (2, 3):
        _, parallel = jump(first, tmp_path, moving, ranks=ranks, **tile)
        assert same_bits(serial, parallel)


def test_div_b_stays_at_round_off_through_a_jump_and_after_it(first, tmp_path, moving):
    report, _ = jump(first, tmp_path, moving)
    assert report["max_div_b"] <= 1e-12
    later = solve(restart=tmp_path / "next_1.h5", t_end=0.3)
    assert later["steps"] > 0
    assert later["max_div_b"] <= 1e-12


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_frame_that_one_cell_spoils_is_stepped_natively_on_all_ranks(first, tmp_path, ranks):
    densest = read(first)["rho"].max()
    spoiled = bundle(
        tmp_path / "spoiled.surrogate",
        {"scale": [0.0] * 5, "offset": [1e-3, 0.0, 0.0, 0.0, 0.0]},
        guards={"bounds": {"rho": {"upper": float(densest) + 1e-4}}},
    )
    report, after = jump(first, tmp_path, spoiled, ranks=ranks)
    native = tmp_path / "native.h5"
    solve(restart=first, t_end=0.2 + STEP, output=native)
    assert report["steps"] > 0
    assert report["surrogate"]["refused"] == 1
    for name in FIELDS:
        np.testing.assert_allclose(after[name], read(native)[name], rtol=0, atol=1e-12)


def test_frames_after_the_first_are_jumps(tmp_path, moving):
    report = solve(
        problem="random", seed=3, nx=32, first_frame=0.1, interval=STEP, frames=3,
        output=tmp_path / "frames.h5", surrogate=moving,
    )  # fmt: skip
    assert report["steps_per_interval"][0] > 0
    assert report["steps_per_interval"][1:] == [0, 0]


def test_repeats_time_the_same_interval(first, tmp_path):
    report, last = jump(
        first,
        tmp_path,
        bundle(tmp_path / "b.surrogate", {"scale": [0.1] * 5, "offset": [0.0] * 5}),
        repeat=3,
    )
    _, once = jump(first, tmp_path, tmp_path / "b.surrogate")
    assert len(report["seconds_per_interval"]) == 3
    for name in FIELDS:
        np.testing.assert_allclose(last[name], once[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_a_missing_bundle_is_one_clear_message(first, tmp_path, ranks):
    done = start(
        ranks=ranks, restart=first, t_end=0.2 + STEP, surrogate=tmp_path / "nowhere.surrogate"
    )
    assert done.returncode != 0
    assert "nowhere.surrogate" in done.stderr
    assert done.stderr.count("mhd2d:") == 1


@pytest.mark.parametrize("ranks", [1, 3])
def test_an_interval_that_is_not_the_time_step_is_refused(first, moving, ranks):
    done = start(ranks=ranks, restart=first, t_end=0.3, surrogate=moving)
    assert done.returncode != 0
    assert "jumps by 0.05" in done.stderr
    assert done.stderr.count("mhd2d:") == 1


def test_a_net_that_reduces_over_space_is_gathered_and_refused_in_tiles(first, tmp_path):
    whole = bundle(
        tmp_path / "whole.surrogate",
        {"scale": [0.0] * 5, "offset": [0.0] * 5},
        locality={"receptive_field": [0, 0], "stride": [1, 1], "reduces_over_space": True},
    )
    report, _ = jump(first, tmp_path, whole, ranks=2)
    assert report["surrogate"]["mode"] == "gather"
    options = {"restart": first, "t_end": 0.2 + STEP, "surrogate": whole}
    done = start(ranks=2, surrogate_mode="tiles", **options)
    assert done.returncode != 0
    assert "tiles" in done.stderr
    assert done.stderr.count("mhd2d:") == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [("surrogate_mode", "tile"), ("surrogate_tile", "16"), ("surrogate_threads", "-1")],
)
def test_an_option_of_the_surrogate_that_makes_no_sense_is_named(first, moving, option, value):
    done = start(restart=first, t_end=0.2 + STEP, surrogate=moving, **{option: value})
    assert done.returncode != 0
    assert f"--{option.replace('_', '-')}: got '{value}'" in done.stderr


@pytest.mark.parametrize("ranks", [1, 2])
def test_cells_of_another_size_than_the_models_are_refused(first, tmp_path, ranks):
    grid = {
        "axes": ["y", "x"], "multiple_of": [1, 1], "minimum_shape": [1, 1],
        "boundary": ["periodic"] * 2, "spacing": [1 / 64, 1 / 128],
    }  # fmt: skip
    program = {"scale": [0.0] * 5, "offset": [0.0] * 5}
    model = bundle(tmp_path / "fine.surrogate", program, grid=grid)
    done = start(ranks=ranks, restart=first, t_end=0.2 + STEP, surrogate=model)
    assert done.returncode != 0
    assert (
        "trained on cells of 0.0078125 x 0.015625, the run's are 0.015625 x 0.015625" in done.stderr
    )
    model = bundle(tmp_path / "same.surrogate", program, grid={**grid, "spacing": [1 / 64, 1 / 64]})
    jump(first, tmp_path, model)


def test_a_mean_field_that_the_model_cannot_see_is_refused(moving):
    mean_field = {"b0x": 0.5, "problem": "random", "seed": 3, "nx": 32}
    done = start(t_end=STEP, surrogate=moving, **mean_field)
    assert done.returncode != 0
    assert "knows no mean field, the run's is 0.5, 0" in done.stderr


def test_the_readme_shows_the_lines_of_the_loop_and_no_more_than_15():
    diff = re.search(r"```diff\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    added = [line[1:] for line in diff.group(1).splitlines() if line.startswith("+")]
    source = [
        line for name in ("run.c", "jump.c") for line in (SOURCE / name).read_text().splitlines()
    ]
    assert 0 < len(added) <= 15
    missing = [line for line in added if line not in source]
    assert not missing
    calls = re.compile(
        r"surrogate_mpi_(open|predict\w*|close)\(|&jumps, o|jumper_(jump|close)\(jumps"
    )
    shown = [line for line in source if calls.search(line)]
    assert [line for line in shown if line not in added] == []
