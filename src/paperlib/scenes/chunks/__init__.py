"""Chunks of NetCDF-4 files and Zarr folders, decoded where they are asked for, as arrays of xarray."""
