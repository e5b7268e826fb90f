# The targets for a developer. Every target installs what it needs; `make` alone lists them.

VENV := .venv
BIN := $(VENV)/bin
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# The first Python that is new enough; PYTHON=... chooses another.
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c '$(IS_NEW_ENOUGH)' 2>/dev/null && echo $$each && break; done)
endif

# Tests of what one part does when another fails, of the items of an issue that `tests/unit/architecture/test_faults.py` names.
FAULTS_OF_PARTS := $(addprefix tests/integration/,chassis/test_consumer.py chassis/test_halts.py chassis/test_relay.py \
	notifier/test_endpoint_watch.py notifier/test_handover.py notifier/test_http_stream.py notifier/test_webhook_leases.py \
	rules_engine/test_damaged_accounts.py rules_engine/test_damaged_state.py rules_engine/test_partitions.py \
	rules_engine/test_sweep_properties.py scheduler/test_reminders.py test_flaps.py) \
	$(addprefix tests/unit/,architecture/test_sql_order.py chassis/test_outages.py devstack/embedded/test_kafka.py faults \
	notifier/adapters/test_mail_recorder.py notifier/domain/test_endpoint_health.py)
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
PARTS := $(VENV)/.prepared-parts
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
NO_PACKAGES := echo "The packages cannot be installed (the reason is above): the first start needs a network; check the \
connection, or name a mirror with PIP_INDEX_URL, and try again" >&2; exit 1
PYTEST := $(BIN)/python -m pytest
# Compiled modules are kept, also where the environment says otherwise: else each of many processes compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo kafka test check lint types unit faults soak bench generate fix clean clean-data

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

##  Run

run: $(RUN) $(PARTS) ## Run Drumbeat with everything it needs, until Ctrl-C
	@exec $(BIN)/python -m services.devstack.supervisor

demo: $(RUN) $(PARTS) ## The same on a fresh folder: 60 days in some minutes, with people who act; Ctrl-C stops it
	@test ! -f .drumbeat-demo/postgres/kept-elsewhere || rm -rf "$$(cat .drumbeat-demo/postgres/kept-elsewhere)"
	@rm -rf .drumbeat-demo
	@DRUMBEAT_DATA_DIR=.drumbeat-demo DRUMBEAT_CLOCK__RATE=0 exec $(BIN)/python -m services.devstack.demo

kafka: $(RUN) $(PARTS) ## Run a real broker alone, for development, on 127.0.0.1:9092
	@exec $(BIN)/python -m services.devstack.embedded

##  Check

# Two at a time, also on two cores: each test process has services that take processor time at rest, too.
test: check ## All tests: `check`, then the tests with real Kafka and PostgreSQL
	@echo "== all tests"
	@$(PYTEST) tests/integration tests/browser tests/faults -n 2 --dist loadfile --no-loadscope-reorder

check: $(DEV) $(PARTS) ## Format, lint, dead code, types, import contracts, unit tests, generated files
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint types unit

lint: $(DEV)
	@echo "== format, lint, dead code, import contracts"
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/vulture
	@$(BIN)/lint-imports --no-logo

types: $(DEV)
	@echo "== types"
	@$(BIN)/basedpyright --warnings

unit: $(DEV) $(PARTS)
	@echo "== unit and property tests"
	@$(PYTEST) tests/unit -n 2 -q

faults: $(DEV) $(PARTS) ## The fault tests at full size: kill, freeze and restart everything, then check the ledger; and the faults of single parts
	@DRUMBEAT_SOAK=1 $(PYTEST) tests/faults $(FAULTS_OF_PARTS)

