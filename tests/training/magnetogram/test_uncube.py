"""The way back: single files with WCS, moved times, units, masks and a history."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import field, stub_bundle
from jsoc import sharp_header, spot, write_segment, write_series
from surrogate_training.magnetogram.cube import make_cubes
from surrogate_training.magnetogram.images import read_image
from surrogate_training.magnetogram.pairing import pair_cubes
from surrogate_training.magnetogram.pairlist import write_pairs
from surrogate_training.magnetogram.prediction import predict_cubes
from surrogate_training.magnetogram.uncube import uncube

import surrogate
from surrogate.errors import ArgumentError, FieldError, ShapeError, UnitError

WCS = ("CTYPE1", "CTYPE2", "CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CDELT1", "CDELT2", "CUNIT1")


def doubling(tmp_path: Path, **more: Any) -> Path:
    """Predicts br and bt as twice what they are; bp is a condition. u + (u - mean) with mean 0."""
    fields = [
        field("br", unit="G"),
        field("bt", unit="Mx/cm^2"),
        field("bp", unit="G", prediction=None),
    ]
    program = {"operation": "affine", "scale": [1.0, 1.0], "offset": [0.0, 0.0], "channels": [0, 1]}
    return stub_bundle(
        tmp_path / "double.surrogate",
        fields,
        program | more.pop("program", {}),
        **{"time": {"step": 4.0, "unit": "h"}, **more},
    )


@pytest.fixture
def cubes(tmp_path: Path) -> Path:
    make_cubes([write_series(tmp_path / "in", times=(0.0, 4.0))], tmp_path / "cubes")
    return tmp_path / "cubes"


def test_a_predicted_cube_holds_the_predicted_channels_at_t2(tmp_path: Path, cubes: Path) -> None:
    bundle = doubling(tmp_path)
    report = predict_cubes(bundle, [cubes], tmp_path / "out", engine="stub")
    assert [p.name for p in report.cubes] == [
        f"harp377.20110212_{hour}0000_TAI.fits" for hour in ("04", "08")
    ]
    before = read_image(cubes / "harp377.20110212_000000_TAI.fits")
    after = read_image(report.cubes[0])
    np.testing.assert_allclose(after.data, 2 * before.data[:2], rtol=1e-6)
    assert np.isnan(after.data[:, :3, :3]).all()
    h = after.header
    assert (h["T_REC"], h["PRED_T1"]) == ("2011.02.12_04:00:00_TAI", "2011.02.12_00:00:00_TAI")
    assert h["T_OBS"] == "2011.02.12_04:00:00_TAI"
    assert h["DATE-OBS"] == "2011-02-12T03:59:26.000Z"
    assert [h["CHAN1"], h["CHAN2"], "CHAN3" in h] == ["Br", "Bt", False]
    assert {k: h[k] for k in WCS} == {k: before.header[k] for k in WCS}
    assert "USFLUX" not in h  # of the pixels at t1
    history = " ".join(h["HISTORY"])
    digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    for text in (surrogate.__version__, "double", digest[:16], "harp377.20110212_000000_TAI.fits"):
        assert text in history


def test_a_list_of_pairs_is_predicted_from_its_first_files(tmp_path: Path, cubes: Path) -> None:
    write_pairs(cubes / "pairs.csv", pair_cubes([cubes]).pairs)
    report = predict_cubes(doubling(tmp_path), [cubes / "pairs.csv"], tmp_path / "o", engine="stub")
    assert len(report.cubes) == 1


@pytest.mark.parametrize("recipe", [True, False], ids=["recipe", "no recipe"])
def test_cells_without_data_are_filled_as_in_training(
    tmp_path: Path, cubes: Path, recipe: bool
) -> None:
    # the program returns what lies three cells away: u + (what was filled in) beside the hole of 3 x 3 cells
    fields = [{"name": "br", "fill": 7.0}, {"name": "bt"}, {"name": "bp"}]
    bundle = doubling(
        tmp_path,
        program={"shift": [3, 3]},
        provenance={"recipe": {"data": {"fields": fields}}} if recipe else {},
    )
    report = predict_cubes(bundle, [cubes], tmp_path / "out", engine="stub")
    before = read_image(cubes / "harp377.20110212_000000_TAI.fits").data
    after = read_image(report.cubes[0]).data
    added = (after[0] - before[0])[3:6, 3:6]
    np.testing.assert_allclose(added, 7.0 if recipe else 0.0, atol=1e-3)


def test_a_refused_frame_is_named_and_not_written(tmp_path: Path, cubes: Path) -> None:
    bundle = doubling(tmp_path, guards={"bounds": {"br": {"upper": 10.0}}})
    report = predict_cubes(bundle, [cubes], tmp_path / "out", engine="stub")
    assert report.cubes == []
    assert set(report.rejected.values()) == {"INPUT_OUT_OF_BOUNDS"}
    assert not (tmp_path / "out").exists()


def test_a_bundle_that_does_not_fit_the_cubes_says_what_is_missing(
    tmp_path: Path, cubes: Path
) -> None:
    with pytest.raises(UnitError, match=r"'furlong'.*give --hours"):
        predict_cubes(
            doubling(tmp_path, time={"step": 1.0, "unit": "furlong"}), [cubes], tmp_path / "o"
        )
    fields = [field("br", unit="kG")]
    program = {"operation": "affine", "scale": [1.0], "offset": [0.0], "channels": [0]}
    other = stub_bundle(tmp_path / "kg.surrogate", fields, program, time={"step": 4.0, "unit": "h"})
    with pytest.raises(UnitError, match=r"channel Br in Mx/cm.2, but the bundle reads br in kG"):
        predict_cubes(other, [cubes], tmp_path / "o", engine="stub")
    fields = [field("density")]
    other = stub_bundle(tmp_path / "d.surrogate", fields, program, time={"step": 4.0, "unit": "h"})
    with pytest.raises(FieldError, match=r"reads the field 'density'.*Br, Bt, Bp"):
        predict_cubes(other, [cubes], tmp_path / "o", engine="stub")


def test_single_is_the_mean_of_the_channels_in_their_unit(tmp_path: Path) -> None:
    u = spot()
    u[:2] = np.nan
    write_segment(tmp_path / "in", u, sharp_header(), "magnetogram")
    (cube,) = make_cubes([tmp_path / "in"], tmp_path / "cubes").cubes
    (path,) = uncube(cube, tmp_path / "out", hours=4.0)
    image = read_image(path)
    assert path.name == "harp377.20110212_040000_TAI.fits"
    np.testing.assert_allclose(image.data, u, atol=0.006)
    assert image.header["BUNIT"] == "Mx/cm^2"
    assert image.header["NAXIS"] == 2
    assert image.header["T_REC"] == "2011.02.12_04:00:00_TAI"
    assert not [k for k in image.header if k.startswith("CHAN") or k.endswith("3")]
    assert {k: image.header[k] for k in WCS} == {k: sharp_header()[k] for k in WCS}


def test_three_files_hold_a_channel_each_and_are_moved_once(tmp_path: Path, cubes: Path) -> None:
    bundle = doubling(tmp_path)
    report = predict_cubes(bundle, [cubes], tmp_path / "pred", engine="stub")
    files = uncube(report.cubes[0], tmp_path / "out", to="channels", bundle=bundle)
    assert [p.name for p in files] == [
        f"harp377.20110212_040000_TAI.{c}.fits" for c in ("Br", "Bt")
    ]
    with pytest.raises(ArgumentError, match=r"2 channels \(Br, Bt\); --to three needs three"):
        uncube(report.cubes[0], tmp_path / "out", to="three")
    truth = cubes / "harp377.20110212_040000_TAI.fits"
    three = uncube(truth, tmp_path / "truth", to="three")
    assert len(three) == 3
    assert read_image(three[0]).header["T_REC"] == "2011.02.12_04:00:00_TAI"
    np.testing.assert_array_equal(read_image(three[2]).data, read_image(truth).data[2])


def test_an_array_takes_header_and_mask_from_the_reference(tmp_path: Path, cubes: Path) -> None:
    reference = cubes / "harp377.20110212_000000_TAI.fits"
    array = np.ones((3, 32, 32), np.float32) * np.array([1, 2, 6], np.float32)[:, None, None]
    np.save(tmp_path / "p.npy", array)
    (path,) = uncube(tmp_path / "p.npy", tmp_path / "out", reference=reference, hours=4.0)
    image = read_image(path)
    assert np.isnan(image.data[:3, :3]).all()
    assert np.nanmin(image.data) == np.nanmax(image.data) == 3.0
    assert image.header["T_REC"] == "2011.02.12_04:00:00_TAI"
    # a whole state of the bundle: its condition is no prediction
    bundle = doubling(tmp_path)
    files = uncube(
        tmp_path / "p.npy", tmp_path / "b", to="channels", reference=reference, bundle=bundle
    )
    assert [p.name.split(".")[-2] for p in files] == ["Br", "Bt"]
    assert np.nanmax(read_image(files[1]).data) == 2.0


def test_scaled_values_become_gauss_by_the_manifests_softening(tmp_path: Path, cubes: Path) -> None:
    reference = cubes / "harp377.20110212_000000_TAI.fits"
    u = read_image(reference).data
    fields = [
        field("br", unit="G", scaling={"kind": "asinh", "softening": 50.0}),
        field("bt", unit="G"),
        field("bp", unit="G", prediction=None),
    ]
    program = {"operation": "affine", "scale": [1.0, 1.0], "offset": [0.0, 0.0], "channels": [0, 1]}
    bundle = stub_bundle(
        tmp_path / "asinh.surrogate", fields, program, time={"step": 4.0, "unit": "h"}
    )
    np.save(tmp_path / "s.npy", np.stack([np.arcsinh(u[0] / 50), u[1], u[2]]))
    files = uncube(
        tmp_path / "s.npy", tmp_path / "o", to="channels", reference=reference, bundle=bundle, scaled=True
    )  # fmt: skip
    np.testing.assert_allclose(read_image(files[0]).data, u[0], rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(read_image(files[1]).data, u[1])


def test_what_an_array_lacks_is_asked_for(tmp_path: Path, cubes: Path) -> None:
    reference = next(cubes.glob("*.fits"))
    np.save(tmp_path / "p.npy", np.ones((3, 32, 32), np.float32))
    with pytest.raises(ArgumentError, match="give --reference CUBE"):
        uncube(tmp_path / "p.npy", tmp_path / "o", hours=4.0)
    with pytest.raises(ArgumentError, match="give --bundle or --hours"):
        uncube(tmp_path / "p.npy", tmp_path / "o", reference=reference)
    np.save(tmp_path / "q.npy", np.ones((2, 32, 32), np.float32))
    with pytest.raises(ShapeError, match=r"\(2, 32, 32\); expected .* Br, Bt, Bp"):
        uncube(tmp_path / "q.npy", tmp_path / "o", reference=reference, hours=4.0)
    np.save(tmp_path / "r.npy", np.ones((3, 16, 16), np.float32))
    with pytest.raises(ShapeError, match=r"Br has the shape \(16, 16\)"):
        uncube(tmp_path / "r.npy", tmp_path / "o", reference=reference, hours=4.0)
    with pytest.raises(ArgumentError, match="--scaled needs --bundle"):
        uncube(reference, tmp_path / "o", scaled=True)
    with pytest.raises(FieldError, match="no channel 'Bx'"):
        uncube(reference, tmp_path / "o", only=["Bx"])


def test_the_mean_of_different_units_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write_series(source, times=(0.0,), segments=("Br",))
    write_segment(source, spot(), sharp_header(BUNIT="m/s"), "Vlon")
    (cube,) = make_cubes([source], tmp_path / "cubes", channels=["Br", "Vlon"]).cubes
    with pytest.raises(UnitError, match="mean of channels in G, m/s"):
        uncube(cube, tmp_path / "out")
    (path,) = uncube(cube, tmp_path / "out", only=["Br"])
    assert read_image(path).header["BUNIT"] == "Mx/cm^2"
