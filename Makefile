# The commands of this house. `make help` lists them; README.md and CONTRIBUTING.md explain them.
.PHONY: help demo test check lint types bench install
.DEFAULT_GOAL := help
SHELL := /bin/sh

# Handed on to pytest: make test ARGS="tests/emsp -k outbox"
ARGS ?=

# The first Python from 3.11 to 3.13 that can make a virtual environment.
find_python = for name in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && exec "$$name" -m emsp.management.install $(1); done; \
	echo "Python 3.11, 3.12 or 3.13 with its venv module is needed and was not found (on Debian: apt-get install python3 python3-venv)." >&2; exit 1

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: ## install, build the data, start everything on http://127.0.0.1:8000 (PORT=8001 changes it)
	@$(call find_python,demo)
	@.venv/bin/python -m emsp.management.demo.env_file
	@.venv/bin/python manage.py demo

install: ## install what developing needs, without starting anything
	@$(call find_python,dev)

test: install ## run every test, on SQLite and on PostgreSQL with Redis
	@.venv/bin/python -m tests.run $(ARGS)

check: lint types ## all checks that read the code without running it
	@.venv/bin/python manage.py check
	@.venv/bin/python manage.py makemigrations --check --dry-run

lint: install ## style, formatting and the floors between the rooms
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/lint-imports

types: install ## mypy, strict
	@.venv/bin/mypy emsp drivers charging billing tests

bench: install ## the benchmarks
	@.venv/bin/python -m tests.run --bench $(ARGS)
