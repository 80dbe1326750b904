"""What the layers and the values of a scene mean: names of bands, and values that cannot be reflectance."""
