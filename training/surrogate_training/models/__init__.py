"""Generators: image-to-image nets whose output is a normalised increment."""
