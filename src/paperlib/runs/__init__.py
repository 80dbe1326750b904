"""One run from files to maps, what it delivers, and batches of notebooks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "experiment": ["Experiment"],
        "products": ["write_products"],
        "batches.notebooks": ["run_batch"],
    },
)
