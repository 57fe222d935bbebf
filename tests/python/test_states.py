"""States in files."""

import h5py
import numpy as np
import pytest

from surrogate.errors import ArgumentError, CorruptError, NotFoundError
from surrogate.io.states import check_output, read_state, write_state


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


@pytest.mark.parametrize("suffix", ["npy", "npz", "h5"])
def test_a_damaged_file_is_one_sentence_in_our_words(tmp_path, suffix):
    path = tmp_path / f"u.{suffix}"
    state = np.ones((3, 4, 5))
    write_state(path, state if suffix == "npy" else {"u": state})
    whole = path.read_bytes()
    for content in (b"nonsense", b"", whole[: len(whole) // 2], whole[:-9]):
        path.write_bytes(content)
        with pytest.raises(CorruptError, match="cannot be read") as caught:
            read_state(path)
        assert "allow_pickle" not in str(caught.value)


def test_a_file_that_is_not_what_its_suffix_says_is_damaged(tmp_path):
    write_state(tmp_path / "u.npy", np.ones((2, 2)))
    write_state(tmp_path / "v.npz", {"u": np.ones((2, 2))})
    (tmp_path / "u.npy").rename(tmp_path / "u.npz")
    (tmp_path / "v.npz").rename(tmp_path / "v.npy")
    for name in ("u.npz", "v.npy"):
        with pytest.raises(CorruptError, match="format"):
            read_state(tmp_path / name)


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([object()]), allow_pickle=True)
    np.savez(tmp_path / "evil.npz", u=np.array([object()]))
    for name in ("evil.npy", "evil.npz"):
        with pytest.raises(CorruptError, match="array of numbers") as caught:
            read_state(tmp_path / name)
        assert "allow_pickle" not in str(caught.value)


def test_a_target_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    with pytest.raises(NotFoundError, match=r"no folder .*missing"):
        check_output(tmp_path / "missing" / "u.npy", named=False)
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(ArgumentError, match="is a folder"):
        check_output(tmp_path / "folder.npy", named=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotFoundError, match="no folder"):
        check_output(tmp_path / "file" / "u.npy", named=False)


def test_one_frame_of_a_file_of_many(tmp_path):
    rng = np.random.default_rng(0)
    rho, v = rng.normal(size=(4, 3, 5)), rng.normal(size=(4, 3, 5))
    path = tmp_path / "trajectory.h5"
    with h5py.File(path, "w") as file:
        file["rho"], file["v"], file["time"] = rho, v, np.arange(4.0)
    for frame in (0, 2, -1):
        state = read_state(path, frame=frame)
        assert sorted(state) == ["rho", "v"]
        np.testing.assert_array_equal(state["rho"], rho[frame])
        np.testing.assert_array_equal(state["v"], v[frame])
    with pytest.raises(ArgumentError, match="holds 4 frames; say which one"):
        read_state(path)
    for frame in (4, -5):
        with pytest.raises(ArgumentError, match="it holds 4"):
            read_state(path, frame=frame)


def test_a_frame_of_a_single_state_is_an_error(tmp_path):
    for name in ("u.h5", "u.npz"):
        write_state(tmp_path / name, {"u": np.zeros((3, 3))})
        with pytest.raises(ArgumentError, match="many frames"):
            read_state(tmp_path / name, frame=0)
