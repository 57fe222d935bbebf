"""Generative sampling: noising processes, where a sampler goes, and the samplers."""
