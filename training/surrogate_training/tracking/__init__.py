"""What is kept of a run beside its checkpoints: resource use, sample pictures, its state, and copies for trackers."""
