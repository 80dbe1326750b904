"""Figures of regions of several tiles."""
