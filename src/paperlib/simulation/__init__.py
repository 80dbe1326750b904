"""A simulated scene with known truth, written as real product files."""
