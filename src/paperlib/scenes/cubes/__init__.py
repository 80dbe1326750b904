"""Cubes of NetCDF and Zarr: their axes, their variables, and what of them is read."""
