"""The torch engine runs the numbers of steps of a generative model, methods of one file whose weights it has once."""

from __future__ import annotations

import io
import sys
import warnings

import numpy as np
import pytest
from bundles import field, manifest
from compiling import run
from engines.torchscript import engine_folder
from sampled import (
    FILE,
    STEPS,
    sampler_bundle,
    sampler_manifest,
    torchscript_bytes,
    torchscript_programs,
)

from surrogate import Surrogate, errors
from surrogate.bundle.folder import write_bundle
from surrogate.reference import reference

torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
MEGABYTES = 48  # of weights


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return sampler_bundle(tmp_path_factory.mktemp("sampled") / "sampled.surrogate")


@pytest.mark.parametrize("steps", [None, *STEPS])
def test_each_number_of_steps_is_its_own_method(bundle, steps):
    state = np.random.default_rng(0).normal(size=(2, 8, 12))
    asked = {"steps": steps, "guidance": 2.5, "caption": "a red thing", "step": 3, "member": 1}
    with Surrogate.open(bundle, engine_path=engine_folder()) as model:
        frame = model.predict(state, **asked)
        members = model.predict_members(state, 3, **asked)
    np.testing.assert_allclose(frame, reference(bundle, state, **asked), atol=1e-6)
    np.testing.assert_allclose(members[0], frame, atol=1e-7)


def test_a_method_that_the_file_has_not_is_named(tmp_path):
    programs = [{**entry, "method": f"nfe_{entry['steps']}"} for entry in torchscript_programs()]
    bundle = tmp_path / "wrong.surrogate"
    write_bundle(bundle, {FILE: torchscript_bytes()}, **sampler_manifest(programs))
    with pytest.raises(errors.EngineError, match="no method 'nfe_2', only steps_"):
        Surrogate.open(bundle, engine_path=engine_folder())


MEASURE = """
import sys
from surrogate import Surrogate

def megabytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

with Surrogate.open(sys.argv[1], engine_path=sys.argv[2]) as model:
    one = megabytes()
with Surrogate.open(sys.argv[1], engine_path=sys.argv[2], preload=True) as model:
    print(megabytes() - one)
"""


def test_weights_are_in_memory_once(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript's own; we know
        module = torch.jit.trace_module(
            Heavy(), {f"steps_{n}": (torch.zeros(1, 1, 4, 4),) for n in STEPS}, check_trace=False
        )
        buffer = io.BytesIO()
        torch.jit.save(module, buffer)
    more = {"parameters": [], "noise": [], "text": None}
    described = sampler_manifest(torchscript_programs(), **more)
    described |= manifest("heavy", [field("u")], described["programs"])
    described["sampler"] |= {"guidance": None}
    bundle = tmp_path / "heavy.surrogate"
    write_bundle(bundle, {FILE: buffer.getvalue()}, **described)
    grown = float(run([sys.executable, "-P", "-c", MEASURE, bundle, engine_folder()]).stdout)
    assert grown < MEGABYTES / 2, f"{len(STEPS)} programs of {MEGABYTES} MiB take {grown:.0f} more"


class Heavy(torch.nn.Module):
    """Much weight, little work."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(MEGABYTES << 18))

    def steps_1(self, x):
        return x + self.weight[0]

    def steps_2(self, x):
        return x + 2 * self.weight[1]

    def steps_4(self, x):
        return x + 4 * self.weight[2]
