"""Label files as people have them: vector files of any program, archives, folders and tables of points."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"files": ["read_table"]})
