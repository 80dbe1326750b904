"""Checks of the built book, run by `book/check.py`."""
