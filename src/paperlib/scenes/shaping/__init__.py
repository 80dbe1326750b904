"""A series made regular: brought to another grid, its acquisitions joined into days or periods."""
