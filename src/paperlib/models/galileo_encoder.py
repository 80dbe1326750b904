"""Galileo nano: a transformer pretrained on satellite data turns the series of one pixel into 128 numbers.

Tseng, Fuller, Reil, Herzog, Beukema, Bastani, Green, Shelhamer, Kerner and Rolnick (2025), arXiv 2502.09356. Written from
the description of the network; of its many inputs the ten bands of Sentinel-2 and the NDVI are used. Its weights are no
part of this project: `paperlib fetch galileo` gets them (MIT licence, Copyright (c) 2024 Presto Authors).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Roles of the bands it reads, in this order (of Sentinel-2: B2, B3, B4, B8, B5, B6, B7, B8A, B11, B12).
ROLES = ("blue", "green", "red", "nir", "rededge1", "rededge2", "rededge3", "nir08", "swir1", "swir2")
#: Groups of these, by number, that give one token a date; the last is the NDVI, number 10. Their row among the codes of
#: groups is their place in this list plus 1: row 0 is Sentinel-1.
GROUPS = {
    "S2_RGB": (0, 1, 2), "S2_Red_Edge": (4, 5, 6), "S2_NIR_10m": (3,), "S2_NIR_20m": (7,), "S2_SWIR": (8, 9), "NDVI": (10,),
}  # fmt: skip
RED, NIR, NDVI = 2, 3, 10
#: Pretraining scaled reflectance x 10000 by mean and standard deviation of each band: (value - SHIFT) / DIVISOR, with
#: mean - 2 deviations and 4 deviations, in the order of `ROLES`.
SHIFT = (
    -440.06742, -488.19499, -842.25861, 212.37936, -550.58042, 90.18188, 237.71268, 341.33995, -57.04371, -485.95484
)  # fmt: skip
DIVISOR = (
    3670.81658, 3653.19537, 4370.71489, 4395.91671, 4188.88243, 4192.04064, 4574.76121, 4817.89102, 4583.90963, 3920.97194
)  # fmt: skip
WIDTH, DEPTH, HEADS, STEPS = 128, 4, 8, 24
#: Series that are embedded at once: few, so that they stay in a processor's cache.
SERIES = 32


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.proj = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (layer(x).unflatten(2, (HEADS, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v))
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.proj(found.transpose(1, 2).flatten(2))


class _Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(WIDTH), _Attention()
        self.norm2, self.mlp = nn.LayerNorm(WIDTH), _Perceptron()

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attn(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))


class GalileoEncoder(nn.Module):
    """The encoder; `of_published` fills it."""

    group: Tensor
    step: Tensor
    month: Tensor
    place: Tensor
    shift: Tensor
    divisor: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(NDVI + 1, len(GROUPS) * WIDTH)  # bands and NDVI -> the tokens of a date
        self.blocks = nn.ModuleList(_Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH)
        for name, rows in (("group", len(GROUPS)), ("step", STEPS), ("month", 12)):
            self.register_buffer(name, torch.zeros(rows, WIDTH // 4))
        # sine and cosine of place 0, along y and along x
        self.register_buffer("place", torch.tensor([0.0, 1.0, 0.0, 1.0]).repeat_interleave(WIDTH // 16))
        self.register_buffer("shift", torch.tensor(SHIFT))
        self.register_buffer("divisor", torch.tensor(DIVISOR))

    @classmethod
    def of_published(cls, weights: Mapping[str, Tensor]) -> "GalileoEncoder":
        """The encoder with the published weights, by their published names. Raises KeyError where one is missing."""
        encoder = cls()
        own = {name: weights[name] for name in encoder.state_dict() if name.startswith(("blocks.", "norm."))}
        own |= {"step": weights["pos_embed"], "month": weights["month_embed.weight"]}
        own["group"] = weights["s_t_channel_embed"][1:]
        matrix, bias = torch.zeros(len(GROUPS), WIDTH, NDVI + 1), []
        for number, (name, bands) in enumerate(GROUPS.items()):
            patch = weights[f"space_time_embed.{name}.proj.weight"]  # (128, band, 8, 8)
            matrix[number][:, list(bands)] = (patch * kernel_of_one_pixel()).sum((2, 3))
            bias.append(weights[f"space_time_embed.{name}.proj.bias"])
        own |= {"project.weight": matrix.flatten(0, 1), "project.bias": torch.cat(bias)}
        encoder.load_state_dict(encoder.state_dict() | own)
        return encoder.eval().requires_grad_(False)

    def forward(self, reflectance: Tensor, months: Tensor, absent: Tensor | None = None) -> Tensor:
        """Embeddings float32 (pixel, 128): the mean of the tokens that are present, after the last norm.

        Parameters
        ----------
        reflectance: float32 (pixel, date, band), from 0 to 1, bands in the order of `ROLES`, NaN where missing. A group
            with a missing band gives no token. At most 24 dates.
        months: int64 (date,) or (pixel, date); January is 0.
        absent: bool (pixel, date, group), groups that are to give no token although their bands are there.

        A pixel needs one token at least.
        """
        tokens, present = self.tokens(reflectance, months)
        if absent is not None:
            present = present & ~absent
        flat = present.flatten(1)
        anywhere = flat.any(0)  # what no pixel of the batch has is left out, the rest of what is missing is masked
        x, flat = tokens.flatten(1, 2)[:, anywhere], flat[:, anywhere]
        mask = None if flat.all() else flat[:, None, None]
        for block in self.blocks:
            x = block(x, mask)
        weight = flat[..., None].to(x.dtype)
        return (self.norm(x) * weight).sum(1) / weight.sum(1)

    def tokens(self, reflectance: Tensor, months: Tensor) -> tuple[Tensor, Tensor]:
        """What enters the first block (pixel, date, group, 128), and which of it is there, bool (pixel, date, group)."""
        red, nir = reflectance[..., RED], reflectance[..., NIR]
        ndvi = torch.where(nir + red <= 0, 0.0 * (nir + red), (nir - red) / torch.where(nir + red <= 0, 1.0, nir + red))
        scaled = (reflectance * 10_000 - self.shift) / self.divisor
        values = torch.cat([scaled, ndvi[..., None]], -1)
        known = ~values.isnan()
        present = torch.stack([known[..., list(bands)].all(-1) for bands in GROUPS.values()], -1)
        # a number that is none would spread under a mask
        projected = self.project(values.nan_to_num(nan=0.0)).unflatten(-1, (len(GROUPS), WIDTH))
        shape = *projected.shape[:3], WIDTH // 4
        steps = self.step[: projected.shape[1], None]
        month = self.month[months][..., None, :]
        codes = torch.cat([part.expand(shape) for part in (self.group, steps, month, self.place)], -1)
        return projected + codes, present

    def embed(self, reflectance: Tensor, months: Tensor) -> Tensor:
        """`forward` of any number of pixels, a few at a time."""
        with torch.no_grad():
            return torch.cat([self(part, months) for part in reflectance.split(SERIES)])


def kernel_of_one_pixel() -> Tensor:
    """Weights (8, 8) by which a projection of patches of 8 x 8 pixels becomes that of one pixel.

    The pseudo-inverse of the resize of 8 x 8 pixels to one (bicubic, antialiased), with which the encoder was trained.
    """
    places = torch.eye(64).reshape(64, 1, 8, 8)
    share = functional.interpolate(places, (1, 1), mode="bicubic", antialias=True, align_corners=False).flatten()
    return (share / (share**2).sum()).reshape(8, 8)
