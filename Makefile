# make run, make test, make lint, make bench; before a release, make soak.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
# -qq: warnings about the machine's own package indexes are not about botkit.

.DEFAULT_GOAL := help
.PHONY: help run test lint bench soak clean model source widget browser

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed model ## install, bring the default model, serve on http://127.0.0.1:8080 (PORT)
	@exec $(BIN)/botkit serve

test: $(VENV)/.installed-dev browser source lint widget ## lint and run every test
	@$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev ## check style, types and the arrows between packages
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet || { echo "run: $(BIN)/ruff format" >&2; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.installed source ## measure a message's way, and the local model beside llama.cpp
	@$(BIN)/python infra/bench/turns.py
	@$(BIN)/python infra/bench/widget.py
	@$(BIN)/botkit bench --quality --json bench.json

soak: $(VENV)/.installed-dev ## kill, duplicate, restart and storm for an hour; make test does so briefly
	@BOTKIT_SOAK_KILLS=200 BOTKIT_SOAK_COPIES=100 BOTKIT_SOAK_RESTARTS=12 BOTKIT_SOAK_FREEZE=60 \
		BOTKIT_SOAK_IMAGE=1 BOTKIT_SOAK_STORM=600 BOTKIT_SOAK_LOAD=300 BOTKIT_SOAK_SCHEMAS=1000 \
		BOTKIT_SOAK_TOOLS=200 BOTKIT_AOT_ALL=1 $(BIN)/python -m pytest tests/e2e/test_kills.py \
		tests/e2e/test_freeze.py tests/e2e/test_image.py tests/e2e/test_storm.py \
		tests/e2e/test_tools_local.py tests/botkit/store/test_faults.py \
		tests/models/engine/test_programs.py tests/models/structured/test_random_schemas.py \
		tests/models/local/test_tools.py tests/models/aot
	@BOTKIT_SOAK_EXAMPLES=new $(BIN)/python -m pytest $$(grep -rl --include='test_*.py' hypothesis tests)

clean: ## remove the environment and every cache (pulled models stay)
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second start skip pip; a changed pyproject.toml brings it back.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing botkit[jax,openai,slack,telegram,web,postgres,redis,language,otel,moderation]; the first time this takes a minute or two ..."
	@$(PIP) -e '.[jax,openai,slack,telegram,web,postgres,redis,language,otel,moderation]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing botkit[jax,openai,slack,telegram,web,postgres,redis,language,otel,moderation,dev]; the first time this takes a minute or two ..."
	@$(PIP) -e '.[jax,openai,slack,telegram,web,postgres,redis,language,otel,moderation,dev]'
	@touch $@

$(BIN)/python:
	@sh infra/scripts/venv.sh $(VENV)

model:
	@$(BIN)/python infra/scripts/model.py

source: # the model, and the file it was made of
	@$(BIN)/python infra/scripts/model.py --keep-source

widget: $(VENV)/.installed-dev # its types, its tests, its size, and that the committed file is its build
	@sh infra/scripts/widget.sh check $(VENV)

browser:
	@sh infra/scripts/browser.sh
