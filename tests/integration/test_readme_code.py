"""The README's code for C, C++ and Fortran, built with the README's own commands against the installed package."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from bundles import field, stub_bundle
from compiling import need_compiler, run
from mpirun import mpirun

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
COMPILERS = {"c": "gcc", "cpp": "g++", "fortran": "gfortran"}
SUFFIX = {"c": "c", "cpp": "cpp", "fortran": "f90"}

C = """{head}
#include <stdio.h>
#include <stdlib.h>
enum {{ ny = 6, nx = 8 }};
static double rho[ny + 4][nx + 4], rho_next[ny + 4][nx + 4], p[ny][nx], p_next[ny][nx], t, jump = 0.5;
static void die(const char *text) {{ puts(text); exit(1); }}
static void advance(double time) {{ t = time; }}
int main(void) {{
{body}
    printf("t = %g\\n", t);
    return 0;
}}
"""
AND_SO_ON = """
surrogate_field_init(&now[1], "p", p, SURROGATE_FLOAT64, 2, shape);
surrogate_field_init_ghost(&next[0], "rho", rho_next, SURROGATE_FLOAT64, 2, shape, ghost);
surrogate_field_init(&next[1], "p", p_next, SURROGATE_FLOAT64, 2, shape);
"""
CPP = """{head}
#include <cstdio>
constexpr int ny = 6, nx = 8;
double rho[(ny + 4) * (nx + 4)], rho_next[(ny + 4) * (nx + 4)], p[ny * nx], p_next[ny * nx], t, jump = 0.5;
void advance(double time) {{ t = time; }}
int main() {{
{body}
    else t += jump;
    std::printf("t = %g\\n", t);
}}
"""
FORTRAN = """program solver
use, intrinsic :: iso_fortran_env, only: real64
{head}
implicit none
integer, parameter :: nx = 8, ny = 6
integer :: ierr
real(real64) :: t = 0, jump = 0.5_real64
character(len=300) :: msg
{declarations}
allocate (rho(0:nx+1,0:ny+1), rho_next(0:nx+1,0:ny+1))
rho = 0
{body}
if (ierr == SURROGATE_OK) t = t + jump
print '(a,f3.1)', 't = ', t
contains
subroutine advance(time)
real(real64), intent(in) :: time
t = time
end subroutine advance
end program solver
"""


def snippet(language: str) -> tuple[list[str], list[str]]:
    """First lines of the README's snippet that belong to the head of a file, and the others."""
    lines = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL).group(1).splitlines()
    head = [line for line in lines if line.startswith(("#include", "use "))]
    return head, [line for line in lines if line not in head]


def source(language: str) -> str:
    """A whole program around the README's snippet."""
    head, body = snippet(language)
    declarations = [line for line in body if "::" in line] if language == "fortran" else []
    text = "\n".join(line for line in body if line not in declarations)
    template = {"c": C, "cpp": CPP, "fortran": FORTRAN}[language]
    text = text.replace("/* and so on */", AND_SO_ON)
    return template.format(head="\n".join(head), body=text, declarations="\n".join(declarations))


@pytest.mark.parametrize("language", COMPILERS)
def test_the_snippet_builds_by_the_readmes_line_and_runs(language, tmp_path):
    compiler = need_compiler(COMPILERS[language])
    names = ["rho"] if language == "fortran" else ["rho", "p"]
    program = {
        "operation": "affine",
        "scale": [0.5] * len(names),
        "offset": [0.0] * len(names),
        "channels": list(range(len(names))),
    }
    stub_bundle(tmp_path / "flow.surrogate", [field(name) for name in names], program)
    (tmp_path / f"solver.{SUFFIX[language]}").write_text(source(language))
    lines = re.search(r"```bash\n(export PKG_CONFIG_PATH.*?)```", README, re.DOTALL).group(1)
    own = f"{Path(compiler).name} "
    wanted = [line for line in lines.splitlines() if line.startswith((own, "export ", "flags="))]
    assert len(wanted) == 3
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "\n".join(["set -e", f"cd {tmp_path}", *wanted])
    run(["bash", "-c", script], environment={"PATH": path})
    done = run(["bash", "-c", f"cd {tmp_path} && ./solver_{language}"])
    assert done.stdout.strip() == "t = 0.5"


