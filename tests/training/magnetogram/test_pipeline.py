"""The whole road: FITS segments to cubes, pairs, a split, a trained net, a bundle, and back to FITS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsoc import sharp_header, spot, write_maps, write_segment, write_series
from surrogate_training.cli.data import app
from surrogate_training.data.pairs import open_sets
from surrogate_training.export import export_run
from surrogate_training.magnetogram.images import read_image
from surrogate_training.recipe import parse_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from typer.testing import CliRunner

HARPS = tuple(range(377, 387))
TINY: dict[str, Any] = {
    "name": "tiny",
    "data": {
        "path": ".",
        "pairs": {f"{part}": f"split/{part}/pairs.csv" for part in ("train", "validation", "test")},
        "fields": [
            {"name": "br", "dataset": "Br", "unit": "Mx/cm^2", "scaling": "asinh", "softening": 50},
            {"name": "bt", "dataset": "Bt", "unit": "Mx/cm^2"},
            {"name": "bp", "dataset": "Bp", "unit": "Mx/cm^2", "condition": True},
        ],
        "missing": "mask",
        "augment": {
            "translate": False,
            "flip": ["x", "y"],
            "negate": ["br", "bt", "bp"],
            # the south component is minus the north one: the same signs
            "axial": [["bp", "bt", "br"]],
        },
    },
    "model": {
        "widths": [8],
        "encoder_blocks": [1],
        "decoder_blocks": [],
        "boundary": ["replicate"] * 2,
    },
    "optimiser": {"steps": 3, "batch": 2, "warmup": 1},
    "run": {"threads": 1, "validate_every": 3, "checkpoint_every": 3},
    "physics": {"time_unit": "h", "length_unit": "deg"},
}


def call(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def refused(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return done.output


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything up to the split, by the commands."""
    folder = tmp_path_factory.mktemp("road")
    write_series(folder / "jsoc", HARPS, (0.0, 4.0))
    said = call("cube", folder / "jsoc", folder / "cubes")
    assert "20 cubes of Br, Bt, Bp (from segments)" in said
    said = call("pair", folder / "cubes", "--hours", "4", "--tolerance", "0.1")
    assert "10 pairs of 10 regions" in said
    said = call(
        "split", folder / "cubes", folder / "split", "--ratio", "0.8", "--validation", "0.2",
        "--by", "longitude", "--buffer", "5",
    )  # fmt: skip
    assert "left out in buffers" not in said  # regions of one degree stand ten apart
    return folder


def test_the_parts_are_opened_by_the_trainer_with_masks_and_units(road: Path) -> None:
    sets = open_sets(parse_recipe(TINY).data, root=road)
    assert {part: len(pairs) for part, pairs in sets.items()} == {
        "train": 6,
        "validation": 2,
        "test": 2,
    }
    pair, weight = sets["train"].pair(0), sets["train"].weight(0)
    assert pair.shape == (2, 3, 32, 32)
    assert np.isfinite(pair).all()
    assert weight is not None
    assert (weight == 0).sum() == 9
    assert sets["train"].jump(0) == 4.0


def test_a_net_trained_on_cubes_predicts_fits_files(road: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    Trainer(parse_recipe(TINY), run, root=road).train()
    bundle = tmp_path / "tiny.surrogate"
    export_run(run, bundle, root=road)
    test = road / "split" / "test" / "pairs.csv"
    guards = tmp_path / "guards.json"
    guards.write_text(
        '{"jump": null}'
    )  # three steps of training hardly move a frame: a guard says so
    found = json.loads(
        call("predict", bundle, test, tmp_path / "pred", "--guards", guards, "--json")
    )
    assert len(found["cubes"]) == 2
    first = read_image(Path(found["cubes"][0]))
    assert [first.header["CHAN1"], first.header["CHAN2"]] == ["Br", "Bt"]
    before = read_image(road / "cubes" / first.header["CHFILE1"])
    # three steps of training: not far from persistence, and not the same
    change = np.nanmean(np.abs(first.data - before.data[:2]))
    assert 0 < change < np.nanstd(before.data[:2])
    assert np.isnan(first.data[:, :3, :3]).all()
    assert np.isfinite(first.data[:, 3:]).all()
    files = json.loads(
        call("uncube", tmp_path / "pred", tmp_path / "fits", "--to", "channels", "--json")
    )
    assert len(files["files"]) == 2 * len(found["cubes"])
    single = read_image(Path(files["files"][0]))
    np.testing.assert_array_equal(single.data, first.data[0])
    assert single.header["T_REC"] == first.header["T_REC"] != before.header["T_REC"]
    assert any("bundle tiny sha256" in line for line in single.header["HISTORY"])


def test_a_solvers_maps_take_the_same_road(tmp_path: Path) -> None:
    write_maps(tmp_path / "maps.h5")
    size = (
        "--to",
        "sharp",
        "--size",
        "16",
        "--lat-bands",
        "1",
        "--lon-sectors",
        "6",
        "--fields",
        "br,vlon,vlat",
    )
    said = call("convert", tmp_path / "maps.h5", tmp_path / "sharp", *size)
    assert "54 files of 6 regions at 3 times" in said
    names = "Br,Vlon,Vlat"
    call("cube", tmp_path / "sharp", tmp_path / "cubes", "--channels", names)
    call("pair", tmp_path / "cubes")
    options = ("--by", "longitude", "--buffer", "5", "--json")
    report = json.loads(call("split", tmp_path / "cubes", tmp_path / "split", *options))
    assert report["pairs"] == {"train": 10, "test": 2}
    assert report["parts"]["dropped"] == []


def test_every_bad_input_is_one_line_that_names_it(road: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    good = write_segment(bad, spot(), sharp_header(), stored="float32")
    assert "no such file or folder" in refused("cube", tmp_path / "none", tmp_path / "o")
    good.write_bytes(good.read_bytes()[:3000])
    assert "Br.fits: cannot be read as FITS" in refused("cube", bad, tmp_path / "o")
    good.unlink()
    write_segment(
        bad, spot(), sharp_header(T_REC=None, T_OBS=None, **{"DATE-OBS": None}), name="a.fits"
    )
    assert "a.fits: no T_REC" in refused("cube", bad, tmp_path / "o")
    assert "--size 7: expected NY,NX" in refused("cube", bad, tmp_path / "o", "--size", "7")
    assert "24 h apart" in refused("pair", road / "cubes", "--hours", "24")
    assert "leaves no region outside" in refused(
        "split", road / "cubes", tmp_path / "o", "--by", "longitude", "--buffer", "170"
    )
    told = json.loads(refused("split", tmp_path / "none", tmp_path / "o", "--json"))
    assert (told["status"], told["reason"]) == ("FAILED", "NotFoundError")
    assert not (tmp_path / "o").exists()
