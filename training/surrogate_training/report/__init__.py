"""The report of an evaluation: one HTML file, the same as PDF, and the figures, one topic a file."""
