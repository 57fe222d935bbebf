"""The contract: the same bundle and the same input give the same bits from C, C++, Fortran and Python.

One step in every form of the call (``contract/probe.*``), an ensemble and a rollout of a stochastic model
(``contract/series.*``), and the loops of ``bindings/examples``, in which a guard
refuses some steps so that the solver's own steps are in between; against the float64 reference within rounding.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from compiling import (
    BUILD,
    HOW_TO_BUILD,
    LIBRARY,
    ROOT,
    compile_program,
    need_compiler,
    need_library,
    run,
)

surrogate = pytest.importorskip(
    "surrogate",
    reason="surrogate is not installed: pip install --no-build-isolation -e .",
    exc_type=ImportError,
)

from bundles import field, manifest, stub_bundle  # noqa: E402
from sampled import sampler_bundle  # noqa: E402

from surrogate.bundle.folder import write_bundle  # noqa: E402

NX, NY, G = 64, 32, 2
LANGUAGES = ["c", "cpp", "f90", "py"]
EXAMPLES = ROOT / "bindings" / "examples"
PROBES = Path(__file__).parent / "contract"
FIELDS = [field("c", mean=0.375, std=0.3, scale=0.02), field("q", mean=0.5, std=0.7, scale=0.03)]
STUB_PROGRAM = {
    "operation": "affine",
    "scale": [-0.75, 0.5],
    "offset": [0.1, -0.3],
    "channels": [1, 0],
    "shift": [1, -2],
}
GUARDS = {
    "finite": True,
    "bounds": {"c": {"lower": -0.5, "upper": 0.97}},
}  # refuses the examples' initial state


TORCHSCRIPT = {
    "name": "plain",
    "engine": "torch",
    "format": "torchscript",
    "file": "programs/torchscript.pt",
}


def torchscript_program(*, stochastic: bool = False) -> bytes:
    """A small periodic net with seeded weights: two 3x3 convolutions behind padding made of `cat`.

    With `stochastic` it reads noise of two channels beside the state.
    """
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

    class Net(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Conv2d(2, 8, 3)
            self.last = torch.nn.Conv2d(8, 2, 3)

        def pad(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.cat([x[..., -1:], x, x[..., :1]], dim=-1)  # (B, C, ny, nx + 2)
            return torch.cat([x[..., -1:, :], x, x[..., :1, :]], dim=-2)  # (B, C, ny + 2, nx + 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.pad(torch.tanh(self.first(self.pad(x)))))

    class Noisy(Net):
        def forward(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
            return super().forward(x + 0.25 * noise) + 0.5 * noise

    torch.manual_seed(7)
    net, example = (Noisy(), 2) if stochastic else (Net(), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript's own; we know
        program = torch.jit.trace(net.eval(), (torch.zeros(1, 2, NY, NX),) * example)
        buffer = io.BytesIO()
        torch.jit.save(program, buffer)
    return buffer.getvalue()


def torch_engine() -> dict[str, str]:
    """The environment in which the torch engine is found, or a skip."""
    from surrogate import paths

    given = [
        Path(folder) for folder in os.environ.get("SURROGATE_ENGINE_PATH", "").split(":") if folder
    ]
    for folder in [*given, LIBRARY, paths.library_dir()]:
        if any(folder.glob("libsurrogate_engine_torch-*.so")):
            return {"SURROGATE_ENGINE_PATH": str(folder)}
    pytest.skip("the torch engine is missing: surrogate engine build torch")


@pytest.fixture(scope="module", params=["stub", "torchscript"])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """A bundle, and the environment that finds its engine."""
    folder = tmp_path_factory.mktemp(request.param) / "contract.surrogate"
    if request.param == "stub":
        return stub_bundle(folder, FIELDS, STUB_PROGRAM, guards=GUARDS), {}
    environment = torch_engine()
    files = {TORCHSCRIPT["file"]: torchscript_program()}
    write_bundle(folder, files, **manifest("contract", FIELDS, [TORCHSCRIPT], guards=GUARDS))
    return folder, environment


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """How to start the probe and the example in each language."""
    need_library()
    folder = tmp_path_factory.mktemp("programs")
    result: dict[str, dict[str, list[str]]] = {}
    for name, stem in (("probe", PROBES / "probe"), ("example", EXAMPLES / "advection_diffusion")):
        result[name] = {"py": [sys.executable, f"{stem}.py"]}
        for language in ("c", "cpp", "f90"):
            target = folder / f"{name}_{language}" / name
            source = Path(f"{stem}.{language}")
            result[name][language] = [
                str(compile_program(source, target, "-O2", "-Wno-conversion"))
            ]
    return result


def smooth_state() -> np.ndarray:
    """A state inside the guards, shape (2, NY, NX), smooth plus noise."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:NY, 0:NX] / [[[NY]], [[NX]]]
    waves = np.stack([np.sin(2 * np.pi * (x + 2 * y)), np.cos(2 * np.pi * (3 * x - y))])
    return 0.4 + 0.3 * waves + 0.05 * rng.standard_normal((2, NY, NX))


