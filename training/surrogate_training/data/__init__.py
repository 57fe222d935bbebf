"""Pairs of frames: reading, splitting, statistics, symmetries."""
