"""Batches: many notebooks with many parameters, on this machine or a cluster."""