def test_one_step_has_the_same_bits_in_every_language_and_form(case, commands, tmp_path):
    bundle, environment = case
    state = smooth_state()
    state.tofile(tmp_path / "input.bin")
    results = {}
    for language in LANGUAGES:
        output = tmp_path / f"{language}.bin"
        run(
            [*commands["probe"][language], bundle, tmp_path / "input.bin", output],
            environment=environment,
        )
        results[language] = output.read_bytes()
    size = 2 * NY * NX
    assert {len(result) for result in results.values()} == {4 * size * 8 + 2 * size * 4}
    different = [language for language in LANGUAGES if results[language] != results["c"]]
    assert not different, f"not the bits of C: {different}"

    double = np.frombuffer(results["c"][: 4 * size * 8]).reshape(4, 2, NY, NX)
    single = np.frombuffer(results["c"][4 * size * 8 :], np.float32).reshape(2, 2, NY, NX)
    for form in double[1:]:  # ghost cells, records, strided
        assert np.array_equal(form, double[0])
    assert np.array_equal(single[0], single[1])
    assert not np.array_equal(double[0], state)

    expected = surrogate_reference(bundle, state)
    largest = max(np.abs(expected - state).max(), 1e-3)
    assert np.abs(double[0] - expected).max() <= 1e-5 * largest
    assert np.abs(single[0] - expected).max() <= 1e-5 * largest + 2**-23


def surrogate_reference(bundle: Path, state: np.ndarray) -> np.ndarray:
    """The same step in float64 numpy and torch."""
    from surrogate.reference import reference

    return reference(bundle, state)


def test_ensembles_and_rollouts_have_the_same_bits_in_every_language(tmp_path):
    members, steps = 4, 3
    need_library()
    environment = torch_engine()
    bundle = tmp_path / "noisy.surrogate"
    files = {TORCHSCRIPT["file"]: torchscript_program(stochastic=True)}
    noise = [{"name": "xi", "channels": 2}]
    write_bundle(bundle, files, **manifest("noisy", FIELDS, [TORCHSCRIPT], noise=noise))
    state = smooth_state()
    state.tofile(tmp_path / "input.bin")
    probes = {"py": [sys.executable, PROBES / "series.py"]}
    for language in ("c", "f90"):
        source = PROBES / f"series.{language}"
        probes[language] = [compile_program(source, tmp_path / language / "series", "-O2")]
    results = {}
    for language, probe in probes.items():
        output = tmp_path / f"{language}.bin"
        run([*probe, bundle, tmp_path / "input.bin", output], environment=environment)
        results[language] = output.read_bytes()
    different = [language for language in probes if results[language] != results["c"]]
    assert not different, f"not the bits of C: {different}"

    frames = np.frombuffer(results["c"]).reshape(2 + members + steps, 2, NY, NX)
    mean, spread, drawn, rolled = np.split(frames, [1, 2, 2 + members])
    np.testing.assert_allclose(mean[0], drawn.mean(axis=0), atol=1e-7)
    np.testing.assert_allclose(spread[0], drawn.std(axis=0, ddof=1), atol=1e-7)
    assert spread.min() > 0
    assert len({member.tobytes() for member in drawn}) == members
    from surrogate.reference import reference

    expected = state
    for step, frame in enumerate(rolled, start=7):
        expected = reference(bundle, expected, step=step, seed=11, member=2)
        np.testing.assert_allclose(frame, expected, atol=1e-6)
    # The same step, seed and member; a convolution of four states may round otherwise than one of one.
    np.testing.assert_allclose(rolled[0], drawn[0], atol=1e-7)


def test_steps_guidance_and_captions_give_the_same_bits_in_every_language(tmp_path):
    need_library()
    environment = torch_engine()
    bundle = sampler_bundle(tmp_path / "sampled.surrogate")
    state = smooth_state()
    state.tofile(tmp_path / "input.bin")
    probes = {"py": [sys.executable, PROBES / "sampled.py"]}
    for language in ("c", "cpp", "f90"):
        source = PROBES / f"sampled.{language}"
        probes[language] = [compile_program(source, tmp_path / language / "sampled", "-O2")]
    results = {}
    for language, probe in probes.items():
        output = tmp_path / f"{language}.bin"
        run([*probe, bundle, tmp_path / "input.bin", output], environment=environment)
        results[language] = output.read_bytes()
    different = [language for language in probes if results[language] != results["c"]]
    assert not different, f"not the bits of C: {different}"

    from surrogate.reference import reference

    preset, asked, *rolled = np.frombuffer(results["c"]).reshape(5, 2, NY, NX)
    draw = {"seed": 11, "member": 2}
    condition = {"steps": 4, "guidance": 2.5, "caption": "a red circle"}
    np.testing.assert_allclose(preset, reference(bundle, state, step=7, **draw), atol=1e-6)
    expected = state
    for step, frame in enumerate(rolled, start=7):
        expected = reference(bundle, expected, step=step, **draw, **condition)
        np.testing.assert_allclose(frame, expected, atol=1e-6)
    assert np.array_equal(asked, rolled[0])
    assert np.abs(asked - preset).max() > 1e-3


