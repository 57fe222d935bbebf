"""Evaluation: a model and what it must beat, pair by pair, on data that training has not seen."""
