"""Pairs, splits, statistics and batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from surrogate_training import checkpoint
from surrogate_training.config import Data, FieldSpec, Recipe, Split
from surrogate_training.data import synthetic
from surrogate_training.data.batches import BatchSource, noise_scales
from surrogate_training.data.pairs import PairSet, grid_of, open_sets
from surrogate_training.data.split import LeakageError, split_files
from surrogate_training.data.statistics import Statistics
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

from surrogate import Recorder, _native


def test_every_trajectory_is_in_exactly_one_part() -> None:
    files = [Path(f"t{n:02d}.h5") for n in range(20)]
    parts = split_files(reversed(files), Split(validation=3, test=4))
    assert [len(parts[p]) for p in ("train", "validation", "test")] == [13, 3, 4]
    assert [*parts["train"], *parts["validation"], *parts["test"]] == files
    drawn = split_files(files, Split(validation=3, test=4, seed=1))
    assert sorted(f for part in drawn.values() for f in part) == files
    assert drawn != parts


def test_a_split_that_leaves_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(ValueError, match="only 2 exist"):
        split_files([Path("a"), Path("b")], Split(validation=1, test=1))


def test_the_parts_share_no_state(make_recipe: Callable[..., Any], data_root: Path) -> None:
    sets = open_sets(make_recipe().data, root=data_root)
    hashes = [set(s.hashes()) for s in sets.values()]
    assert len(set.union(*hashes)) == sum(map(len, hashes))
    assert [len(s) for s in sets.values()] == [8 * 3, 2 * 3, 2 * 3]


def test_a_state_that_occurs_on_both_sides_is_found(tmp_path: Path) -> None:
    synthetic.write(tmp_path, trajectories=4, frames=3, cells=16)
    with (
        h5py.File(tmp_path / "trajectory_000000.h5") as a,
        h5py.File(tmp_path / "trajectory_000003.h5", "a") as b,
    ):
        for name in synthetic.FIELDS:
            b[name][2] = a[name][0]
    with pytest.raises(
        LeakageError, match=r"000003.h5 frame 2 \(test\).*000000.h5 frame 0 \(train\)"
    ):
        open_sets(_data(tmp_path, test=1), root=tmp_path)


def test_reading_lazily_and_from_memory_is_the_same(tmp_path: Path) -> None:
    synthetic.write(tmp_path, trajectories=2, frames=4, cells=16)
    files = tuple(sorted(tmp_path.glob("*.h5")))
    lazy, cached = (PairSet(files, _data(tmp_path, cached=c)) for c in (False, True))
    for i in range(len(lazy)):
        np.testing.assert_array_equal(lazy.pair(i), cached.pair(i))
    two = PairSet(files, _data(tmp_path, cached=False, stride=2))
    assert len(two) == 2 * 2
    np.testing.assert_array_equal(two.pair(0)[1], lazy.pair(1)[1])


@pytest.mark.parametrize(
    ("value", "text"), [(np.nan, "not finite"), (0.0, "frame 1 of vx is uniform")]
)
def test_damaged_files_are_refused(tmp_path: Path, value: float, text: str) -> None:
    synthetic.write(tmp_path, trajectories=3, frames=3, cells=16)
    with h5py.File(tmp_path / "trajectory_000001.h5", "a") as h5:
        h5["vx"][1] = value
    with pytest.raises(ValueError, match=text):
        open_sets(_data(tmp_path, test=1), root=tmp_path)


def test_files_of_unlike_intervals_are_refused(tmp_path: Path) -> None:
    synthetic.write(tmp_path, trajectories=2, frames=3, cells=16)
    with h5py.File(tmp_path / "trajectory_000001.h5", "a") as h5:
        h5["time"][:] *= 2
    with pytest.raises(ValueError, match="one interval"):
        grid_of([PairSet(tuple(sorted(tmp_path.glob("*.h5"))), _data(tmp_path))])


def test_statistics_are_those_of_the_arrays(
    make_recipe: Callable[..., Any], data_root: Path, statistics: Statistics, tmp_path: Path
) -> None:
    pairs = open_sets(make_recipe().data, root=data_root)["train"]
    u = np.stack([pairs.pair(i) for i in range(len(pairs))]).astype(np.float64)
    for c, name in enumerate(synthetic.FIELDS):
        s = statistics.fields[name]
        assert s.mean == pytest.approx(u[:, 0, c].mean(), abs=1e-9)
        assert s.std == pytest.approx(u[:, 0, c].std(), rel=1e-6)
        assert s.increment_std == pytest.approx(
            np.sqrt(((u[:, 1, c] - u[:, 0, c]) ** 2).mean()), rel=1e-6
        )
        assert s.minimum == u[:, :, c].min()
        assert s.maximum == u[:, :, c].max()
        assert s.minimum <= s.low < s.high <= s.maximum
    statistics.save(tmp_path / "s.json")
    assert Statistics.load(tmp_path / "s.json") == statistics


def test_a_batch_is_a_function_of_seed_and_step(
    make_recipe: Callable[..., Any], data_root: Path, statistics: Statistics
) -> None:
    recipe = make_recipe()
    pairs = open_sets(recipe.data, root=data_root)["train"]
    one, other = (BatchSource(pairs, recipe, statistics) for _ in range(2))
    other.step(3)
    assert one.step(7).u1.equal(other.step(7).u1)
    assert not one.step(7).u1.equal(one.step(8).u1)
    again = BatchSource(pairs, make_recipe(seed=9), statistics)
    assert not one.step(7).u1.equal(again.step(7).u1)


def test_shards_are_the_batch(
    make_recipe: Callable[..., Any], data_root: Path, statistics: Statistics
) -> None:
    recipe = make_recipe()
    source = BatchSource(open_sets(recipe.data, root=data_root)["train"], recipe, statistics)
    whole = source.step(2)
    for shard in range(2):
        assert source.step(2, shard=shard, shards=2).u2.equal(whole.u2[shard::2])


def test_an_epoch_visits_every_pair_once(
    make_recipe: Callable[..., Any], data_root: Path, statistics: Statistics
) -> None:
    augment = {"translate": False, "dihedral": False}
    recipe = make_recipe(method={"noise": 0.0})
    recipe = recipe.model_copy(
        update={"data": recipe.data.model_copy(update={"augment": _augment(augment)})}
    )
    pairs = open_sets(recipe.data, root=data_root)["train"]
    source = BatchSource(pairs, recipe, statistics)
    seen = {u.numpy().tobytes() for n in range(source.steps_per_epoch) for u in source.step(n).u1}
    assert seen == {pairs.pair(i)[0].tobytes() for i in range(len(pairs))}


def test_noise_on_a_potential_is_scaled_by_its_curl(
    make_recipe: Callable[..., Any], statistics: Statistics
) -> None:
    recipe = make_recipe(method={"noise": 0.01})
    scale = float(noise_scales(recipe, statistics)[4, 0, 0])
    white = np.random.default_rng(0).normal(size=(64, 64)) * scale
    gradient = (np.roll(white, -1, 0) - white) / statistics.spacing[0]
    assert gradient.std() == pytest.approx(0.01 * statistics.fields["az"].gradient_std, rel=0.05)


def _augment(values: dict[str, Any]) -> Any:
    from surrogate_training.config import Augment

    return Augment(**values)


def _data(path: Path, *, test: int = 0, cached: bool = True, stride: int = 1) -> Data:
    fields = tuple(
        FieldSpec(name=n, location="corner" if n == "az" else "cell") for n in synthetic.FIELDS
    )
    split = Split(validation=0, test=test)
    return Data(path=str(path), fields=fields, split=split, cached=cached, stride=stride)


def _record(folder: Path, *, trajectories: int, frames: int) -> None:
    """The synthetic trajectories as a solver records them: velocity as one field of two components."""
    for n in range(trajectories):
        made = synthetic.trajectory(n, cells=32, frames=frames)
        with Recorder(
            folder / f"trajectory_{n:06d}.h5",
            spacing=(1 / 32, 1 / 32),
            parameters={"b0x": 0.0, "b0y": 0.0, "gamma": 5 / 3},
            seed=n,
        ) as recorder:
            for frame in range(frames):
                u = {name: values[frame] for name, values in made.items()}
                velocity = np.stack([u.pop("vx"), u.pop("vy")])
                recorder.write(0.004 * frame, {**u, "v": velocity})


@pytest.fixture(scope="module")
def recorded_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings of the smoke recipe's data set."""
    plugin = Path(_native.__file__).parent / "lib" / "libsurrogate_recorder.so"
    if not plugin.exists():
        pytest.skip(f"{plugin} is missing: HDF5's development files, then make build")
    root = tmp_path_factory.mktemp("recorded")
    (root / ".data" / "smoke").mkdir(parents=True)
    _record(root / ".data" / "smoke", trajectories=12, frames=4)
    return root


