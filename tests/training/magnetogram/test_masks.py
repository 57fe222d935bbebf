"""Cells without data: weights, fillings, and the limb."""

from __future__ import annotations

import numpy as np
from surrogate_training.magnetogram.masks import blank, data_weight, fill, off_limb


def test_a_cell_counts_only_where_every_channel_of_every_frame_has_data() -> None:
    u = np.ones((2, 3, 4, 4), np.float32)
    u[0, 1, 0, 0] = u[1, 2, 3, 3] = np.nan
    weight = data_weight(u)
    assert weight.shape == (1, 4, 4)
    assert np.argwhere(weight[0] == 0).tolist() == [[0, 0], [3, 3]]


def test_filled_cells_hold_the_channels_mean_and_blank_brings_nan_back() -> None:
    u = np.ones((2, 3, 3), np.float32)
    u[1, 1, 1] = np.nan
    filled = fill(u, np.array([5.0, -7.0]))
    assert filled[1, 1, 1] == -7.0
    assert np.isfinite(filled).all()
    back = blank(filled, data_weight(u))
    assert np.argwhere(np.isnan(back)).tolist() == [[0, 1, 1], [1, 1, 1]]


def test_the_limb_is_ninety_degrees_from_the_middle_of_the_disc() -> None:
    lon, lat = np.array([-91.0, -89.0, 0.0, 89.0, 91.0]), np.array([0.0, 60.0])
    hidden = off_limb(lon, lat, meridian=0.0, limit=90.0)
    assert hidden.tolist() == [[True, False, False, False, True]] * 2
    near = off_limb(lon, lat, meridian=360.0, limit=50.0)
    assert near.tolist() == [[True, True, False, True, True], [True] * 5]
