# Everything runs in .venv, installed from the exact versions of requirements.lock. `make` shows what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=
MARKET ?=
LOCKED := $(VENV)/.locked
RUNS := $(VENV)/.runs
EXAMPLE := $(VENV)/.example
TESTS := $(VENV)/.tests
KEY_OF_RUN := 'import json; print(json.load(open(".state/keys.json"))["storefront"])' 2>/dev/null
# Compiling the gateway anew at each of its hundreds of starts costs the tests a fifth of their time.
unexport PYTHONDONTWRITEBYTECODE
# So that a killed make leaves no gateway behind.
BOUND := $(if $(shell command -v setpriv),setpriv --pdeathsig TERM)
# Where packages come from is each machine's own matter: no address in what installs, no option that names one anywhere.
INSTALLS := requirements.lock pyproject.toml .ci/run Dockerfile compose.yaml
SOURCES := --(extra-)?index-url|--find-links| @ (https?|file):
NOT_OURS := $(addprefix --exclude-dir=,.git $(VENV) .state .mypy_cache .ruff_cache node_modules static) --exclude=Makefile

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run example test check format bench chaos screenshots clients docs provider types lines lock wheel clean

help: ## show this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(RUNS) ## install what `run` needs, once

run: $(RUNS) ## run everything on this machine (MARKET=prices.csv sells a real price list; ARGS="--port 9000")
	@exec $(BOUND) $(BIN)/esim-gateway dev $(if $(MARKET),--market "$(MARKET)") $(ARGS)

example: $(EXAMPLE) ## run the example storefront in front of a `make run` in another terminal
	@key=$${SHOP_GATEWAY_KEY:-$$($(BIN)/python -c $(KEY_OF_RUN))} || { echo 'start the gateway first, in another terminal: make run'; exit 1; }; \
		SHOP_GATEWAY_URL=$${SHOP_GATEWAY_URL:-http://127.0.0.1:8080} SHOP_GATEWAY_KEY=$$key SHOP_BOOK=$${SHOP_BOOK:-.state/storefront.sqlite} \
		exec $(BOUND) $(BIN)/python -m examples.storefront

test: $(TESTS) ## run all tests, with coverage (ARGS="-k words" for some)
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest -n 4 --dist loadgroup --cov --cov-report= $(ARGS)
	@$(if $(ARGS),true,$(BIN)/python -m coverage report --skip-covered --fail-under=90)

check: $(TESTS) ## lint, format, types, imports between parts, no package host in the tree
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.layout
	@! { grep -nE 'https?://[^1l]' $(INSTALLS); grep -rnIE -e '$(SOURCES)' $(NOT_OURS) .; } | grep . \
		|| { echo 'a package host or a download address stands in the tree'; exit 1; }

format: $(TESTS) ## put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(TESTS) ## measure, each figure beside its goal (ARGS="http" for one)
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: $(TESTS) ## orders in a storm, then all books compared; about two minutes (ARGS="--without fence")
	@$(BIN)/python -m tests.chaos $(ARGS)

screenshots: $(TESTS) ## draw every page of the console into .state/screenshots/ (ARGS="orders" for some)
	@$(BIN)/python -m tests.gateway.console.screenshots $(ARGS)

clients: $(TESTS) ## write what the clients are made of anew, from the API's description
	@$(BIN)/python -m clients.generate

types: ## check the types of the TypeScript client and its tests, strictly; needs npm
	@cd clients/typescript && npm install --silent && npm run --silent check

docs: $(RUNS) ## write the documentation as a static site into build/docs
	@$(BIN)/esim-gateway docs build/docs

lines: $(TESTS) ## count lines of code, without blank lines, comments and docstrings
	@$(BIN)/python -m tests.code_lines

provider: $(TESTS) ## stamp a new supplier plugin: make provider name=acme
	@$(BIN)/python -m providers.scaffold "$(name)"

lock: ## write requirements.lock anew from what pyproject.toml allows today
	@rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip --disable-pip-version-check --quiet install hatchling editables '.[embedded,otel,dev]'
	@{ echo '# Exact versions of everything: to run, to test and to build. Written by `make lock`.'; \
		$(VENV)-lock/bin/python -m pip --disable-pip-version-check freeze --exclude esim-gateway; } > requirements.lock
	@rm -rf $(VENV)-lock

wheel: $(TESTS) ## build the wheel into dist/
	@$(BIN)/python -m hatchling build -t wheel

clean: ## remove the environment, the data of `run` and everything made
	@rm -rf $(VENV) .state dist build .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or later is needed; name one: make PYTHON=python3.12 …'; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo 'Python lacks its venv module (on Debian: apt-get install python3-venv)'; exit 1; }
	@echo 'installing into $(VENV) …'
	@$(PIP) install -c requirements.lock hatchling editables
	@touch $@

# No build isolation: the build tool is locked too.
$(RUNS): $(LOCKED) pyproject.toml
	@$(PIP) install -c requirements.lock --no-build-isolation -e '.[embedded]'
	@touch $@

$(EXAMPLE): $(RUNS) clients/python/pyproject.toml
	@$(PIP) install -c requirements.lock --no-build-isolation -e clients/python
	@touch $@

$(TESTS): $(RUNS)
	@$(PIP) install -c requirements.lock --no-build-isolation -e '.[embedded,otel,dev]'
	@touch $@
