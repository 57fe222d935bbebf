"""Methods: what is minimised."""
