# Targets: help, install, test, notebooks, book, paper, pdf, dist, codecheck, format, check, clean. Requires Python 3.11+ with pip and venv, and make.
PYTHON ?= python3
BIN := .venv/bin
# compiled modules are kept also where the environment says no: tests and the book start many processes
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

help:
	@echo "make book     build the book (preset demo; set PAPERLIB_PRESET=tiny for a quick look)"
	@echo "make paper    make the run at the paper's size, hours on a processor, and keep its results in data/results/paper"
	@echo "              (stops and goes on at any time; OPTIONS='--stop now' keeps what is finished)"
	@echo "make pdf      print the built book as one PDF (requires chromium)"
	@echo "make dist     pack the built book as dist/book.zip, which opens from disk: book/index.html"
	@echo "make test     run all tests and print the processor time of each file"
	@echo "              OPTIONS=--without-bfloat16: as on a processor without it, to compare machines"
	@echo "make notebooks  run each notebook of the book alone from an empty store"
	@echo "make codecheck  make a quick set of tables and figures again and compare them with the kept ones (codecheck.yml)"
	@echo "make install  create the environment .venv with the pinned versions"
	@echo "make format   format the code and strip outputs from notebooks"
	@echo "make check    check formatting, lint, types, and that notebooks have no outputs"
	@echo "make clean    remove built pages and caches; keep artifacts in data/artifacts"

install: $(BIN)/.installed

$(BIN)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[book,test]"
	touch $@

book: install
	@ls data/bouconne/*.tif > /dev/null 2>&1 || $(BIN)/paperlib fetch bouconne || \
	  echo "Without its image, the page real-scene of the book says so. The rest of the book does not need it."
	PYTHONDONTWRITEBYTECODE= $(BIN)/jupyter-book build -W -n --keep-going book/ || { rm -rf book/_build/.doctrees; exit 1; } # otherwise a repeated build would pass
	$(BIN)/python book/check.py
	@echo "The book is at $(CURDIR)/book/_build/html/index.html"

paper: install
	$(BIN)/python benchmarks/paper.py $(OPTIONS)

pdf: book
	$(BIN)/python book/pdf.py

dist: book
	mkdir -p dist
	rm -rf dist/book && cp -r book/_build/html dist/book
	cd dist && $(CURDIR)/$(BIN)/python -m zipfile -c book.zip book && rm -rf book

test: install
	$(PYTEST) --processor-time $(OPTIONS)

notebooks: install
	$(PYTEST) --empty-stores -m empty_stores tests/book/test_notebooks.py

codecheck: install
	OMP_NUM_THREADS=2 PAPERLIB_QUIET=1 $(BIN)/python codecheck/check.py

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

.PHONY: help install book paper pdf dist test notebooks codecheck format check clean
