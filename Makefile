.DEFAULT_GOAL := help
.PHONY: help demo test check test-all bench assets screenshots release
ARGS ?=

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: ## Run the whole path on this machine: a page from a pipeline to an incident (ARGS=--exit ends at once)
	@scripts/setup run
	@.venv/bin/masthead demo $(ARGS)

check: ## Lint, formatting, types, import contracts
	@scripts/setup dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

test: check ## Everything that must hold, in a few minutes
	.venv/bin/python -m pytest -m "not slow" -n 3 $(ARGS)

test-all: check ## Also what is slow or destructive
	.venv/bin/python -m pytest -n 2 $(ARGS)

bench: ## Measure and write bench/results.json (ARGS=NAME runs one)
	@scripts/setup dev
	@.venv/bin/python bench/run.py $(ARGS)

assets: ## Build the scripts and styles of the pages anew (needs npm)
	@cd src/masthead/web/assets && npm ci && npm run build

screenshots: ## Picture every screen into docs/screenshots/ (needs Chromium; ARGS=NAME pictures one)
	@scripts/setup dev
	@.venv/bin/python scripts/screenshots.py $(ARGS)

release: test-all ## Build the wheel into dist/
	.venv/bin/hatchling build
