"""Parts of the pages of the book: banner, provenance, interactive map, measurements, walkthrough, the book of one scene."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"page": ["banner", "provenance"]})
