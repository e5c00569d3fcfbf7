# SPDX-License-Identifier: MIT
"""Runs a notebook, which must hold no outputs, and prints what its cells printed.

Usage: check_notebook.py NOTEBOOK
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main():
    path = Path(sys.argv[1])
    book = nbformat.read(path, 4)
    nbformat.validate(book)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    if any(cell.outputs or cell.execution_count for cell in cells):
        sys.exit(f"{path}: holds outputs; clear them")
    resources = {"metadata": {"path": path.parent}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
    drawings = 0
    for output in (output for cell in cells for output in cell.outputs):
        if output.output_type == "stream":
            print(output.text, end="")
            continue
        print(output.data.get("text/plain", ""))
        drawings += "image/png" in output.data
    print(f"{len(cells)} cells ran and drew {drawings} figures")


if __name__ == "__main__":
    main()