soak: $(DEV) $(PARTS) ## Properties at full size: what `why` names leads to the same plan, a million events in any order to one state, the calendar, contact budgets
	@DRUMBEAT_SOAK=1 $(PYTEST) --timeout 1200 tests/unit/cadence/explanation/test_foundation.py tests/unit/cadence/test_resyncs.py \
	tests/unit/notifier/domain/test_contact_budget_properties.py \
	tests/unit/cadence/evaluation/test_change_detection_properties.py \
	tests/unit/cadence/test_frozen_plans.py tests/unit/cadence/policy/test_contents_shipped.py tests/unit/cadence/lint/test_findings_properties.py \
	tests/unit/cadence/features/test_compute_properties.py tests/unit/rules_engine/domain/test_cadence_notice.py \
	tests/unit/scheduler/domain/test_announcing_properties.py tests/unit/schemas/test_recurrence_dates.py \
	tests/unit/calendar/test_reconciliation_properties.py tests/unit/calendar/test_reconciliation_around_periods_properties.py \
	tests/unit/calendar/test_open_hours_transitions.py tests/unit/calendar/levelling tests/unit/calendar/test_reconciliation_of_account_years.py \
	tests/unit/calendar/test_promises_of_random_weeks.py \
	tests/integration/rules_engine/test_order.py tests/integration/test_openapi.py

bench: $(DEV) $(PARTS) ## Benchmarks, each against a minimal peer in the same run; prints and stores the figures
	@$(BIN)/python -m tests.benchmarks

##  Maintain

generate: $(DEV) ## Write schemas/generated, and the pages of docs that are made of the code, again
	@$(BIN)/python -m services.devstack.generated_files

fix: $(DEV) ## Format, and fix what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Delete the environment and every cache in the checkout; data stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .drumbeat-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: ## Delete the data of `make run` (.drumbeat)
	@test ! -f .drumbeat/postgres/kept-elsewhere || rm -rf "$$(cat .drumbeat/postgres/kept-elsewhere)"
	rm -rf .drumbeat

##  Used by the other targets

# Before anything else, each time: the Python that is named, or found, is one that Drumbeat runs on.
.PHONY: python-is-new-enough
python-is-new-enough:
	@test -n "$(PYTHON)" || { echo "Drumbeat needs Python 3.11 or later and found none ($$(python3 --version 2>&1)): \
	install one, or name it with make PYTHON=/path/to/python" >&2; exit 1; }
	@command -v "$(PYTHON)" >/dev/null || { echo "PYTHON=$(PYTHON) is no program: \
	name a Python 3.11 or later, such as PYTHON=/usr/bin/python3, or leave PYTHON out" >&2; exit 1; }
	@test ! -e $(BIN)/python || { $(BIN)/python -c '$(IS_NEW_ENOUGH)' 2>/dev/null; } || { echo "The environment in \
	$(VENV) has no Python 3.11 or later any more: delete it with make clean, then start again" >&2; exit 1; }
	@"$(PYTHON)" -c '$(IS_NEW_ENOUGH)' 2>/dev/null || { echo "PYTHON=$(PYTHON) is not Python 3.11 or later but \
	$$("$(PYTHON)" --version 2>&1 | head -n 1): name one that is, or leave PYTHON out" >&2; exit 1; }

$(BIN)/python: | python-is-new-enough
	@echo "== environment in $(VENV), with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing or broken: on Debian \
	and Ubuntu, apt-get install python3-venv" >&2; exit 1; }

$(RUN): requirements-local.txt pyproject.toml | $(BIN)/python
	@echo "== packages to run (locked, checked by hash)"
	@$(INSTALL) --require-hashes -r requirements-local.txt || { $(NO_PACKAGES); }
	@$(INSTALL) --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "== packages to develop (locked, checked by hash)"
	@$(INSTALL) --require-hashes -r requirements-dev.txt || { $(NO_PACKAGES); }
	@$(INSTALL) --quiet --no-deps --no-build-isolation -e .
	@touch $(RUN) $@

# Kafka's jars and its start-up archive, in the user's cache; not needed with a broker of one's own.
$(PARTS): services/devstack/embedded/kafka.lock | $(BIN)/python
	@test -f $(RUN) || $(MAKE) --no-print-directory $(RUN)
	@test -n "$$DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS" || { $(BIN)/python -m services.devstack.embedded.prepare && touch $@; }
