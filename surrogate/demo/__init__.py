"""The main job, end to end: mhd2d from t1 to t2, natively, with the surrogate in its loop, and at half resolution."""
