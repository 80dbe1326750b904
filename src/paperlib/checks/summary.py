"""What was understood of a scene, as text above the findings: bands, dates, grid, and the masked share of each date."""

import textwrap

import numpy as np
import xarray as xr

WIDTH = 118


def scene_text(scene: xr.DataArray, shares: np.ndarray | None) -> str:
    """A few lines on a scene (band, time, y, x); `shares` (date,): what is masked of each date; None: not read."""
    days = [f"{day:%Y-%m-%d}" for day in scene.indexes["time"]]
    size = " x ".join(f"{abs(step):g}" for step in scene.rio.resolution())
    rows = [
        ("bands", ", ".join(map(str, scene.band.values))),
        ("sensor", str(scene.attrs.get("sensor", "")) or "not known"),
        ("dates", f"{len(days)}, from {days[0]} to {days[-1]}"),
        ("grid", f"{scene.sizes['y']} x {scene.sizes['x']} pixels of {size} in {scene.rio.crs}"),
    ]
    if shares is not None:
        masked = [f"{day} {100 * share:.0f} %" for day, share in zip(days, shares, strict=True)]
        rows.append(("masked", ", ".join(text.replace(" ", "\u00a0") for text in masked)))
    return "\n".join(wrapped(name, content).replace("\u00a0", " ") for name, content in rows)


def wrapped(name: str, content: str) -> str:
    """A row of the text: its name, and its content in lines below each other; empty without content."""
    if not content:
        return ""
    return textwrap.fill(
        content, WIDTH, initial_indent=f"{name:9}", subsequent_indent=" " * 9, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
