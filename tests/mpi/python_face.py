"""Run under mpirun: python python_face.py SCENE BUNDLE [FILE]. Each rank asserts what must hold for it."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from surrogate import Recorder, Rejected, Surrogate, SurrogateError
from surrogate.errors import DtypeError, ShapeError
from surrogate.mpi import Decomposition

COMM = MPI.COMM_WORLD
SHAPE = (24, 40)
MODES = ("auto", "tiles", "gather", "batch")


def domain(dtype="float64", seed=0):
    """The whole state, (4, ny, nx): rho, v, mask."""
    return np.random.default_rng(seed).normal(size=(4, *SHAPE)).astype(dtype)


def block(whole, where):
    return np.ascontiguousarray(whole[:, *where.slices])


def named(state):
    return {"rho": state[0], "v": state[1:3], "mask": state[3]}


def expect(kind, call, *texts):
    """The error, of the right kind and with these texts, on this rank."""
    with pytest.raises(kind) as raised:
        call()
    assert all(text in str(raised.value) for text in texts), str(raised.value)
    return raised.value


def parity(bundle, comm=COMM):
    """Every form of the call is, in every mode, the block of the serial frame."""
    where = Decomposition.of(comm, SHAPE)
    with Surrogate.open(bundle, threads=1) as alone:
        for mode in MODES:
            with Surrogate.open(bundle, comm=comm, mode=mode, threads=1) as model:
                assert model.time_step == alone.time_step
                for dtype in ("float32", "float64"):
                    whole = domain(dtype)
                    frame = alone.predict(whole)
                    mine = block(whole, where)
                    assert np.array_equal(model.predict(mine, where), block(frame, where)), mode
                    inside = whole[:, *where.slices]  # strided
                    result = model.predict(named(inside), where)
                    assert np.array_equal(result["v"], block(frame, where)[1:3])
                    out = mine.copy()
                    assert model.predict(out, where, out=out) is out
                    assert np.array_equal(out, block(frame, where))
                told = model.report
                assert told.mode == mode or mode == "auto"
                assert (told.ranks, told.rank) == (comm.size, comm.rank)
                assert model.statistics.calls == 6
                assert model.last_rejection is None
            assert model.closed


def subcommunicators(bundle):
    """A communicator of every second rank, while the others predict their own domain."""
    parity(bundle, COMM.Split(COMM.rank % 2))


def rollouts(bundle):
    """A rollout is the loop of predictions, and the solver's own steps where a guard refused."""
    where = Decomposition.of(COMM, SHAPE)
    whole = domain()

    def solve(state, rejection):
        assert rejection.reason == "OUTPUT_OUT_OF_BOUNDS"
        return np.zeros_like(state)

    with (
        Surrogate.open(bundle) as alone,
        Surrogate.open(bundle, comm=COMM, mode="tiles") as model,
    ):
        expected = alone.rollout(whole, 4, on_reject=solve)
        frames = model.rollout(block(whole, where), where, 4, on_reject=solve)
        assert np.array_equal(frames[:, :3], expected[:, :3, *where.slices])
        assert not frames[-1, 3].any()  # the mask that the solver gave stays
        kept = model.rollout(block(whole, where), where, 4, on_reject="stop")
        assert len(kept) == len(alone.rollout(whole, 4, on_reject="stop"))
        expect(Rejected, lambda: model.rollout(block(whole, where), where, 4))


