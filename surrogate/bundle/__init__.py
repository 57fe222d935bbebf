"""Bundles: the folder ``NAME.surrogate/`` that carries a trained model from training to the solver."""
