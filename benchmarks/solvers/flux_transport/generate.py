"""Make frames of the Sun's radial magnetic field with flux_transport.

    python generate.py --solver build/bin/flux_transport --out .data/flux_transport/band.h5
    python generate.py --solver build/bin/flux_transport --out small.h5 --map none --cells 256 64 \
        --latitudes -22.5 22.5 --frames 4 --spin-up 0

The start is the HMI synoptic map hmi_br_cr2252_1024x512.h5 in the folder that the variable
SURROGATE_DATA names, or any map given by --map; with --map none it is made from the seed.
"""

import argparse
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

# Open MPI refuses to start as root without these; other MPIs do not read them.
MPI_ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
MAP_NAME = "hmi_br_cr2252_1024x512.h5"
MAP_TIME = "2021.12.27_00:00:00_TAI"  # within Carrington rotation 2252, the default map's
EPOCH = datetime(1977, 1, 1)  # of times in SDO's data system; TAI has no leap seconds


def seconds_since_epoch(t_rec: str) -> float:
    """Seconds from 1977.01.01_00:00:00_TAI to a T_REC such as ``2021.12.27_00:00:00_TAI``.

    Raises
    ------
    argparse.ArgumentTypeError
        If the text is no such time.
    """
    try:
        return (datetime.strptime(t_rec, "%Y.%m.%d_%H:%M:%S_TAI") - EPOCH).total_seconds()
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{t_rec!r}: expected a time such as {MAP_TIME} (YYYY.MM.DD_hh:mm:ss_TAI)"
        ) from error


def find_map(given: str | None) -> Path | None:
    """The map that the run starts from; None for a start made from the seed.

    Parameters
    ----------
    given : str or None
        What the command line says: a path, ``none``, or nothing.

    Raises
    ------
    FileNotFoundError
        If there is no such map, or none is given and SURROGATE_DATA has none.
    """
    if given == "none":
        return None
    folder = os.environ.get("SURROGATE_DATA")
    if given is None and folder is None:
        raise FileNotFoundError(
            f"no map: set SURROGATE_DATA to the folder of {MAP_NAME}, give --map FILE, or --map none"
        )
    path = Path(given) if given is not None else Path(folder or "", MAP_NAME)
    if not path.is_file():
        raise FileNotFoundError(f"--map: there is no file {path}")
    return path


def command(given: argparse.Namespace, start: Path | None) -> list[str]:
    """Command line of the solver."""
    options: dict[str, object] = {
        "seed": given.seed,
        "nx": given.cells[0],
        "ny": given.cells[1],
        "lon-range": "{},{}".format(*given.longitudes),
        "lat-range": "{},{}".format(*given.latitudes),
        "first-frame": given.spin_up,
        "interval": given.interval,
        "frames": given.frames,
        "start-time": given.start,
        "output": given.out,
    }
    if start is not None:
        options["map"] = start
    launcher = ["mpirun", "--bind-to", "none", "-n", str(given.ranks)] if given.ranks > 1 else []
    low_priority = ["nice", "-n", "10"] if shutil.which("nice") else []
    pairs = (text for name, value in options.items() for text in (f"--{name}", str(value)))
    return [*low_priority, *launcher, str(given.solver.resolve()), *pairs, *given.more]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; the defaults are those of the published data set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--solver", type=Path, required=True, help="the flux_transport binary")
    parser.add_argument("--out", type=Path, required=True, help="the file of frames")
    parser.add_argument("--map", help="a synoptic map, or none (SURROGATE_DATA's)")
    parser.add_argument("--seed", type=int, default=2252, help="of flow and emergence")
    parser.add_argument("--cells", type=int, nargs=2, default=(2048, 512), metavar=("NX", "NY"))
    parser.add_argument(
        "--longitudes", type=float, nargs=2, default=(0.0, 360.0), metavar=("W", "E")
    )
    parser.add_argument("--latitudes", type=float, nargs=2, default=(-45, 45), metavar=("S", "N"))
    parser.add_argument("--spin-up", type=float, default=24.0, help="hours before the first frame")
    parser.add_argument("--interval", type=float, default=4.0, help="hours between frames")
    parser.add_argument("--frames", type=int, default=23)
    parser.add_argument(
        "--start", type=seconds_since_epoch, default=MAP_TIME, help="T_REC of the start, TAI"
    )
    parser.add_argument("--ranks", type=int, default=1, help="of MPI")
    parser.add_argument("more", nargs="*", help="after --: further options of the solver")
    return parser.parse_args(arguments)


def main() -> int:
    """Make the frames that the command line asks for."""
    given = parse_arguments()
    if not given.solver.is_file():
        print(f"--solver: there is no file {given.solver}; build it first", file=sys.stderr)
        return 2
    try:
        start = find_map(given.map)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    given.out.parent.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        command(given, start), env=os.environ | MPI_ENVIRONMENT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
