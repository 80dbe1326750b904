"""The pre-flight: everything wrong or doubtful in a scene and its polygons, before hours of work."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"preflight": ["check", "exit_code", "inspect", "report"]}
)
