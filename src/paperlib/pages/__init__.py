"""What a page of the book needs around its figures: banner, provenance, map page, measurements, the book of a scene."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"page": ["banner", "provenance"]})