MPI_SECTION = README[README.find("### On many ranks of MPI") :]
MPI_C = """#include <stdio.h>
#include <stdlib.h>
{head}
enum {{ ny = 6, nx = 8, ny_all = 6, nx_all = 8, y0 = 0, x0 = 0 }};
static double rho[ny][nx], rho_next[ny][nx], p[ny][nx], p_next[ny][nx];
static void die(const char *text) {{ puts(text); exit(1); }}
int main(int argc, char **argv) {{
    MPI_Init(&argc, &argv);
    MPI_Comm comm = MPI_COMM_WORLD;
    int status;
    int64_t shape[] = {{ny, nx}};
    surrogate_field now[2], next[2];
    surrogate_field_init(&now[0], "rho", rho, SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&now[1], "p", p, SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&next[0], "rho", rho_next, SURROGATE_FLOAT64, 2, shape);
    surrogate_field_init(&next[1], "p", p_next, SURROGATE_FLOAT64, 2, shape);
{body}
    puts(surrogate_status_name(status));
    return MPI_Finalize();
}}
"""
MPI_FORTRAN = """program solver
use, intrinsic :: iso_fortran_env, only: real64
{head}
implicit none
integer, parameter :: nx_all = 8, ny_all = 6, i0 = 1, j0 = 1
integer :: ierr
real(real64) :: t = 0, jump = 0.5_real64
real(real64), target :: rho(8, 6) = 0, p(8, 6) = 0
character(len=300) :: msg
type(MPI_Comm) :: comm
type(surrogate_fields) :: now, next
{declarations}
call MPI_Init()
comm = MPI_COMM_WORLD
call now%add("rho", rho);  call now%add("p", p)
call next%add("rho", rho);  call next%add("p", p)
{body}
print '(a)', surrogate_status_name(ierr)
call MPI_Finalize()
contains
subroutine advance(time)
real(real64), intent(in) :: time
t = time
end subroutine advance
end program solver
"""


def mpi_source(language: str) -> str:
    """A whole program around the README's snippet for many ranks."""
    lines = re.search(rf"```{language}\n(.*?)```", MPI_SECTION, re.DOTALL).group(1).splitlines()
    head = [line for line in lines if line.startswith(("#include", "use "))]
    declarations = [line for line in lines if "::" in line] if language == "fortran" else []
    body = "\n".join(line for line in lines if line not in head and line not in declarations)
    template = {"c": MPI_C, "fortran": MPI_FORTRAN}[language]
    return template.format(head="\n".join(head), body=body, declarations="\n".join(declarations))


@pytest.fixture
def mpi_bundle(tmp_path):
    pytest.importorskip("surrogate._native_mpi", reason="surrogate was built without MPI")
    program = {"operation": "affine", "scale": [0.5] * 2, "offset": [0.0] * 2, "channels": [0, 1]}
    return stub_bundle(tmp_path / "flow.surrogate", [field(name) for name in ("rho", "p")], program)


@pytest.mark.parametrize(("language", "compiler"), [("c", "mpicc"), ("fortran", "mpifort")])
def test_the_snippet_for_many_ranks_builds_by_the_readmes_line_and_runs(
    language, compiler, mpi_bundle, tmp_path
):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is missing: apt-get install libopenmpi-dev")
    (tmp_path / f"solver.{SUFFIX[language]}").write_text(mpi_source(language))
    path = re.search(r"export PKG_CONFIG_PATH.*", README).group()
    lines = re.search(r"```bash\n(.*?)```", MPI_SECTION, re.DOTALL).group(1).splitlines()
    wanted = [line for line in lines if line.startswith((f"{compiler} ", "modules="))]
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = "\n".join(["set -e", f"cd {tmp_path}", path, *wanted])
    run(["bash", "-c", script], environment=environment, timeout=300)
    done = mpirun([tmp_path / f"solver_{language}"], 1, folder=tmp_path)
    assert done.stdout.strip() == "SURROGATE_OK"


def test_the_python_snippet_for_many_ranks_runs(mpi_bundle, tmp_path):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install mpi4py")
    code = re.search(r"```python\n(.*?)```", MPI_SECTION, re.DOTALL).group(1)
    start = "import numpy as np\nny, nx = 6, 8\n"
    body = code.replace("with Surrogate", "block = np.zeros((2, *where.shape))\nwith Surrogate")
    (tmp_path / "solver.py").write_text(start + body)
    done = mpirun([sys.executable, "-P", "solver.py"], 2, folder=tmp_path, timeout=240)
    assert done.stdout.count("tiles ") == 2


def test_the_readme_names_the_command_that_tells_a_shipped_bundles_folder():
    command = re.search(r"`surrogate (info mhd2d_128 --path)`", README).group(1)
    done = run([Path(sys.executable).with_name("surrogate"), *command.split()])
    assert (Path(done.stdout.strip()) / "manifest.json").is_file()
