"""A run, seen from outside by its files: what ``surrogate watch`` shows."""
