"""Smooth finished maps: the methods, and their use on a map of any size."""
