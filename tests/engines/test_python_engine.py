"""The python engine runs any callable for C, Fortran and Python hosts, and leaves the host as it was."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from bundles import field, manifest
from compiling import LIBRARY, ROOT, compile_program, run
from engines.torchscript import PROGRAM as TORCHSCRIPT
from engines.torchscript import engine_folder, traced

from surrogate import Surrogate
from surrogate.bundle.folder import check_bundle, write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.errors import EngineError, SurrogateError
from surrogate.reference_programs import load_program

HERE = Path(__file__).resolve().parent
SOURCE = (HERE / "python_programs.py").read_bytes()
FILE = "programs/model.py"
LAST = 6.3  # u in the last cell of python_host.c
X = np.arange(64, dtype=np.float32).reshape(1, 8, 8)


def program(entry: str, file: str = "") -> dict[str, str]:
    return {"name": "py", "engine": "python", "format": "python", "entry": entry, "file": file}


def bundle_of(tmp_path: Path, entry: str, *, source: bytes | None = SOURCE, **more) -> Path:
    """A bundle of one field, predicted as an increment; without `source` its module must be importable."""
    folder = tmp_path / f"{entry.partition(':')[2]}.surrogate"
    files = {} if source is None else {FILE: source}
    programs = [program(entry, FILE if files else "")]
    write_bundle(folder, files, **manifest(folder.stem, [field("u")], programs, **more))
    return folder


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    if not (LIBRARY / "libsurrogate_engine_python.so").exists():
        pytest.skip(
            f"the python engine is not in {LIBRARY}: apt-get install python3-dev, then make native"
        )
    target = tmp_path_factory.mktemp("host") / "python_host"
    options = ["-std=gnu11", "-pthread", "-Wl,--no-as-needed", "-lm"]
    return compile_program(HERE / "python_host.c", target, *options, strict=False)


def call(host, bundle, options=None, calls=1, threads=0, **environment) -> list[str]:
    arguments = [host, bundle, json.dumps(options or {}), str(calls), str(threads)]
    done = run(arguments, environment=environment)
    assert done.stderr == "" or "PYTHONHOME" in environment  # Python itself prints then
    *lines, signals, locale, traps = done.stdout.splitlines()
    assert (signals, locale, traps) == ("signals kept", "locale kept", "traps kept")
    return lines


def last_value(line: str) -> float:
    words = line.split()
    assert words[0] == "SURROGATE_OK", line
    return float(words[4])


def report_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# ---- a C host


def test_function_of_the_bundle_is_called(host, tmp_path):
    line, copies = call(host, bundle_of(tmp_path, "model:double"))
    assert last_value(line) == pytest.approx(3 * LAST, rel=1e-6)
    assert copies == "copies 0"


def test_function_reads_the_solvers_own_memory_and_cannot_write_it(host, tmp_path):
    bundle, report = bundle_of(tmp_path, "model:report"), tmp_path / "report"
    line, copies = call(host, bundle, {"report": str(report), "communicator": 42})
    seen = report_of(report)[-1]  # the first is the warm-up of open
    assert seen["address"] == int(line.split()[-1])
    assert not seen["writeable"]
    assert (seen["shape"], seen["dtype"]) == ([1, 1, 8, 8], "float32")
    assert (seen["device"], seen["threads"], seen["communicator"]) == ("cpu", 0, 42)
    assert copies == "copies 0"


def test_writing_to_an_input_is_an_error(host, tmp_path):
    status, text = failure(host, bundle_of(tmp_path, "model:scribble"))
    assert status == "SURROGATE_ERROR_EXECUTION"
    assert "read-only" in text


@pytest.mark.parametrize("way", ["option", "variable", "VIRTUAL_ENV"])
def test_packages_of_the_named_environment_are_seen(host, tmp_path, way):
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    numpy_folder = Path(np.__file__).parents[1]
    (packages / "more.pth").write_text(f"{numpy_folder}\n")
    (packages / "only_here.py").write_bytes(SOURCE)
    bundle, report = bundle_of(tmp_path, "only_here:report", source=None), tmp_path / "report"
    python = str(environment / "bin" / "python")
    options = {"report": str(report)} | ({"python": python} if way == "option" else {})
    variables = {
        "option": {"VIRTUAL_ENV": "/nowhere"},
        "variable": {"SURROGATE_PYTHON": python},
        "VIRTUAL_ENV": {"VIRTUAL_ENV": str(environment)},
    }[way]
    call(host, bundle, options, **variables)
    seen = report_of(report)[-1]
    assert (seen["executable"], seen["prefix"]) == (python, str(environment))


def test_without_a_name_it_is_the_environment_of_the_build(host, tmp_path):
    bundle, report = bundle_of(tmp_path, "model:report"), tmp_path / "report"
    call(host, bundle, {"report": str(report)}, VIRTUAL_ENV="", SURROGATE_PYTHON="")
    assert report_of(report)[-1]["prefix"] == sys.prefix


def test_importable_module_needs_no_file(host, tmp_path):
    bundle = bundle_of(tmp_path, "python_programs:Outer.inner", source=None)
    line, _ = call(host, bundle, PYTHONPATH=str(HERE))
    assert last_value(line) == pytest.approx(3 * LAST, rel=1e-6)


def test_class_is_made_once_and_keeps_its_state(host, tmp_path):
    lines = call(host, bundle_of(tmp_path, "model:Counter"), {"start": 100}, calls=3)
    # the warm-up of open was call 1
    assert [last_value(line) - LAST for line in lines[:3]] == pytest.approx([102, 103, 104])


def test_program_that_returns_its_input_is_right(host, tmp_path):
    line, _ = call(host, bundle_of(tmp_path, "model:same"))
    assert last_value(line) == pytest.approx(2 * LAST, rel=1e-6)


def test_strided_float64_result_is_converted(host, tmp_path):
    line, _ = call(host, bundle_of(tmp_path, "model:wide"))
    assert last_value(line) == pytest.approx(3 * LAST, rel=1e-6)


def test_what_a_program_prints_is_not_lost(host, tmp_path):
    lines = call(host, bundle_of(tmp_path, "model:talk"))
    assert lines.count("hello from Python") == 2  # warm-up and call


def test_two_threads_are_inside_python_at_once(host, tmp_path):
    bundle = bundle_of(tmp_path, "python_programs:meet", source=None)
    lines = call(host, bundle, calls=20, threads=2, PYTHONPATH=str(HERE))
    values = [last_value(line) for line in lines if not line.startswith("copies")]
    assert values == pytest.approx([3 * LAST] * 40, rel=1e-6)


def test_environment_without_utf8_reads_utf8(host, tmp_path):
    source = (
        "def predict(state):\n    open(__file__).read()\n    return state * len('é')\n".encode()
    )
    line, _ = call(host, bundle_of(tmp_path, "model:predict", source=source), LC_ALL="C", LANG="C")
    assert last_value(line) == pytest.approx(2 * LAST, rel=1e-6)


# ---- failures


def failure(host, bundle, options=None, **environment) -> tuple[str, str]:
    lines = call(host, bundle, options, **environment)
    return lines[0], "\n".join(lines[1:])


def test_exception_is_a_status_with_the_traceback(host, tmp_path):
    status, text = failure(host, bundle_of(tmp_path, "model:unlucky"))
    assert status == "SURROGATE_ERROR_EXECUTION"
    assert "Traceback (most recent call last)" in text
    assert "model.py" in text
    assert ", in unlucky" in text
    assert 'raise ValueError("the sky fell on cell 3")' in text  # the source line
    assert text.rstrip().endswith("ValueError: the sky fell on cell 3")
    assert "surrogate python engine" not in text  # none of our own frames


def test_long_traceback_keeps_both_ends(host, tmp_path):
    status, text = failure(host, bundle_of(tmp_path, "model:endless"))
    assert status == "SURROGATE_ERROR_EXECUTION"
    assert "Traceback" in text
    assert "RecursionError: maximum recursion depth exceeded" in text


@pytest.mark.parametrize(("entry", "word"), [("leave", "SystemExit: 3"), ("interrupt", "Keyboard")])
def test_program_cannot_end_its_host(host, tmp_path, entry, word):
    status, text = failure(host, bundle_of(tmp_path, f"model:{entry}"))
    assert status == "SURROGATE_ERROR_EXECUTION"
    assert word in text


def test_failed_call_leaves_the_output_untouched_and_the_next_one_works(host, tmp_path):
    lines = call(host, bundle_of(tmp_path, "model:Picky"), calls=3)
    assert last_value(lines[0]) == pytest.approx(3 * LAST, rel=1e-6)
    assert lines[1].startswith("SURROGATE_ERROR_EXECUTION first -7 last -7")
    assert any("RuntimeError: not this one" in line for line in lines)
    assert last_value(lines[-2]) == pytest.approx(3 * LAST, rel=1e-6)


def test_input_that_is_kept_beyond_the_call_is_an_error(host, tmp_path):
    status, text = failure(host, bundle_of(tmp_path, "model:keep"))
    assert status == "SURROGATE_ERROR_EXECUTION"
    assert "model:keep keeps a reference to an input" in text


def test_input_in_a_dead_cycle_is_no_error(host, tmp_path):
    line, _ = call(host, bundle_of(tmp_path, "model:cycle"))
    assert last_value(line) == pytest.approx(3 * LAST, rel=1e-6)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("crop", "returned shape (1, 1, 0, 1), expected (1, C, 1, 1)"),
        ("words", "returned str of dtype <U7, expected an array of real numbers"),
    ],
)
def test_result_of_a_wrong_kind_is_a_status(host, tmp_path, entry, words):
    status, text = failure(host, bundle_of(tmp_path, f"model:{entry}"))
    assert status == "SURROGATE_ERROR_EXECUTION"
    assert words in text


@pytest.mark.parametrize(
    ("entry", "source", "words"),
    [
        ("nowhere.at_all:predict", None, "ModuleNotFoundError: No module named 'nowhere'"),
        ("model:absent", SOURCE, "has no attribute 'absent'"),
        ("model:NUMBER", SOURCE, "model:NUMBER is a int, expected something callable"),
        ("model:f", b"def f(:\n", "SyntaxError"),
        ("model:f", b"raise SystemExit(4)", "SystemExit: 4"),
    ],
)
def test_program_that_cannot_be_loaded_is_an_engine_error(host, tmp_path, entry, source, words):
    status, text = failure(host, bundle_of(tmp_path, entry, source=source))
    assert status == "SURROGATE_ERROR_ENGINE"
    assert words in text


def test_changed_source_is_refused_before_it_runs(host, tmp_path):
    bundle = bundle_of(tmp_path, "model:double")
    text = SOURCE.replace(b"np.float32(2)", b"np.float32(3)")
    (bundle / FILE).write_bytes(text)
    status, text = failure(host, bundle)
    assert status == "SURROGATE_ERROR_CORRUPT"
    assert "SHA-256" in text


def test_interpreter_that_is_none_is_named(host, tmp_path):
    status, text = failure(host, bundle_of(tmp_path, "model:double"), {"python": "/no/python"})
    assert status == "SURROGATE_ERROR_ARGUMENT"
    assert "engine_options.python '/no/python' is no executable file" in text


def test_missing_libpython_names_the_file_and_the_ways_out(host, tmp_path):
    bundle = bundle_of(tmp_path, "model:double")
    status, text = failure(host, bundle, SURROGATE_LIBPYTHON="/no/libpython3.11.so")
    assert status == "SURROGATE_ERROR_ENGINE"
    assert "/no/libpython3.11.so" in text
    assert "SURROGATE_LIBPYTHON" in text


def test_environment_of_another_python_is_refused(host, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    shutil.copy(shutil.which("true"), python)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.8.1\n")
    status, text = failure(host, bundle_of(tmp_path, "model:double"), {"python": str(python)})
    assert status == "SURROGATE_ERROR_ENGINE"
    assert "is of Python 3.8.1" in text


def test_broken_installation_is_a_status_not_the_end_of_the_host(host, tmp_path):
    bundle = bundle_of(tmp_path, "model:double")
    status, text = failure(host, bundle, PYTHONHOME=str(tmp_path))
    assert status == "SURROGATE_ERROR_ENGINE"
    assert "Python cannot be started" in text


def test_communicator_must_be_an_integer(host, tmp_path):
    status, text = failure(host, bundle_of(tmp_path, "model:double"), {"communicator": "world"})
    assert status == "SURROGATE_ERROR_ENGINE"
    assert "engine_options.communicator 'world' given" in text


# ---- MPI and Fortran


def test_communicator_reaches_every_rank(host, tmp_path):
    for tool in ("mpicc", "mpirun"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing: apt-get install libopenmpi-dev openmpi-bin")
    flags = [
        part
        for kind in ("compile", "link")
        for part in run(["mpicc", f"--showme:{kind}"]).stdout.split()
    ]
    target = compile_program(
        HERE / "python_ranks.c",
        tmp_path / "ranks",
        "-std=gnu11",
        "-Wl,--no-as-needed",
        *flags,
        strict=False,
    )
    source = b"""
