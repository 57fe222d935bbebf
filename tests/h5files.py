"""Comparison of HDF5 files by all that a reader can see."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np


def _described(item: h5py.Group | h5py.Dataset) -> dict[str, object]:
    """What is not a value: attributes with their types, and how a dataset is stored."""
    attributes = {
        name: (item.attrs.get_id(name).get_type().encode(), item.attrs.get_id(name).shape)
        for name in item.attrs
    }
    if not isinstance(item, h5py.Dataset):
        return {"attributes": attributes}
    stored = (item.chunks, item.compression, item.compression_opts, item.shuffle, item.maxshape)
    return {
        "attributes": attributes,
        "type": item.id.get_type().encode(),
        "shape": item.shape,
        "stored": stored,
    }


def assert_same_files(left: Path, right: Path) -> None:
    """Fail unless both files hold the same objects, of the same types, stored alike, with the same bits."""
    with h5py.File(left) as a, h5py.File(right) as b:
        names: tuple[list[str], list[str]] = (["/"], ["/"])
        a.visit(names[0].append)
        b.visit(names[1].append)
        assert names[0] == names[1]
        for name in names[0]:
            assert _described(a[name]) == _described(b[name]), name
            for key in a[name].attrs:
                if key != "dataset_name":
                    np.testing.assert_array_equal(
                        a[name].attrs[key], b[name].attrs[key], err_msg=f"{name}@{key}"
                    )
            if isinstance(a[name], h5py.Dataset):
                assert a[name][()].tobytes() == b[name][()].tobytes(), name