def test_loops_with_refused_steps_have_the_same_bits_in_every_language(case, commands, tmp_path):
    bundle, environment = case
    printed, results = {}, {}
    for language in LANGUAGES:
        output = tmp_path / f"{language}.bin"
        done = run([*commands["example"][language], bundle, output, "5"], environment=environment)
        printed[language], results[language] = done.stdout, output.read_bytes()
    assert len(results["c"]) == 2 * NY * NX * 8
    assert len(set(printed.values())) == 1, printed
    different = [language for language in LANGUAGES if results[language] != results["c"]]
    assert not different, f"not the bits of C: {different}"
    accepted, rejected = (int(part.split()[1]) for part in printed["c"].split(",")[:2])
    assert accepted + rejected == 5
    assert min(accepted, rejected) >= 1, printed["c"]


def test_the_solvers_alone_have_the_same_bits(commands, tmp_path):
    guards = {"bounds": {"c": {"upper": -1.0}}}
    bundle = stub_bundle(tmp_path / "refuses.surrogate", FIELDS, STUB_PROGRAM, guards=guards)
    results = {}
    for language in LANGUAGES:
        done = run([*commands["example"][language], bundle, tmp_path / language, "2"])
        assert "accepted 0, rejected 2" in done.stdout
        results[language] = (tmp_path / language).read_bytes()
    assert len(set(results.values())) == 1
    c, q = np.frombuffer(results["c"]).reshape(2, NY, NX)
    assert abs(q.mean() - 0.5) < 1e-13, "the solver conserves"
    assert c.min() > 0
    assert c.max() < 0.97


def test_errors_end_with_the_same_text_in_every_language(commands, tmp_path):
    texts = {}
    for language in LANGUAGES:
        done = run(
            [*commands["example"][language], tmp_path / "missing.surrogate", tmp_path / "out"],
            code=1,
        )
        texts[language] = done.stderr.strip()
        assert "missing.surrogate" in texts[language]
        assert "Traceback" not in texts[language]
    assert texts["c"] == texts["cpp"] == texts["f90"], texts
    assert not (tmp_path / "out").exists()


def test_examples_build_alone_against_an_installation(commands, tmp_path):
    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("cmake is missing: apt-get install cmake")
    if not (BUILD / "CMakeCache.txt").exists():
        pytest.skip(f"{BUILD} is no CMake build: {HOW_TO_BUILD}")
    gfortran = need_compiler("gfortran")
    prefix, build = tmp_path / "prefix", tmp_path / "build"
    run([cmake, "--install", BUILD, "--prefix", prefix])
    run([cmake, "-S", EXAMPLES, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"])
    run([cmake, "--build", build])
    programs = [build / f"advection_diffusion_{language}" for language in ("c", "cpp", "f90")]

    # With another compiler than the installed module file's: the module's source beside the solver's.
    module = next(prefix.glob("share/surrogate/fortran/surrogate.f90"))
    library = next(prefix.glob("lib*/**/libsurrogate.so")).parent
    sources = [module, EXAMPLES / "advection_diffusion.f90"]
    link = [f"-L{library}", f"-Wl,-rpath,{library}", "-lsurrogate"]
    programs.append(build / "from_source")
    run([gfortran, "-ffp-contract=off", "-J", build, *sources, "-o", programs[-1], *link])

    # A makefile's way: flags from pkg-config.
    if (tool := shutil.which("pkg-config")) is None:
        pytest.skip("pkg-config is missing: apt-get install pkg-config")
    search = f"--with-path={library / 'pkgconfig'}"
    flags = run([tool, search, "--cflags", "--libs", "surrogate"]).stdout.split()
    programs.append(build / "by_pkg_config")
    source = EXAMPLES / "advection_diffusion.c"
    gcc = [need_compiler("gcc"), "-O2", "-ffp-contract=off", source, "-o", programs[-1]]
    run([*gcc, *flags, f"-Wl,-rpath,{library}", "-lm"])

    bundle = stub_bundle(tmp_path / "alone.surrogate", FIELDS, STUB_PROGRAM, guards=GUARDS)
    for program in programs:
        run([program, bundle, program.with_suffix(".bin"), "3"])
    assert len({program.with_suffix(".bin").read_bytes() for program in programs}) == 1