def predict(state, context):
    try:
        from mpi4py import MPI
    except ImportError:  # the handle alone
        return state * 0 + context.communicator
    comm = MPI.Comm.f2py(context.communicator)
    assert comm.Get_size() == 2
    return state * 0 + comm.allreduce(context.communicator) // 2
"""
    bundle = bundle_of(tmp_path, "model:predict", source=source)
    command = ["mpirun", "--bind-to", "none", "-n", "2", target, bundle]
    environment = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }
    lines = sorted(run(command, environment=environment, timeout=120).stdout.splitlines())
    assert lines == ["rank 0 handle arrived", "rank 1 handle arrived"]


def test_example_of_the_readme_runs_in_a_c_host(host, tmp_path):
    pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
    section = (ROOT / "README.md").read_text().split("### Any Python callable", 1)[1]
    code, script = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:2]
    (tmp_path / "smooth.py").write_text(code)
    subprocess.run([sys.executable, "-P", "-c", script], cwd=tmp_path, check=True)
    line, copies = call(host, tmp_path / "smooth.surrogate")
    x = np.arange(64).reshape(8, 8) * 0.1
    assert last_value(line) == pytest.approx(x[6:, 6:].sum() / 9, rel=1e-5)  # outside the grid is 0
    assert copies == "copies 0"


def test_fortran_host_calls_python(host, tmp_path):
    source = tmp_path / "host.f90"
    source.write_text("""program host
  use, intrinsic :: iso_fortran_env, only: real64
  use surrogate
  implicit none
  type(surrogate_model) :: model
  type(surrogate_fields) :: now, next
  real(real64) :: u(4, 4), v(4, 4)
  integer :: ierr
  character(len=2000) :: msg
  u = 1.25_real64
  call model%open("double.surrogate", engine="python", stat=ierr, errmsg=msg)
  if (ierr /= 0) print *, trim(msg)
  call now%add("u", u);  call next%add("u", v)
  call model%predict(next, now, stat=ierr, errmsg=msg)
  print '(i0, 1x, f0.2)', ierr, v(4, 4)