def refusals(bundle):
    """One rank's NaN and one rank's mistake are the outcome of all; then the model works on."""
    where = Decomposition.of(COMM, SHAPE)
    last = COMM.size - 1
    with Surrogate.open(bundle, comm=COMM) as model:
        mine = block(domain(), where)
        out = np.full_like(mine, -7.0)
        bad = mine.copy()
        if COMM.rank == last:
            bad[0, 2, 3] = np.nan
        refused = expect(Rejected, lambda: model.predict(bad, where, out=out), "not finite")
        assert refused.reason == "INPUT_NOT_FINITE"
        assert refused.rank == last
        corner = Decomposition.of(Other(last, COMM.size), SHAPE).origin
        assert refused.cell == (corner[0] + 2, corner[1] + 3)
        assert (refused.field, refused.component) == ("rho", 0)
        assert model.last_rejection.cell == refused.cell
        assert (out == -7.0).all()

        def fall_back(state, rejection):
            if COMM.rank == last:
                raise ValueError("the solver failed here")
            return np.zeros_like(state)

        kind = ValueError if COMM.rank == last else SurrogateError
        expect(kind, lambda: model.rollout(bad, where, 3, on_reject=fall_back), *about(last))

        integers = mine.astype(np.int32) if COMM.rank == last else mine
        kind = DtypeError if COMM.rank == last else SurrogateError
        expect(kind, lambda: model.predict(integers, where), *about(last))
        small = mine[:, 1:] if COMM.rank == last else mine
        kind = ShapeError if COMM.rank == last else SurrogateError
        expect(kind, lambda: model.predict(small, where), *about(last))
        wrong = Decomposition(SHAPE, (0, 0))  # all at the origin
        if COMM.size > 1:
            expect(ShapeError, lambda: model.predict(mine, wrong), "rank")
            expect(SurrogateError, lambda: model.predict(mine, where, seed=COMM.rank), "seed")
        assert np.isfinite(model.predict(mine, where)).all()
    missing = Path(bundle) / "missing.surrogate"
    expect(SurrogateError, lambda: Surrogate.open(missing, comm=COMM), "missing.surrogate")


def about(rank):
    """What the text says on the ranks that did nothing wrong."""
    return () if rank == COMM.rank else (f"rank {rank}",)


class Other:
    """Another rank, as Decomposition.of asks for it."""

    def __init__(self, rank, size):
        self.Get_rank, self.Get_size = lambda: rank, lambda: size


def communicators(bundle):
    """What is no communicator of many ranks is an error on all ranks, before anything hangs."""
    expect(SurrogateError, lambda: Surrogate.open(bundle, comm=42), "expected a communicator")
    expect(SurrogateError, lambda: Surrogate.open(bundle, comm=MPI.COMM_NULL))
    if COMM.size > 1:
        halves = COMM.Split(COMM.rank % 2)
        inter = halves.Create_intercomm(0, COMM, 1 - COMM.rank % 2)
        expect(SurrogateError, lambda: Surrogate.open(bundle, comm=inter), "inter")
    expect(SurrogateError, lambda: Surrogate.open(bundle, comm=COMM, mode="tile"), "'tiles'")
    with Surrogate.open(bundle, comm=COMM.Split(COMM.rank)) as model:
        whole = domain()
        assert np.array_equal(model.predict(whole), Surrogate.open(bundle).predict(whole))
        assert model.report.ranks == 1


def forgotten(bundle):
    """A model that is let go of warns, frees nothing, and lets the program end."""
    model = Surrogate.open(bundle, comm=COMM)
    model.predict(block(domain(), Decomposition.of(COMM, SHAPE)), Decomposition.of(COMM, SHAPE))
    with pytest.warns(ResourceWarning, match="never closed; close it on all ranks"):
        del model
    kept.append(Surrogate.open(bundle, comm=COMM))


kept = []  # until the interpreter ends


def recording(bundle, path):
    """One file of all ranks, with the values of the domain."""
    where = Decomposition.of(COMM, SHAPE)
    with Recorder.open(path, comm=COMM, units={"rho": "kg m-3"}) as recorder:
        for time in (0.0, 0.5):
            mine = named(block(domain(seed=int(2 * time)), where))
            recorder.write(time, {"rho": mine["rho"], "v": mine["v"]}, where)
        late = {"rho": mine["rho"][0] if COMM.rank == 0 else mine["rho"], "v": mine["v"]}
        kind = ShapeError if COMM.rank == 0 else SurrogateError
        expect(kind, lambda: recorder.write(1.0, late, where), *about(0))
    assert recorder.closed


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    globals()[sys.argv[1]](*sys.argv[2:])
    COMM.Barrier()
    if COMM.rank == 0:
        sys.stdout.write("all held\n")
