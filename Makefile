# One environment, .venv, built from requirements/*.txt. 'make help' lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test kernels check generated-check proto screens bench lock clean

# The tests start many processes: what Python compiles for one of them the next ones read.
unexport PYTHONDONTWRITEBYTECODE

PYTHON := .venv/bin/python
CODE := mpi reviewer_ui benchmarks examples tests tools

# Stamps carry the content of the lock and the place of the checkout, so a second run is quick and a stale one is not trusted.
KEY := $(shell { pwd; cat pyproject.toml tools/environment.sh requirements/*.txt; } | cksum | tr -d ' ')
BASE := .venv/.ready-base-$(KEY)
TEST := .venv/.ready-test-$(KEY)
BENCH := .venv/.ready-bench-$(KEY)
FORGET_OLD := find .venv -maxdepth 1 -name '.ready-*' ! -name '*-$(KEY)' -delete

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

setup: $(BASE) ## Build .venv; .venv/bin/mpi is then the command

demo: $(BASE) ## Make a city of 50,000 people, link it into demo/registry.db and measure the result
	.venv/bin/mpi demo --persons 50000 --out demo

serve: $(BASE) ## Serve the stewards' desk over a made-up city of 5,000 people; prints the address and the accounts
	@tools/serve_demo.sh

test: kernels ## Run every test, PostgreSQL's and a browser's included
	@tools/browser.sh
	$(PYTHON) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

kernels: $(TEST)
	@$(PYTHON) -m tools.kernels

check: $(TEST) generated-check ## Lint, format, types, imports between floors, generated files, the API
	$(PYTHON) -m ruff check $(CODE)
	$(PYTHON) -m ruff format --check $(CODE)
	$(PYTHON) -m mypy $(CODE)
	.venv/bin/lint-imports --no-logo

generated-check: $(TEST)
	$(PYTHON) -m mpi.rules.schema --check
	$(PYTHON) -m tools.proto --check

proto: $(TEST) ## Generate mpi/identity from proto/
	$(PYTHON) -m tools.proto

screens: $(TEST) ## Take the pictures of the desk in docs/screens
	@tools/browser.sh
	$(PYTHON) -m tools.screens

bench: $(BENCH) ## Measure speed and accuracy and write the report (TIER=full for the sizes of the goals)
	$(PYTHON) -m benchmarks.report $(if $(TIER),--tier $(TIER))

lock: ## Resolve requirements/*.txt anew from pyproject.toml (needs uv)
	@tools/lock.sh

clean: ## Remove .venv, the demo and every cache
	rm -rf .venv demo demo-desk build dist benchmarks/work
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find mpi reviewer_ui benchmarks tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE):
	@tools/environment.sh requirements/base.txt
	@$(FORGET_OLD)
	@touch $@

$(TEST):
	@tools/environment.sh requirements/test.txt
	@$(FORGET_OLD)
	@touch $@ $(BASE)

$(BENCH):
	@tools/environment.sh requirements/bench.txt
	@$(FORGET_OLD)
	@touch $@ $(BASE)