end program host
""")
    bundle_of(tmp_path, "model:double")
    target = compile_program(source, tmp_path / "fortran_host", strict=False)
    done = subprocess.run([target], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "3.75"]


# ---- a Python host


def test_python_host_is_joined(tmp_path):
    bundle, report = bundle_of(tmp_path, "model:report"), tmp_path / "report"
    options = {"report": str(report)}
    with Surrogate.open(bundle, engine="python", engine_options=options, threads=3) as model:
        assert f"with python {sys.version.split()[0]}" in model.info.choice
        np.testing.assert_array_equal(model.predict(X), X * 3)
    seen = report_of(report)[-1]
    assert (seen["pid"], seen["address"]) == (os.getpid(), X.ctypes.data)
    assert seen["threads"] == 3


def test_auto_never_runs_python_code(tmp_path):
    bundle = bundle_of(tmp_path, "model:double")
    for options in ({}, {"program": "py"}):
        with pytest.raises(
            SurrogateError, match=r"never chosen unasked: open with engine .python."
        ):
            Surrogate.open(bundle, **options)


def test_exception_reaches_a_python_host_with_its_traceback(tmp_path):
    with pytest.raises(SurrogateError, match=r"(?s)Traceback.*ValueError: the sky fell"):
        Surrogate.open(bundle_of(tmp_path, "model:unlucky"), engine="python")


@pytest.mark.parametrize("entry", ["interrupt", "LateInterrupt"])  # in open, in predict
def test_ctrl_c_inside_a_program_still_interrupts_a_python_host(tmp_path, entry, request):
    bundle = bundle_of(tmp_path, f"model:{entry}")
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # background jobs begin with it ignored
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def predict() -> None:
        with contextlib.suppress(SurrogateError):
            Surrogate.open(bundle, engine="python").predict(X)
        time.sleep(0.01)  # Python delivers it between two lines

    with pytest.raises(KeyboardInterrupt):
        predict()


def test_python_threads_share_one_model_without_deadlock(tmp_path):
    with Surrogate.open(bundle_of(tmp_path, "model:double"), engine="python") as model:
        frames: list[np.ndarray] = []
        work = [
            threading.Thread(target=lambda: frames.extend(model.predict(X) for _ in range(20)))
            for _ in range(4)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in work)
    assert len(frames) == 80
    assert all(np.array_equal(frame, X * 3) for frame in frames)


def test_program_may_open_another_surrogate(tmp_path):
    inner = bundle_of(tmp_path, "model:double")
    source = f"""
