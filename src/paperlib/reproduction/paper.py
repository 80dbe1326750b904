"""Values as printed in Carpentier et al. (2021), each with the place where it is printed.

Nothing is computed, corrected or rounded: values that disagree within the paper disagree here too.
"""

#: Table 1: the dates of the monthly syntheses.
DATES = (
    "2018-02-15", "2018-03-15", "2018-04-15", "2018-05-15", "2018-06-15", "2018-07-08",
    "2018-08-15", "2018-09-15", "2018-10-15", "2018-11-15", "2018-12-15",
)  # fmt: skip


#: Table 4: the input and output for which parameters are counted.
INPUT = {"channels": 13, "dates": 11, "classes": 8}

#: Sentinel-2 tile (section 3.1).
TILE = "T31TCJ"
#: Side of a training patch in pixels of 10 m (section 2.2.2).
PATCH = 32

#: Polygons of the training pool (section 3.2, abstract).
POLYGONS_POOL = 290
#: Polygons of the test set (section 3.2, abstract).
POLYGONS_TEST = 131
#: Share of the pool that is validation polygons (section 3.2).
VALIDATION_SHARE = 0.3

#: Patience of early stopping in epochs (section 3.5).
PATIENCE = 5
#: Trainings of each model (section 3.5).
TRAININGS = 5

#: Table 2: names of the classes by code.
CLASSES = {
    1: "Built up", 2: "Woodland needle-leaved trees", 3: "Woodland broad-leaved trees", 5: "Shrubland",
    6: "Permanent herbaceous land", 7: "Periodically herbaceous land", 10: "Non-vegetated land", 11: "Water",
}  # fmt: skip

#: Figure 8: the five classes that the text of section 3.4.2 discusses, and the other woodland.
FIGURE_8_CLASSES = tuple(CLASSES[code] for code in (1, 2, 3, 5, 6, 7))

#: Figure 9: a window with crop fields, the class that the text of section 3.6 discusses.
FIGURE_9_CLASS = CLASSES[7]

#: Table 2: labelled pixels of the training pool by class code.
TABLE_2 = {1: 9528, 2: 4532, 3: 11512, 5: 672, 6: 4132, 7: 11875, 10: 1012, 11: 9444}
#: Table 3: labelled pixels of the test set by class code.
TABLE_3 = {1: 154556, 2: 13768, 3: 35200, 5: 3887, 6: 4504, 7: 32546, 10: 2130, 11: 19311}

#: Table 4: columns.
MODELS = ("TempCNN", "3D-CNN", "2D-CNN", "SpatioTempCNN", "iota2_ctx", "iota2_base")

#: Table 4: F1 of each class by code on the validation set, in the order of `MODELS`.
TABLE_4_VALIDATION = {
    1: (0.973, 0.965, 0.947, 0.940, 0.924, 0.924),
    2: (0.967, 0.997, 0.998, 0.987, 0.990, 0.842),
    3: (0.980, 0.996, 0.986, 0.983, 0.990, 0.913),
    5: (0.615, 0.695, 0.380, 0.557, 0.719, 0.080),
    6: (0.933, 0.900, 0.936, 0.943, 0.932, 0.799),
    7: (0.980, 0.985, 0.982, 0.980, 0.974, 0.923),
    10: (0.807, 0.653, 0.674, 0.600, 0.576, 0.961),
    11: (1.000, 1.000, 1.000, 1.000, 1.000, 1.000),
}
#: Table 4: the mean printed below them.
TABLE_4_VALIDATION_MEAN = (0.907, 0.899, 0.863, 0.874, 0.888, 0.680)
#: Table 4: F1 of each class by code on the test set.
TABLE_4_TEST = {
    1: (0.984, 0.987, 0.981, 0.984, 0.968, 0.962),
    2: (0.492, 0.461, 0.451, 0.467, 0.459, 0.405),
    3: (0.863, 0.490, 0.867, 0.870, 0.861, 0.854),
    5: (0.682, 0.778, 0.619, 0.694, 0.627, 0.586),
    6: (0.731, 0.620, 0.753, 0.733, 0.580, 0.573),
    7: (0.962, 0.939, 0.966, 0.968, 0.947, 0.948),
    10: (0.282, 0.774, 0.757, 0.670, 0.362, 0.458),
    11: (1.000, 1.000, 1.000, 1.000, 0.999, 0.998),
}
#: Table 4: the mean printed below these.
TABLE_4_TEST_MEAN = (0.750, 0.804, 0.799, 0.798, 0.753, 0.723)

#: Table 4: thousands of parameters; None where the table prints NA.
TABLE_4_PARAMETERS = (493, 379, 463, 867, None, None)
#: Table 4: minutes of training, of the forests as printed.
TABLE_4_TRAINING_MINUTES = ("1.0", "0.7", "1.0", "3.0", "+60", "+40")
#: Table 4: minutes of inference.
TABLE_4_INFERENCE_MINUTES = (40, 40, 40, 40, 40, 40)
#: Table 4: validation F1 over 5 trainings (mean, std); None where the table prints NA.
TABLE_4_RELIABILITY = ((0.89, 0.01), (0.86, 0.03), (0.82, 0.03), (0.86, 0.02), None, None)
