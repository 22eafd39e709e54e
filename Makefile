# `make run` and `make test` need Python 3.11 or newer, make and a package index; bootstrap.py does the rest.
.PHONY: run test install lock

PYTHON := $(shell for python in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

run: ## start everything in the foreground; PORT and SWITCHYARD_HOME are honoured
	@$(or $(PYTHON),$(error Switchyard needs Python 3.11 or newer on the PATH)) bootstrap.py run

test: ## every check and every test
	@$(or $(PYTHON),$(error Switchyard needs Python 3.11 or newer on the PATH)) bootstrap.py test

install: ## only make .venv and fetch the models
	@$(or $(PYTHON),$(error Switchyard needs Python 3.11 or newer on the PATH)) bootstrap.py install

lock: ## write the lock files anew from pyproject.toml's pins (takes minutes)
	@$(or $(PYTHON),$(error Switchyard needs Python 3.11 or newer on the PATH)) bootstrap.py lock