from surrogate import Surrogate
model = Surrogate.open({str(inner)!r}, engine="python")
def nested(state):
    return model.predict(state)
""".encode()
    with Surrogate.open(
        bundle_of(tmp_path, "model:nested", source=source), engine="python"
    ) as model:
        np.testing.assert_array_equal(model.predict(X), X * 4)


def test_two_bundles_with_modules_of_one_name_do_not_meet(tmp_path):
    one = bundle_of(tmp_path / "a", "model:f", source=b"def f(state): return state\n")
    two = bundle_of(tmp_path / "b", "model:f", source=b"def f(state): return state * 4\n")
    before = set(sys.modules)
    with Surrogate.open(one, engine="python") as a, Surrogate.open(two, engine="python") as b:
        np.testing.assert_array_equal(a.predict(X), X * 2)
        np.testing.assert_array_equal(b.predict(X), X * 5)
    assert not {name for name in set(sys.modules) - before if name.startswith("_surrogate_")}


def test_parameters_are_the_second_input(tmp_path):
    parameters = [{"name": "mu", "range": [0.0, 9.0], "preset": 1.0}]
    bundle = bundle_of(tmp_path, "model:shifted", parameters=parameters)
    with Surrogate.open(bundle, engine="python") as model:
        np.testing.assert_array_equal(model.predict(X, parameters=[4.0]), X * 2 + 4)


def test_bundle_from_memory_runs_and_names_its_source_lines(tmp_path):
    bundle = bundle_of(tmp_path, "model:unlucky")
    files = {name: (bundle / name).read_bytes() for name in ("manifest.json", FILE)}
    with pytest.raises(SurrogateError, match=r"the sky fell on cell 3\"\)"):
        Surrogate.open_memory(files, engine="python")


def test_numpy_function_is_a_program(tmp_path):
    bundle = bundle_of(tmp_path, "numpy:negative", source=None)
    with Surrogate.open(bundle, engine="python") as model:
        assert not model.predict(X).any()


def test_torch_module_gives_the_frame_of_the_torch_engine(tmp_path):
    pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
    engine_folder()
    sys.path.insert(0, str(HERE))
    try:
        from python_programs import network
    finally:
        sys.path.remove(str(HERE))
    programs = [TORCHSCRIPT, program("model:Network", FILE)]
    files = {FILE: SOURCE, TORCHSCRIPT["file"]: traced(network())}
    bundle = tmp_path / "net.surrogate"
    write_bundle(bundle, files, **manifest("net", [field("u")], programs))
    frames = []
    for engine in ("torch", "python"):
        with Surrogate.open(bundle, engine=engine) as model:
            frames.append(model.predict(X))
    np.testing.assert_array_equal(*frames)


def test_reference_does_not_run_python_code(tmp_path):
    bundle = bundle_of(tmp_path, "model:double")
    with pytest.raises(EngineError, match="does not know format 'python'"):
        load_program(bundle, Manifest.read(bundle / "manifest.json"))


# ---- the manifest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entry": "model"}, "package.module:name"),
        ({"entry": "a..b:c"}, "package.module:name"),
        ({"entry": "os:system('x')"}, "package.module:name"),
        ({"format": "stub", "engine": "stub"}, "only programs? of format python have"),
        ({"format": "stub", "engine": "stub", "entry": "", "file": ""}, "file"),
        ({"file": "programs/other.py"}, "programs/other.py"),
    ],
)
def test_both_readers_refuse_a_wrong_entry_or_file(tmp_path, change, words):
    bundle = bundle_of(tmp_path, "model:double")
    document = json.loads((bundle / "manifest.json").read_text())
    document["programs"][0].update(change)
    (bundle / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=words):
        check_bundle(bundle)
    with pytest.raises(SurrogateError, match=words):
        Surrogate.open(bundle, engine="python")
