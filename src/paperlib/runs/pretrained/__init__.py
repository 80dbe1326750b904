"""Classifiers that start from a pretrained encoder: what a run makes for them of its scene."""
