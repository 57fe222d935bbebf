"""Splits: whole regions, sectors with a buffer, one region under two names, no shared frame, no empty part."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from jsoc import sharp_header, spot, write_segment
from surrogate_training.data.split import LeakageError
from surrogate_training.magnetogram.cube import make_cubes
from surrogate_training.magnetogram.images import read_header
from surrogate_training.magnetogram.pairing import pair_cubes
from surrogate_training.magnetogram.pairlist import read_pairs, write_pairs
from surrogate_training.magnetogram.regions import find_regions
from surrogate_training.magnetogram.splitting import split_pairs
from surrogate_training.magnetogram.wcs import Extent, carrington_extent

from surrogate.errors import ArgumentError

TIMES = (0.0, 4.0)


def listed(tmp_path: Path, regions: dict[int, dict[str, Any]], n: int = 16) -> Path:
    """A pairs.csv of regions, each with keywords of its own."""
    for harp, keywords in regions.items():
        for hours in TIMES:
            data = spot(n, hours, seed=keywords.get("SEED", harp))
            header = sharp_header(harp, hours, n, **keywords)
            name = f"r{harp}.{hours:g}.Br.fits"
            write_segment(tmp_path / "in", data, header, stored="float32", name=name)
    make_cubes([tmp_path / "in"], tmp_path / "cubes", channels=["Br"])
    path = tmp_path / "cubes" / "pairs.csv"
    write_pairs(path, pair_cubes([tmp_path / "cubes"]).pairs)
    return path


def ring(count: int = 24) -> dict[int, dict[str, Any]]:
    """Regions side by side around the Sun, one every 15 degrees."""
    return {400 + k: {"CRVAL1": 15.0 * k + 5, "CRVAL2": 0.0} for k in range(count)}


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("around")
    return listed(folder, ring())


def extent(path: Path) -> Extent:
    header = read_header(path)
    return carrington_extent(header, (16, 16), path)


def test_whole_regions_go_to_one_part_by_the_ratio(around: Path, tmp_path: Path) -> None:
    report = split_pairs(around, tmp_path, ratio=0.75, validation=0.25, seed=3)
    parts = {part: read_pairs(tmp_path / part) for part in ("train", "validation", "test")}
    assert {part: len(pairs) for part, pairs in parts.items()} == report.pairs
    assert [len(report.parts[p]) for p in parts] == [12, 6, 6]
    for a, b in combinations(parts.values(), 2):
        assert not {p.region for p in a} & {p.region for p in b}
    assert all(p.file1.is_file() and p.file2.is_file() for pairs in parts.values() for p in pairs)
    assert json.loads((tmp_path / "split.json").read_text())["seed"] == 3


def test_the_seed_decides_and_repeats(around: Path, tmp_path: Path) -> None:
    reports = [
        split_pairs(around, tmp_path / str(k), seed=seed).parts for k, seed in enumerate((1, 1, 2))
    ]
    assert reports[0] == reports[1] != reports[2]


@pytest.mark.parametrize("seed", range(3))
def test_sectors_are_apart_by_the_buffer_and_nothing_is_lost(
    around: Path, tmp_path: Path, seed: int
) -> None:
    report = split_pairs(
        around, tmp_path, ratio=0.8, validation=0.1, by="longitude", buffer=20.0, seed=seed
    )
    parts = {p: read_pairs(tmp_path / p) for p in ("train", "validation", "test")}
    extents = {part: [extent(p.file1) for p in pairs] for part, pairs in parts.items()}
    for a, b in combinations(extents.values(), 2):
        assert min(x.gap(y) for x in a for y in b) >= 20.0
    assert len(report.parts["test"]) == 5
    assert len(report.parts["validation"]) == 2
    # one patch stands within 20 degrees on each side; test and validation share a buffer
    assert len(report.parts["dropped"]) == 3
    assert sum(len(names) for names in report.parts.values()) == 24


def test_a_buffer_in_cells_is_turned_into_degrees(around: Path, tmp_path: Path) -> None:
    # cells of 0.03 degrees, on the equator
    report = split_pairs(around, tmp_path, by="longitude", buffer=2.0, buffer_cells=500)
    assert report.buffer == pytest.approx(15.0, rel=1e-3)
    assert len(report.parts["dropped"]) == 2


def test_overlapping_harps_and_shared_noaa_numbers_are_one_region(tmp_path: Path) -> None:
    path = listed(
        tmp_path,
        {
            501: {"CRVAL1": 10.0, "NOAA_AR": 12001, "NOAA_ARS": "12001,12002"},
            502: {"CRVAL1": 50.0, "NOAA_AR": 12002, "NOAA_ARS": "12002"},
            503: {"CRVAL1": 90.0},
            504: {"CRVAL1": 90.2},  # 16 pixels of 0.03 degrees: overlaps 503
            505: {"CRVAL1": 200.0},
        },
    )
    names = {region.names for region in find_regions(read_pairs(path))}
    assert names == {("harp501", "harp502"), ("harp503", "harp504"), ("harp505",)}
    report = split_pairs(path, tmp_path / "out", ratio=0.6)
    assert sorted(report.linked) == [["harp501", "harp502"], ["harp503", "harp504"]]
    for names_of_part in report.parts.values():
        assert ("harp501" in names_of_part) == ("harp502" in names_of_part)
        assert ("harp503" in names_of_part) == ("harp504" in names_of_part)


def test_the_same_frames_under_two_names_are_found(tmp_path: Path) -> None:
    regions = {harp: {"CRVAL1": 60.0 * (harp - 600), "SEED": 1} for harp in (601, 602)}
    with pytest.raises(LeakageError, match=r"the same pixels as .*one region under two names"):
        split_pairs(listed(tmp_path, regions), tmp_path / "out", ratio=0.5)
    assert not (tmp_path / "out").exists()


def test_an_empty_part_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = listed(tmp_path, {377: {}})
    with pytest.raises(ArgumentError, match=r"1 region\(s\).*pair cubes of at least 2 regions"):
        split_pairs(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_buffer_that_empties_training_is_an_error(around: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="leaves no region outside; choose a smaller --buffer"):
        split_pairs(around, tmp_path / "out", by="longitude", buffer=170.0)
    assert not (tmp_path / "out").exists()


def test_regions_without_longitude_are_split_by_region_alone(tmp_path: Path) -> None:
    path = listed(tmp_path, {k: {"CTYPE1": "HPLN-TAN", "CRVAL1": 60.0 * k} for k in (701, 702)})
    assert split_pairs(path, tmp_path / "out", ratio=0.5).pairs == {"train": 1, "test": 1}
    with pytest.raises(ArgumentError, match="region harp701: its headers tell no Carrington"):
        split_pairs(path, tmp_path / "out", ratio=0.5, by="longitude")


@pytest.mark.parametrize(
    "options",
    [{"ratio": 1.0}, {"ratio": 0.0}, {"validation": 0.9}, {"buffer": 5.0}, {"buffer": -1.0}],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        split_pairs(tmp_path, tmp_path / "out", **options)  # type: ignore[arg-type]
