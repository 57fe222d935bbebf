"""Parts of a step: accumulation, networks, averages, shards that are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from surrogate_training import checkpoint
from surrogate_training.recipe import parse_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from surrogate_training.trainer.average import Average
from surrogate_training.trainer.processes import Processes

Make = Callable[..., Any]
PIX2PIX = Path(__file__).resolve().parents[2] / "training" / "recipes" / "smoke_pix2pix.yaml"
TINY = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}


def pix2pix(**changes: dict[str, Any]) -> Any:
    tree = yaml.safe_load(PIX2PIX.read_text())
    del tree["data"]["generate"]
    for section, values in changes.items():
        tree[section] |= values
    return parse_recipe(tree)


def trained(recipe: Any, folder: Path, root: Path) -> checkpoint.State:
    run = RunFolder(folder)
    Trainer(recipe, run, root=root).train()
    return checkpoint.load(run.final_checkpoint)


def close(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=1e-3, atol=2e-5)


def test_accumulated_rounds_are_the_batch_up_to_rounding(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    once, twice = (
        trained(
            make_recipe(
                model=TINY, optimiser={"steps": 4, "warmup": 2, "shards": 1, "accumulate": rounds}
            ),
            tmp_path / str(rounds),
            data_root,
        )
        for rounds in (1, 2)
    )
    close(once.average, twice.average)


def test_every_network_of_a_method_learns_with_its_own_rate(
    data_root: Path, tmp_path: Path
) -> None:
    method = {"discriminator_learning_rate": 1e-3}
    recipe = pix2pix(
        model={"base": 4}, optimiser={"steps": 2, "schedule": "constant"}, method=method
    )
    trainer = Trainer(recipe, RunFolder(tmp_path), root=data_root)
    before = {
        n: [p.clone() for p in net.parameters()] for n, net in trainer.method.networks.items()
    }
    trainer.train()
    for name, network in trainer.method.networks.items():
        changed = [
            not torch.equal(a, b) for a, b in zip(before[name], network.parameters(), strict=True)
        ]
        assert all(changed), name
    rates = {n: o.param_groups[0]["lr"] for n, o in trainer.phases.optimisers.items()}
    assert rates == {"generator": 2e-3, "discriminator": 1e-3}


def test_while_l1_warms_up_the_discriminator_stays(data_root: Path, tmp_path: Path) -> None:
    recipe = pix2pix(model={"base": 4}, optimiser={"steps": 2}, method={"l1_warmup": 2})
    trainer = Trainer(recipe, RunFolder(tmp_path), root=data_root)
    critic = trainer.method.networks["discriminator"]
    before = {k: v.clone() for k, v in critic.state_dict().items()}
    trainer.train()
    assert all(torch.equal(before[k], v) for k, v in critic.state_dict().items())


def test_gradients_lie_in_memory_as_their_parameters_do(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(model=TINY, optimiser={"steps": 2, "shards": 1, "accumulate": 2})
    trainer = Trainer(recipe, RunFolder(tmp_path), root=data_root)
    trainer.train(until=1)
    parameters = list(trainer.model.parameters())
    assert any(not p.is_contiguous() for p in parameters)  # else this could not fail
    assert all(p.grad is not None and p.grad.stride() == p.stride() for p in parameters)


def test_the_average_takes_running_statistics_as_it_takes_weights() -> None:
    network = torch.nn.BatchNorm2d(3)
    average = Average(network, decay=0.5)
    network.running_mean.fill_(2.0)
    network.num_batches_tracked.fill_(7)
    torch.nn.init.constant_(network.weight, 3.0)
    average.update(network, step=1000)
    assert average.values["running_mean"].tolist() == [1.0] * 3
    assert average.values["weight"].tolist() == [2.0] * 3
    assert int(average.values["num_batches_tracked"]) == 7


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "method pix2pix has 2 networks"),
        ({"method": {"kind": "regression"}}, "statistics of a batch"),
        (
            {"method": {"kind": "regression"}, "model": {"norm": "none", "dropout": "training"}},
            "random numbers",
        ),
        (
            {"method": {"kind": "regression"}, "model": {"norm": "none", "dropout": "noise"}},
            "random numbers",
        ),
    ],
)
def test_shards_are_refused_where_threads_would_change_the_result(
    data_root: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    tree = yaml.safe_load(PIX2PIX.read_text()) | {k: v for k, v in changes.items() if k == "method"}
    del tree["data"]["generate"]
    tree["model"] |= changes.get("model", {})
    tree["optimiser"]["shards"] = 2
    with pytest.raises(
        ValueError, match=rf"optimiser\.shards is 2, but .*{reason}.*set optimiser\.shards to 1"
    ):
        Trainer(parse_recipe(tree), RunFolder(tmp_path), root=data_root)
    assert not (tmp_path / "recipe.json").exists()


def test_a_stochastic_net_is_validated_with_the_same_noise_at_any_step(
    data_root: Path, tmp_path: Path
) -> None:
    recipe = pix2pix(model={"base": 4, "dropout": "noise"}, optimiser={"steps": 2})
    trainer = Trainer(recipe, RunFolder(tmp_path), root=data_root)
    first, second = (trainer.validation.values(trainer.average.values) for _ in range(2))
    assert first == second


def scaling(recipe: Any, scale: float) -> Processes:
    """A CPU whose gradients are scaled as fp16's are: the scaler itself needs no GPU."""
    processes = Processes(recipe)
    processes.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    return processes


def test_scaled_gradients_give_the_same_step(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(model=TINY, optimiser={"steps": 3, "warmup": 1, "shards": 1})
    plain = trained(recipe, tmp_path / "plain", data_root)
    run = RunFolder(tmp_path / "scaled")
    Trainer(recipe, run, root=data_root, processes=scaling(recipe, 2.0**10)).train()
    found = checkpoint.load(run.final_checkpoint)
    close(found.average, plain.average)
    assert found.scaler["scale"] == 2.0**10


def test_a_step_whose_scaled_gradients_overflow_is_skipped_and_the_scale_lowered(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(model=TINY, optimiser={"steps": 1, "shards": 1})
    processes = scaling(recipe, 2.0**127)
    trainer = Trainer(recipe, RunFolder(tmp_path), root=data_root, processes=processes)
    before = [p.clone() for p in trainer.model.parameters()]
    trainer.train()
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.model.parameters(), strict=True))
    assert processes.accelerator.scaler.get_scale() == 2.0**126


def test_a_device_or_precision_that_is_not_there_is_said(make_recipe: Make) -> None:
    with pytest.raises(ValueError, match=r"fp16, which needs a GPU"):
        Processes(make_recipe(optimiser={"steps": 1, "precision": "fp16"}))
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"run\.device is cuda.*set run\.device=cpu"):
            Processes(make_recipe(run={"device": "cuda"}))


def test_more_parts_than_samples_are_refused(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(
        model=TINY, optimiser={"steps": 1, "batch": 32, "shards": 1, "accumulate": 32}
    )
    with pytest.raises(ValueError, match="a batch of 24 samples cannot be divided"):
        Trainer(recipe, RunFolder(tmp_path), root=data_root)
