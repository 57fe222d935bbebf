"""States and snapshots in files."""
