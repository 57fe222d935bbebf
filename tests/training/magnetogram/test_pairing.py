"""Pairs: by region and time, with gaps, duplicates and irregular cadence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from jsoc import sharp_header, spot, write_segment, write_series
from surrogate_training.magnetogram.cube import make_cubes
from surrogate_training.magnetogram.pairing import pair_cubes
from surrogate_training.magnetogram.pairlist import read_pairs, write_pairs

from surrogate.errors import ArgumentError, CorruptError, FieldError, ShapeError, UnitError


def cubes(tmp_path: Path, *times: float, harps: tuple[int, ...] = (377,), n: int = 32) -> Path:
    source = write_series(tmp_path / f"in{n}", harps, times, n=n, segments=("Br",))
    make_cubes([source], tmp_path / "cubes", channels=["Br"])
    return tmp_path / "cubes"


def test_neighbours_of_one_region_are_paired_and_regions_never_mixed(tmp_path: Path) -> None:
    report = pair_cubes([cubes(tmp_path, 0, 4, 8, harps=(377, 378))])
    assert (report.hours, report.regions, report.gaps) == (4.0, 2, [])
    assert [(p.region, p.hours) for p in report.pairs] == [("harp377", 4.0)] * 2 + [
        ("harp378", 4.0)
    ] * 2
    for pair in report.pairs:
        assert pair.region in pair.file1.name
        assert pair.region in pair.file2.name


def test_a_gap_is_counted_and_pairs_go_on_after_it(tmp_path: Path) -> None:
    report = pair_cubes([cubes(tmp_path, 0, 4, 12, 16)], hours=4)
    assert len(report.pairs) == 2
    assert report.gaps == ["harp377 after 2011.02.12_04:00:00_TAI"]


def test_irregular_times_are_paired_within_the_tolerance_and_the_true_step_is_told(
    tmp_path: Path,
) -> None:
    folder = cubes(tmp_path, 0, 4.2, 8.0)
    assert [p.hours for p in pair_cubes([folder], hours=4, tolerance=0.06).pairs] == [4.2, 3.8]
    with pytest.raises(ArgumentError, match=r"within 1 %\); neighbouring cubes are 3.8 to 4.2 h"):
        pair_cubes([folder], hours=4, tolerance=0.01)


def test_the_nearest_of_several_candidates_is_taken(tmp_path: Path) -> None:
    report = pair_cubes([cubes(tmp_path, 0, 3.8, 4.1, 8)], hours=4, tolerance=0.1)
    assert report.pairs[0].hours == 4.1


def test_a_copy_is_counted_and_a_different_cube_of_that_time_refused(tmp_path: Path) -> None:
    folder = cubes(tmp_path, 0, 4)
    first = folder / "harp377.20110212_000000_TAI.fits"
    shutil.copy(first, folder / "copy.fits")
    assert pair_cubes([folder]).duplicates == 1
    write_segment(tmp_path / "b", spot(seed=5), sharp_header())
    make_cubes([tmp_path / "b"], tmp_path / "other", channels=["Br"])
    with pytest.raises(ArgumentError, match=r"are both harp377 at 2011\.02\.12_00:00:00_TAI"):
        pair_cubes([folder, tmp_path / "other"])


def test_mixed_shapes_and_channels_name_the_odd_cube(tmp_path: Path) -> None:
    folder = cubes(tmp_path, 0, 4)
    make_cubes(
        [write_series(tmp_path / "b", (378,), (0.0,), n=16, segments=("Br",))],
        folder,
        channels=["Br"],
    )
    with pytest.raises(ShapeError, match=r"harp378.*16 x 16 pixels, but most cubes have 32 x 32"):
        pair_cubes([folder])
    next(folder.glob("harp378*")).unlink()
    make_cubes([write_series(tmp_path / "c", (379,), (0.0,))], folder)
    with pytest.raises(UnitError, match=r"harp379.*channels Br \[G\], Bt \[G\]"):
        pair_cubes([folder])


def test_files_that_are_no_cubes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"no keyword CHAN1.*surrogate data cube"):
        pair_cubes([write_series(tmp_path, times=(0.0,))])


def test_one_cube_a_region_gives_nothing_to_pair(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no region has two cubes"):
        pair_cubes([cubes(tmp_path, 0, harps=(377, 378))])


@pytest.mark.parametrize(("hours", "tolerance"), [(0, 0.1), (-4, 0.1), (4, 0.5), (4, -0.1)])
def test_options_out_of_range_are_refused(tmp_path: Path, hours: float, tolerance: float) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        pair_cubes([tmp_path], hours=hours, tolerance=tolerance)


def test_a_list_is_read_back_from_any_folder(tmp_path: Path) -> None:
    found = pair_cubes([cubes(tmp_path, 0, 4.2)], hours=4).pairs
    path = tmp_path / "a" / "b" / "pairs.csv"
    write_pairs(path, found)
    head, row = path.read_text().splitlines()
    assert head == "region,t1,t2,dt_hours,file1,file2"
    assert row.startswith(
        "harp377,2011.02.12_00:00:00_TAI,2011.02.12_04:12:00_TAI,4.2,../../cubes/harp377"
    )
    (again,) = read_pairs(path)
    assert (again.region, again.t1, again.t2) == (found[0].region, found[0].t1, found[0].t2)
    assert again.file1.samefile(found[0].file1)
    with pytest.raises(ArgumentError, match="no pairs"):
        write_pairs(path, [])
    assert path.read_text().startswith(head)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'region'"),
        ("region,t1,t2,dt_hours,file1,file2\n", "holds no pair"),
        ("region,t1,t2,dt_hours,file1,file2\nharp1,now,later,4,a,b\n", "line 2: 'now' is no time"),
        ("region,t1,t2,dt_hours,file1,file2\nharp1\n", "line 2"),
    ],
)
def test_a_damaged_list_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(CorruptError, match=message):
        read_pairs(tmp_path)
