"""Solar magnetograms in FITS: cubes, pairs by active region, splits by region, and the way back.

``README.md`` beside this file shows the whole pipeline.
"""
