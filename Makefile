# Words: help, install, test, book, pdf, format, check, clean. Needs Python 3.11+ with pip and venv, and make.
PYTHON ?= python3
BIN := .venv/bin

help:
	@echo "make book     build the book (preset demo; PAPERLIB_PRESET=tiny for a quick look)"
	@echo "make pdf      the built book as one PDF (needs chromium)"
	@echo "make test     run every test"
	@echo "make install  make the environment .venv with the pinned versions"
	@echo "make format   format the code; make check: lint, types, notebooks without outputs"
	@echo "make clean    remove built pages; artifacts in data/artifacts stay"

install: $(BIN)/.installed

$(BIN)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[book,test]"
	touch $@

book: install
	$(BIN)/jupyter-book build -W -n --keep-going book/ || { rm -rf book/_build/.doctrees; exit 1; } # or it would pass next time
	$(BIN)/python book/check.py
	@echo "The book is at $(CURDIR)/book/_build/html/index.html"

pdf: book
	$(BIN)/python book/pdf.py

test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --processor-time

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/nbstripout --keep-id book/*.ipynb examples/*.ipynb

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/nbstripout --keep-id --verify book/*.ipynb examples/*.ipynb
	$(BIN)/mypy

clean:
	rm -rf book/_build .pytest_cache .ruff_cache .mypy_cache .hypothesis

.PHONY: help install book pdf test format check clean
