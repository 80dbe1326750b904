"""Readers of the forms in which series of images lie on disk, one module a form."""
