"""Runs notebooks of the book: nbclient alone, since papermill writes all outputs to disk before and after each cell."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

BOOK = Path(__file__).parents[2] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
#: Pages that compute on no scene, or show kept results of other scenes alone.
WITHOUT_SCENE = ("audit", "few-labels", "formats", "performance", "reliability", "your-own-tile")


def execute(pages: list[Path], cwd: Path = BOOK, **parameters) -> dict[str, list[dict[str, str]]]:
    """Outputs of each page by its name, each by MIME type. Asserts that no page prints or warns.

    The pages run one after the other in one kernel, to start only one. A page gets the parameters that it has.
    """
    whole = nbformat.v4.new_notebook()
    for page in pages:
        for cell in nbformat.read(page, 4).cells:
            if "parameters" in cell.metadata.get("tags", []):
                lines = [
                    f"{name} = {value!r}" for name, value in parameters.items() if f"\n{name} = " in f"\n{cell.source}"
                ]
                cell.source = "\n".join([cell.source, *lines])
            cell.metadata = {"page": page.stem}
            cell.id = f"c{len(whole.cells)}"
            whole.cells.append(cell)
    executed = NotebookClient(
        whole, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(cwd)}}
    ).execute()
    shown: dict[str, list[dict[str, str]]] = {page.stem: [] for page in pages}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "stream", f"{cell.metadata['page']} prints {output.text}"
            shown[cell.metadata["page"]].append(output.data)
    return shown
