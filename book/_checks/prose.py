"""Find numbers typed in prose that should be computed.

The rule: in the text of a page, a number with decimals or in per cent is glued from the page's computation
({glue:text}`key`) or marked as not being a result: {printed}`0.804` is printed in the paper, {given}`95 %` is a
constant of the method or a fact from elsewhere (book/_ext/numbers_in_prose.py). Whole numbers are not checked.
"""

import re
from pathlib import Path

import nbformat

#: Patterns of text that is not prose or not a result: code, formulas, roles, addresses, section numbers, versions.
EXCLUDED = [
    r"(?ms)^\s*(`{3,}).*?^\s*\1\s*$",  # fenced code
    r"(?m)^:::+\{[\w-]+\}.*$",  # what a directive is given
    r"(?s)\$\$.*?\$\$",
    r"\$[^$\n]+\$",
    r"(?s)\{[\w:+.-]+\}`[^`]+`",  # roles
    r"(?s)`[^`]+`",
    r"\]\([^)]*\)",
    r"<https?://[^>]*>|https?://\S+",
    r"(?m)^#+\s+(Section |Figure |Table )?[\d.]+",
    r"(?i)\bsections?\s+\d[\d.]*(\s*(,|and|to|–)\s*\d[\d.]*)*",
    r"\b(Python|PyTorch|torch|CC BY|version|MyST|Jupyter Book)\s+v?\d+(\.\d+)+",
]
TYPED = re.compile(r"(?<![\w.])[-+±]?\d+\.\d+(?!\.?\d)(\s?%)?|(?<![\w.])\d+\s?(%|per cent\b)")


def typed_numbers(text: str) -> list[str]:
    """Numbers in the Markdown `text` that violate the rule."""
    for pattern in EXCLUDED:
        text = re.sub(pattern, " ", text)
    return [match[0].strip() for match in TYPED.finditer(text)]


def typed_on_page(source: Path) -> list[str]:
    """Faults of a page's source, one line for each Markdown cell with faults."""
    if source.suffix == ".ipynb":
        texts = [cell.source for cell in nbformat.read(source, 4).cells if cell.cell_type == "markdown"]
    else:
        texts = [source.read_text(encoding="utf-8")]
    return [
        f"number typed in prose, neither glued nor marked as printed or given: {', '.join(numbers)}"
        for numbers in map(typed_numbers, texts)
        if numbers
    ]
