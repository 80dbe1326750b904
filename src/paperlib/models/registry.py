"""Every classifier by name: networks and forests."""

from .. import models
from . import context, forest

FORESTS = {context.NAME: context.ContextForest, forest.NAME: forest.Forest}
NETWORKS = (*models.NAMES, *models.ADDED)
CLASSIFIERS = (*models.NAMES, context.NAME, forest.NAME, *models.ADDED)  # the columns of Table 4
