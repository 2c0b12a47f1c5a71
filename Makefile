# Every target sets up what it needs, in .venv and build/, and may be run again.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
TUNE := $(BIN)/instructune

TASK := data/samples/parcels
DEMO := build/demo
SMOKE := build/smoke

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

.PHONY: help setup check lint types format test test-all docs docs-check demo smoke bench clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(READY) ## .venv with pinned versions, nothing outside this folder

$(READY): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "instructune needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up .venv (torch alone is some hundred megabytes) ..." >&2
	@$(PYTHON) -m venv .venv
	@# setuptools-scm: seqeval, an oracle of tests, is built from source and would fetch half of it
	@$(BIN)/pip install -q --disable-pip-version-check -c .ci/constraints.txt \
	  torch setuptools setuptools-scm wheel
	@$(BIN)/pip install -q --disable-pip-version-check -c .ci/constraints.txt -e '.[dev]'
	@touch $@

check: lint types docs-check test ## what CI runs: lint, types, docs, tests

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy
	$(BIN)/mypy

format: $(READY) ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(READY) ## the test suite on all cores; make test ARGS="-k mask"
	$(BIN)/python -m pytest -n auto $(ARGS)

test-all: $(READY) ## the slow tests and the real models too
	$(BIN)/python -m pytest -m "" $(ARGS)

docs: $(READY) ## write the generated parts of README.md anew
	$(BIN)/cog -I . -r README.md

docs-check: $(READY) ## fail if README.md is behind the code
	$(BIN)/cog -I . --check README.md

# The demo: does a real model get better at a task? Each artifact is a file target, so a second
# `make demo` has nothing to do, and an interrupted one goes on where it was.

demo: $(DEMO)/report.html ## a 135M model before and after training, on 2 cores in minutes
	@echo; echo "== answers before and after"
	@$(TUNE) show $(DEMO)/tuned.jsonl --baseline $(DEMO)/base.jsonl --limit 4
	@echo; echo "== the run"
	@$(TUNE) show $(DEMO)/run
	@echo; echo "== exact answers on $$(wc -l < $(TASK)/test.jsonl) unseen messages"
	@$(TUNE) eval $(DEMO)/tuned.jsonl --baseline $(DEMO)/base.jsonl -o /dev/null
	@echo; echo "artifacts: $(DEMO)/{base,tuned,summary}.jsonl and $(DEMO)/run/"
	@echo "the whole report, for a browser: $(DEMO)/report.html"

$(DEMO)/base.jsonl: $(TASK)/test.jsonl | $(READY)
	@mkdir -p $(@D)
	$(TUNE) generate $< -o $@ --max-new-tokens 24

$(DEMO)/run/adapter/adapter_config.json: $(TASK)/train.jsonl | $(READY)
	$(TUNE) train $< -o $(DEMO)/run --method lora:rank=16,alpha=32 --epochs 2 --learning-rate 1e-3 >/dev/null

$(DEMO)/tuned.jsonl: $(DEMO)/run/adapter/adapter_config.json $(TASK)/test.jsonl
	$(TUNE) generate $(TASK)/test.jsonl -m $(DEMO)/run -o $@ --max-new-tokens 24

$(DEMO)/report.html: $(DEMO)/base.jsonl $(DEMO)/tuned.jsonl
	@$(TUNE) eval $(DEMO)/tuned.jsonl --baseline $(DEMO)/base.jsonl \
	  -o $(DEMO)/summary.jsonl --report $@ 2>/dev/null

# The same verbs at CI size: random weights, a few steps, one pipe.

smoke: $(READY) ## prepare | train | generate | eval on a tiny model
	@rm -rf $(SMOKE); mkdir -p $(SMOKE)
	cat data/samples/*.jsonl | $(TUNE) prepare - \
	  | $(TUNE) train - -m tiny-llama -o $(SMOKE)/run --steps 5
	$(TUNE) generate $(TASK)/test.jsonl -m $(SMOKE)/run --max-new-tokens 8 \
	  | $(TUNE) eval - -o $(SMOKE)/summary.jsonl
	@test -s $(SMOKE)/summary.jsonl && echo "smoke: passed"

bench: $(READY) ## ratios against the peers; minutes, and nothing else should run
	$(BIN)/python -m tests.bench $(ARGS)

clean: ## remove build/ and caches; keeps .venv
	rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
