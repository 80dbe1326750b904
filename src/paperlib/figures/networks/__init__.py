"""Diagrams of networks: the layers of a network as it runs, and drawings of them."""
