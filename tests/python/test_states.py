"""States in files."""

import numpy as np
import pytest

from surrogate.errors import ArgumentError, CorruptError, NotFoundError
from surrogate.io.states import read_state, write_state


def test_one_array(tmp_path):
    state = np.random.default_rng(0).normal(size=(3, 4, 5))
    write_state(tmp_path / "u.npy", state)
    np.testing.assert_array_equal(read_state(tmp_path / "u.npy"), state)


@pytest.mark.parametrize("suffix", ["npz", "h5", "hdf5"])
def test_named_arrays(tmp_path, suffix):
    state = {"rho": np.ones((4, 5), "f4"), "v": np.zeros((2, 4, 5))}
    path = tmp_path / f"u.{suffix}"
    write_state(path, state)
    read = read_state(path)
    assert sorted(read) == ["rho", "v"]
    assert read["rho"].dtype == "float32"
    np.testing.assert_array_equal(read["v"], state["v"])


def test_bad_files_and_names(tmp_path):
    with pytest.raises(NotFoundError, match="no such file"):
        read_state(tmp_path / "u.npy")
    with pytest.raises(ArgumentError, match="unknown kind"):
        read_state(tmp_path / "u.txt")
    with pytest.raises(ArgumentError, match=r"\.npz or \.h5"):
        write_state(tmp_path / "u.npy", {"u": np.zeros(3)})
    with pytest.raises(ArgumentError, match="one array"):
        write_state(tmp_path / "u.h5", np.zeros(3))
    for name in ("u.npy", "u.npz", "u.h5"):
        (tmp_path / name).write_bytes(b"nonsense")
        with pytest.raises(CorruptError, match="cannot be read"):
            read_state(tmp_path / name)


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(CorruptError):
        read_state(tmp_path / "evil.npy")
