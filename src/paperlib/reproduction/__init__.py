"""Carpentier et al. (2021): printed values, tables, claims, consistency, the study of fusion, the real scene of the book."""
