"""Runs over several tiles: their samples, maps and mosaic, validation by tile, and tiles as tasks of a cluster."""
