"""pix2pix's U-Net: the published net, level for level."""

import pytest
import torch
from surrogate_training.config import UNetConfig
from surrogate_training.models.fields import NETS
from surrogate_training.models.unet import InstanceNorm, UNet


def parameters(net: torch.nn.Module) -> int:
    return sum(entry.numel() for entry in net.parameters())


def test_unet_256_has_the_published_number_of_parameters():
    with torch.device("meta"):
        net = UNet(3, 3)
    # the authors' implementation prints 54.414 M for three channels in and out
    assert parameters(net) / 1e6 == pytest.approx(54.414, abs=5e-4)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_the_output_has_the_inputs_grid_and_its_own_channels(norm):
    net = UNet(2, 5, levels=4, features=4, norm=norm).eval()
    assert net(torch.zeros(3, 2, 32, 48)).shape == (3, 5, 32, 48)


def test_every_level_is_read_by_the_decoder():
    net = UNet(1, 1, levels=4, features=4, norm="none")
    net(torch.randn(1, 1, 16, 16)).sum().backward()
    assert all(entry.grad is not None and entry.grad.any() for entry in net.parameters())


def test_tanh_bounds_the_output():
    net = UNet(1, 1, levels=3, features=4, norm="none", tanh=True)
    assert net(1e4 * torch.randn(1, 1, 8, 8)).abs().max() <= 1


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    net = UNet(1, 1, levels=5, features=4, norm="none", dropout="training")
    x = torch.randn(1, 1, 32, 32)
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))


def test_a_recipe_may_name_it():
    config = UNetConfig(levels=3, base=4, norm="instance")
    assert config.multiple == 8
    net = NETS[config.kind](2, 3, config)
    assert net(torch.zeros(1, 2, 8, 16)).shape == (1, 3, 8, 16)


def test_instance_norm_is_torchs_own():
    x = 3 + 2 * torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(InstanceNorm()(x), torch.nn.InstanceNorm2d(4)(x))


def test_weights_start_as_published():
    torch.manual_seed(0)
    net = UNet(3, 3, levels=4, features=16)
    convolutions = [
        m for m in net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    weights = torch.cat([m.weight.detach().flatten() for m in convolutions])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.01)
    assert float(weights.mean()) == pytest.approx(0, abs=1e-4)
    norms = torch.cat(
        [m.weight.detach() for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    )
    assert float(norms.mean()) == pytest.approx(1, abs=0.01)
    assert 0.01 < float(norms.std()) < 0.03
