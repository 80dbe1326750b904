"""The bands of Sentinel-2 that a scene may hold, by native resolution."""

#: Section 3.3: bands by native resolution, in the order in which the section lists them.
BANDS_10M = ("B2", "B3", "B4", "B8")
BANDS_20M = ("B5", "B6", "B7", "B8A", "B11", "B12")
BANDS = BANDS_10M + BANDS_20M
