"""What must hold exactly: conservation, div B, and the same bits on any number of ranks."""

import pytest
from integration.mhd2d_tools import read, same_bits, solve


@pytest.mark.parametrize("problem", ["random", "orszag-tang"])
@pytest.mark.parametrize("mean_field", [0.0, 0.3])
def test_mass_momentum_energy_are_conserved_and_b_stays_solenoidal(problem, mean_field):
    report = solve(
        problem=problem, seed=5, nx=96, ny=64, ly=0.7, t_end=0.4, b0x=mean_field, b0y=-mean_field
    )
    assert report["floor_count"] == 0
    assert report["steps"] > 100
    for name in ("mass", "momentum_x", "momentum_y", "energy"):
        assert report[f"{name}_final"] == pytest.approx(report[f"{name}_initial"], abs=1e-12)
    assert report["max_div_b"] < 1e-12


def test_ranks_do_not_change_a_bit(tmp_path):
    """Uneven blocks, a mean field, cells of unequal sides."""
    setting = {
        "problem": "random",
        "seed": 3,
        "nx": 61,
        "ny": 50,
        "b0x": 0.2,
        "b0y": -0.1,
        "frames": 2,
        "first_frame": 0.1,
        "interval": 0.1,
    }
    for ranks in (1, 2, 3, 4):
        solve(ranks=ranks, output=tmp_path / f"{ranks}.h5", **setting)
    alone = read(tmp_path / "1.h5")
    for ranks in (2, 3, 4):
        assert same_bits(alone, read(tmp_path / f"{ranks}.h5")), f"{ranks} ranks differ from one"


def test_floors_are_counted_and_rank_invariant(tmp_path):
    """A violent state: the solver survives, counts the cells it lifted, and conserves mass."""
    setting = {"problem": "random", "seed": 0, "nx": 32, "mach": 6, "beta": 0.02, "t_end": 0.05}
    reports = [solve(ranks=ranks, output=tmp_path / f"{ranks}.h5", **setting) for ranks in (1, 3)]
    assert reports[0]["floor_count"] == reports[1]["floor_count"] > 0
    assert reports[0]["mass_final"] == pytest.approx(reports[0]["mass_initial"], abs=1e-12)
    assert reports[0]["max_div_b"] < 1e-12
    assert same_bits(read(tmp_path / "1.h5"), read(tmp_path / "3.h5"))
