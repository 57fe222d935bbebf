"""The float64 oracle, and libsurrogate against it."""

import numpy as np
import pytest
from bundles import field, manifest
from flow_bundle import affine, flow_next, flow_state, named

from surrogate import Surrogate
from surrogate.bundle.folder import write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.errors import EngineError, FieldError, NotFoundError, ShapeError
from surrogate.reference import denormalise, normalise, predict_reference, reference
from surrogate.reference_programs import load_program


def test_it_follows_the_formula_in_every_form(flow):
    state = flow_state()
    expected = flow_next(state)
    np.testing.assert_allclose(reference(flow, state), expected, rtol=1e-14)
    np.testing.assert_allclose(reference(flow, state[None])[0], expected, rtol=1e-14)
    frames = reference(flow, named(state))
    assert frames["rho"].shape == (6, 8)
    np.testing.assert_allclose(frames["v"], expected[1:3], rtol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_the_library_agrees_with_it_to_float32_of_the_increment(flow, seed):
    state = flow_state(seed=seed)
    expected = reference(flow, state)
    with Surrogate.open(flow) as model:
        frame = model.predict(state)
    assert np.abs(frame - expected).max() < 4e-7 * np.abs(expected - state).max() + 1e-15


def test_a_zero_increment_is_exact(make):
    bundle = make("still", [field("u", mean=0.3, std=0.7, scale=0.1)], affine([0.0]))
    state = flow_state()[:1]
    np.testing.assert_array_equal(reference(bundle, state), state)


def test_a_frame_replaces_the_state(make):
    prediction = {"kind": "frame", "scale": [2.0], "offset": [5.0]}
    bundle = make("frame", [field("u", prediction=prediction)], affine([1.0]))
    state = flow_state()[:1]
    np.testing.assert_allclose(reference(bundle, state), 5.0 + 2.0 * state)
    with Surrogate.open(bundle) as model:
        np.testing.assert_allclose(model.predict(state), 5.0 + 2.0 * state, rtol=1e-6)


def test_its_parts_are_pure_functions(flow):
    sheet = Manifest.read(flow / "manifest.json")
    state = flow_state()[None]  # (1, 4, ny, nx)
    x = normalise(sheet, state)
    assert x.dtype == "float64"
    np.testing.assert_allclose(x[0, 0], (state[0, 0] - 1.5) / 0.5)
    frame = denormalise(sheet, state, np.zeros((1, 3, 6, 8)))
    np.testing.assert_array_equal(frame, state)
    with pytest.raises(ShapeError, match="expected"):
        denormalise(sheet, state, np.zeros((1, 4, 6, 8)))
    still = predict_reference(sheet, lambda x: np.zeros_like(x[:, :3]), state)
    np.testing.assert_array_equal(still, state)


def test_parameters_reach_the_program(make):
    parameters = [{"name": "g", "range": [-9.0, 9.0], "preset": 2.0}]
    bundle = make("driven", [field("u")], affine([0.0], parameter=0), parameters=parameters)
    u = np.zeros((1, 4, 4))
    assert reference(bundle, u)[0, 0, 0] == 2.0
    assert reference(bundle, u, parameters=[-3.0])[0, 0, 0] == -3.0


def test_wrong_states_are_refused(flow):
    with pytest.raises(ShapeError):
        reference(flow, flow_state()[:3])
    with pytest.raises(ShapeError):
        reference(flow, flow_state()[0])
    with pytest.raises(FieldError):
        reference(flow, {"rho": np.zeros((4, 4))})
    with pytest.raises(NotFoundError, match="nosuch"):
        reference(flow, flow_state(), program="nosuch")


@pytest.fixture
def torch_bundle(tmp_path):
    """One net as torch.export and TorchScript; with a buffer, and a cast inside the first."""
    torch = pytest.importorskip("torch", reason="torch (extra: torch)")

    class Net(torch.nn.Module):
        def __init__(self, cast):
            super().__init__()
            self.cast = cast  # a dtype written into the graph
            self.mix = torch.nn.Conv2d(2, 2, 3)
            self.register_buffer("lift", torch.tensor([0.1, -0.2]).reshape(1, 2, 1, 1))

        def forward(self, x):
            rim = torch.cat([x[..., -1:], x, x[..., :1]], dim=-1)
            rim = torch.cat([rim[..., -1:, :], rim, rim[..., :1, :]], dim=-2)
            return torch.tanh(self.mix(rim.to(torch.float32) if self.cast else rim)) + self.lift

    torch.manual_seed(0)
    net = Net(cast=True).eval()
    x = torch.zeros(1, 2, 8, 8)
    free = {0: torch.export.Dim("b"), 2: torch.export.Dim("ny"), 3: torch.export.Dim("nx")}
    torch.export.save(
        torch.export.export(net, (torch.zeros(2, 2, 8, 10),), dynamic_shapes=(free,)),
        tmp_path / "p.pt2",
    )
    plain = Net(cast=False).eval()
    plain.load_state_dict(net.state_dict())
    torch.jit.trace(plain, x).save(tmp_path / "t.pt")
    programs = [
        {
            "name": "script",
            "engine": "torch",
            "format": "torchscript",
            "file": "programs/torchscript.pt",
        },
        {
            "name": "portable",
            "engine": "torch",
            "format": "torch.export",
            "file": "programs/portable.pt2",
        },
    ]
    files = {
        "programs/torchscript.pt": tmp_path / "t.pt",
        "programs/portable.pt2": tmp_path / "p.pt2",
    }
    fields = [field("u", components=2, mean=0.2, std=2.0, scale=0.3)]
    folder = tmp_path / "net.surrogate"
    write_bundle(folder, files, **manifest("net", fields, programs))
    return folder, net


def test_torch_programs_run_in_float64(torch_bundle):
    folder, net = torch_bundle
    torch = pytest.importorskip("torch")
    sheet = Manifest.read(folder / "manifest.json")
    x = np.random.default_rng(0).normal(size=(3, 2, 6, 4))
    exported = load_program(folder, sheet)(x)
    single = net(torch.from_numpy(x.astype("f4"))).detach().numpy()
    assert exported.dtype == "float64"
    np.testing.assert_allclose(exported, single, atol=1e-6)
    with torch.no_grad():
        weight, bias = net.mix.weight.double(), net.mix.bias.double()
        rim = torch.nn.functional.pad(torch.from_numpy(x), (1, 1, 1, 1), mode="circular")
        y = torch.tanh(torch.nn.functional.conv2d(rim, weight, bias)) + net.lift.double()
    np.testing.assert_allclose(exported, y.numpy(), atol=1e-14)


def test_torchscript_runs_too(torch_bundle):
    folder, net = torch_bundle
    torch = pytest.importorskip("torch")
    sheet = Manifest.read(folder / "manifest.json")
    x = np.random.default_rng(0).normal(size=(1, 2, 8, 8))
    y = load_program(folder, sheet, "script")(x)
    np.testing.assert_allclose(y, net(torch.from_numpy(x.astype("f4"))).detach().numpy(), atol=1e-6)


def test_libsurrogate_runs_torchscript_as_the_reference_says(torch_bundle):
    folder, _ = torch_bundle
    try:
        model = Surrogate.open(folder, engine="torch")
    except EngineError as error:
        pytest.skip(f"torch engine (surrogate engine build torch): {error}")
    state = np.random.default_rng(1).normal(size=(2, 16, 12))
    with model:
        frame = model.predict(state)
        expected = reference(folder, state)
    assert np.abs(frame - expected).max() < 1e-6 * np.abs(expected - state).max() * 5


def test_a_damaged_program_is_one_error(torch_bundle):
    folder, _ = torch_bundle
    (folder / "programs/portable.pt2").write_bytes(b"no zip")
    with pytest.raises(EngineError, match=r"portable\.pt2"):
        load_program(folder, Manifest.read(folder / "manifest.json"))
