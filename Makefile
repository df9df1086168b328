.PHONY: help test check
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/.dev-stamp: requirements/dev.lock pyproject.toml
	@echo "Making .venv and installing the locked dependencies …"
	@python3 -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/.dev-stamp

check: .venv/.dev-stamp ## Lint, types, import contracts
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

test: check ## Everything that must hold, quickly
	.venv/bin/pytest -m "not slow"
