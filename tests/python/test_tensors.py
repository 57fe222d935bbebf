"""safetensors in numpy."""

import numpy as np
import pytest

from surrogate.bundle.tensors import decode_tensors, encode_tensors, read_tensors, write_tensors


def test_what_is_written_is_read(tmp_path):
    tensors = {
        "a": np.arange(6, dtype="f4").reshape(2, 3),
        "b": np.float64(2.5).reshape(()),
        "empty": np.zeros((0, 3), "i8"),
        "turned": np.arange(6, dtype="f4").reshape(2, 3).T,
    }
    write_tensors(tmp_path / "t.safetensors", tensors)
    for name, array in read_tensors(tmp_path / "t.safetensors").items():
        np.testing.assert_array_equal(array, tensors[name])
        assert array.dtype == tensors[name].dtype


def test_the_official_package_reads_it_and_is_read(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors (extra: training)")
    tensors = {"input": np.random.default_rng(0).normal(size=(1, 2, 3)).astype("f4")}
    np.testing.assert_array_equal(
        safetensors.load(encode_tensors(tensors))["input"], tensors["input"]
    )
    np.testing.assert_array_equal(
        decode_tensors(safetensors.save(tensors))["input"], tensors["input"]
    )


@pytest.mark.parametrize("cut", [0, 4, 20, -1])
def test_a_truncated_file_is_refused(cut):
    content = encode_tensors({"a": np.ones(5, "f4")})
    with pytest.raises(ValueError, match=r"damaged|no valid"):
        decode_tensors(content[:cut])


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="no valid"):
        decode_tensors((2).to_bytes(8, "little") + b"[]")
    with pytest.raises(ValueError, match="expected one of"):
        encode_tensors({"a": np.ones(3, "f2")})
