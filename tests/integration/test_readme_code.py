"""The README's code for C, C++ and Fortran, built with the README's own commands against the installed package."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from bundles import field, stub_bundle
from compiling import need_compiler, run

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


def test_the_readme_names_the_command_that_tells_a_shipped_bundles_folder():
    command = re.search(r"`surrogate (info mhd2d_128 --path)`", README).group(1)
    done = run([Path(sys.executable).with_name("surrogate"), *command.split()])
    assert (Path(done.stdout.strip()) / "manifest.json").is_file()
