"""Diffusion: the noise levels that a sampler walks through, and the samplers."""