def _recorded_recipe(make_recipe: Callable[..., Any], **changes: Any) -> Any:
    tree = make_recipe(**changes).model_dump()
    for field in tree["data"]["fields"]:
        if field["name"] in ("vx", "vy"):
            field["dataset"] = "v[0]" if field["name"] == "vx" else "v[1]"
    return Recipe.model_validate(tree)


def test_recordings_give_the_data_set_that_the_solvers_own_files_give(
    make_recipe: Callable[..., Any], data_root: Path, recorded_root: Path
) -> None:
    own = open_sets(make_recipe().data, root=data_root)
    recorded = open_sets(_recorded_recipe(make_recipe).data, root=recorded_root)
    for part, pairs in own.items():
        assert len(recorded[part]) == len(pairs)
        for i in range(len(pairs)):
            np.testing.assert_array_equal(recorded[part].pair(i), pairs.pair(i))
    one, other = (grid_of([s["train"]]) for s in (own, recorded))
    assert one.shape == other.shape
    assert other.spacing == pytest.approx(one.spacing)
    assert other.jump == pytest.approx(one.jump)
    assert {name: other.constants[name] for name in ("b0x", "b0y", "gamma")} == {
        name: one.constants[name] for name in ("b0x", "b0y", "gamma")
    }


def test_a_file_of_several_trajectories_is_several_runs(tmp_path: Path) -> None:
    made = [synthetic.trajectory(n, cells=16, frames=3) for n in range(2)]
    with h5py.File(tmp_path / "many.h5", "w") as h5:  # written by hand: another tool's file
        h5.attrs["n_trajectories"] = 2
        h5["dimensions/time"] = 0.004 * np.arange(3)
        h5["dimensions"].attrs["spatial_dims"] = ["x", "y"]
        for axis in "xy":
            h5[f"dimensions/{axis}"] = np.arange(16) / 16
        for name in synthetic.FIELDS:
            h5[f"t0_fields/{name}"] = np.stack([run[name] for run in made])
            h5[f"t0_fields/{name}"].attrs.update({"sample_varying": True, "time_varying": True})
    pairs = PairSet((tmp_path / "many.h5",), _data(tmp_path))
    assert len(pairs) == 2 * 2
    for t, run in enumerate(made):
        np.testing.assert_array_equal(
            pairs.trajectory(t), np.stack([run[name] for name in synthetic.FIELDS], axis=1)
        )


def test_a_vector_needs_the_component_named(
    make_recipe: Callable[..., Any], recorded_root: Path
) -> None:
    files = tuple(sorted((recorded_root / ".data" / "smoke").glob("*.h5")))
    data = Data(path="", fields=(FieldSpec(name="v"),))
    with pytest.raises(ValueError, match=r"dataset: /v\[0\]"):
        PairSet(files, data)


def test_two_steps_of_training_on_recordings_are_those_on_the_solvers_own_files(
    make_recipe: Callable[..., Any], data_root: Path, recorded_root: Path, tmp_path: Path
) -> None:
    changes = {
        "model": {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []},
        "optimiser": {"steps": 2, "warmup": 1},
    }
    averages = []
    for recipe, root in (
        (make_recipe(**changes), data_root),
        (_recorded_recipe(make_recipe, **changes), recorded_root),
    ):
        run = RunFolder(tmp_path / root.name)
        Trainer(recipe, run, root=root).train()
        averages.append(checkpoint.load(run.last_checkpoint).average)
    own, recorded = averages
    for name in own:  # spacings differ by their last digits
        torch.testing.assert_close(recorded[name], own[name], rtol=1e-4, atol=1e-6)
