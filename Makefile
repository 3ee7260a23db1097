# Start here: `make up` sets up everything and shows it working; `make test` sets up everything and tests it.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SESSIONS ?= 2
SEEDS ?= 3
SEED ?= 1
SIM_SEEDS ?= 10000
FUZZ_SECONDS ?= 1200
FUZZ_EXAMPLES ?= 100
FUZZ_SEED ?= $(shell date +%s)
FUZZ_FIRST ?= 0

.PHONY: up up-detached down test test-busy lint types bench bench-against growth simulation bench-api memory priority isolation hotkey soak timers faults faults-short hostile attack secured brokers worst-user reconcile observe zones fuzz fuzz-templates mutants schemas lock image restore scaling triggers prerequisites test-prerequisites setup

up: setup
	@exec $(BIN)/headrace up

up-detached: setup
	@$(BIN)/headrace up --detach

down: setup
	@$(BIN)/headrace down

# What needs few servers comes first: it is quick, and most mistakes end there. Each half is a run of its own, so that no
# session grows too large; within one, what needs no server comes first (tests/support/running_order.py). The tests run in
# SESSIONS sessions side by side, each with a broker and a Postgres of its own; SESSIONS=0 is one, in this process.
SERVED := tests/admin tests/embedded tests/integration tests/processes tests/properties tests/tables
PYTEST := $(BIN)/pytest -m "not long" -n $(SESSIONS) --dist loadfile --no-loadscope-reorder

test: test-prerequisites lint types
	$(PYTEST) tests $(SERVED:%=--ignore=%)
	$(PYTEST) $(SERVED)
	$(MAKE) --no-print-directory faults-short

# Every role dies at every place of its loop, and in an outage nothing is held against a record; about six minutes.
.PHONY: crashes
crashes: setup
	$(BIN)/pytest tests/integration/test_crashing.py -v

# What make test leaves out (tests/support/long_runs.py) but for crashes and looks: about ten minutes.
.PHONY: longer
longer: setup
	$(BIN)/pytest tests -m long --ignore=tests/admin/pages --ignore=tests/integration/test_crashing.py -n $(SESSIONS) \
		--dist loadfile --no-loadscope-reorder

# Every page in the light, in the dark and on a phone: what axe finds, and screenshots in build/pages. Four minutes.
.PHONY: looks
looks: setup
	LOOKS=all $(BIN)/pytest tests/admin/pages -v

# Three times in a row with every core also busy with something else; goes on where it was stopped.
test-busy: setup
	$(BIN)/python -m tests.busy.run

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m tests.benchmarks.bench

# What each process costs an execution in another commit and in this one, in turns: AGAINST=<commit>; about ten minutes.
bench-against: setup
	$(BIN)/python -m tests.benchmarks.against $(AGAINST)

# The same job with more workflows, actions, bytes or workers; goes on where it was stopped; about fifteen minutes.
growth: setup
	$(BIN)/python -m tests.benchmarks.growth

# What every process holds, idle and under load; AGAINST names a commit to measure first. About three minutes each.
memory: setup
	$(BIN)/python -m tests.benchmarks.memory $(if $(AGAINST),--against $(AGAINST))

priority: setup
	$(BIN)/python -m tests.benchmarks.priority

isolation: setup
	$(BIN)/python -m tests.benchmarks.isolation

# Entities with far too many slow records: what they cost the others, case by case; about ten minutes.
hotkey: setup
	$(BIN)/python -m tests.benchmarks.hotkey

# Ten minutes of 200 kB events behind a record that is stuck: memory stays flat. SOAK_SECONDS for less.
soak: SOAK_SECONDS ?= 600
soak: setup
	$(BIN)/python -m tests.benchmarks.soak --seconds $(SOAK_SECONDS)

# An hour at half of the highest rate, which is measured first: memory, open files, connections and lag of each process
# stay flat. SOAK_SECONDS for less; one that is cut short reports on what it has. `build/soak-hour.json`.
.PHONY: soak-hour
soak-hour: SOAK_SECONDS ?= 3600
soak-hour: setup
	$(BIN)/python -m tests.benchmarks.soak_hour --seconds $(SOAK_SECONDS)

timers: setup
	$(BIN)/python -m tests.benchmarks.timers

# The delivery guarantees in virtual time, with faults by seed: SIM_SEEDS of them; a quarter of an hour.
simulation: setup
	$(BIN)/python -m tests.simulation.run --seeds $(SIM_SEEDS)

# One kind of fault after the other under load, SEEDS of each; SCENARIO=freeze for one. Goes on where it was stopped.
# SCENARIO=idle-connections IDLE_SECONDS=1800 for half an hour of nothing instead of a minute. FIRST=3: not seeds 1 and 2.
faults: setup
	$(BIN)/python -m tests.faults.run --seeds $(SEEDS) $(if $(FIRST),--first $(FIRST)) $(if $(SCENARIO),--only $(SCENARIO)) $(if $(IDLE_SECONDS),--idle $(IDLE_SECONDS))

faults-short: setup
	$(BIN)/python -m tests.faults.run --short

# An older commit's installation (AGAINST=<commit>; the last before step 10 by default) exchanged for this one's under
# load, process by process, and back: nothing lost, what waits over it ends. Ten minutes. `build/upgrade.json`.
.PHONY: upgrade
upgrade: setup
	$(BIN)/python -m tests.upgrade.run $(AGAINST)

# How soon it works again: a cold matcher with 10,000 workflows, groups that change, an outage of everything for
# OUTAGE_SECONDS. Half an hour; goes on where it was stopped. `build/recovery.json`.
.PHONY: recovery
recovery: OUTAGE_SECONDS ?= 600
recovery: setup
	$(BIN)/python -m tests.recovery.run --outage $(OUTAGE_SECONDS)

# The hot statements where receipts are 20,000,000 rows and a day of the log a tenth of that; 20 GB of disk, a quarter
# of an hour. `build/large-tables.json`.
.PHONY: large-tables
large-tables: setup
	$(BIN)/python -m tests.benchmarks.large_tables

# What people without the right may try, on an installation as in production; at most twenty minutes.
attack: setup
	$(BIN)/python -m tests.attack.run

# Three brokers that demand logins and encryption, minimal ACLs, two workers of each role, a broker killed; two minutes.
secured: setup
	$(BIN)/pytest tests/secured/three_brokers.py -v

# What Headrace needs of Kafka, on older and newer brokers from Maven Central; VERSIONS="3.6.2" for others. Half an hour;
# goes on where it was stopped.
brokers: setup
	$(BIN)/python -m tests.brokers.run $(VERSIONS)

# One user who does his worst in every way at once: what it costs another; about five minutes.
worst-user: setup
	$(BIN)/python -m tests.benchmarks.worst_user

# Hostile records on every topic among good events, under kills; SEED makes others.
hostile: setup
	$(BIN)/python -m tests.hostile.run --seed $(SEED)

# Dashboards and alerts on a real installation with a real Prometheus: every panel's queries return data, every alert is
# caused, seen, told and resolved. About six minutes; goes on where it was stopped. PICTURES=docs/images draws them.
observe: setup
	$(BIN)/python -m tests.observe.run $(if $(PICTURES),--pictures $(PICTURES))

reconcile: setup
	@test -n "$(EVENTS)" || { echo "name the events: make reconcile EVENTS=events.jsonl.gz"; exit 2; }
	$(BIN)/python -m tests.reconcile.run "$(EVENTS)"

# Due times around every change of the clock in every time zone, minute by minute.
zones: setup
	$(BIN)/python -m tests.domain.zone_walk

# Schemathesis, all checks, on every operation of a whole installation: FUZZ_EXAMPLES each; goes on with those that have
# not passed on this tree; a failure ends with 1 and is a curl line. FUZZ_ONLY=getWorkflow,healthz for some,
# FUZZ_SEED for others. `build/fuzz.json`. `make test` has it in short.
fuzz: setup
	$(BIN)/python -m tests.openapi.fuzz --examples $(FUZZ_EXAMPLES) --seed $(FUZZ_SEED) --only "$(FUZZ_ONLY)"

# The examples of answers in the OpenAPI document, by calling each operation: after a change of what one answers.
.PHONY: api-examples
api-examples: setup
	$(BIN)/python -m tests.openapi.record

# Templates grown to hurt: none over 300 ms of CPU or 32 MB. FUZZ_SECONDS for less than twenty minutes; what it prints
# as seed and number goes on with a run: FUZZ_SEED=1 FUZZ_FIRST=5000.
fuzz-templates: setup
	$(BIN)/python -m tests.fuzz.templates --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED) --first $(FUZZ_FIRST)

# Each rule broken on purpose, one by one: the test of its property must turn red.
mutants: setup
	$(BIN)/python -m tests.mutants.run

schemas: setup
	$(BIN)/python -m schemas.publish

# The reference of the settings, docs/settings.md, from the code.
.PHONY: settings
settings: setup
	$(BIN)/python -m app.settings.reference

# What docs/cli.md says of each command, from the code.
.PHONY: commands
commands: setup
	$(BIN)/python -m app.commands.reference

# The image built for real, and every service of docker-compose.yml run from it: Docker, or as root podman, runc and
# debootstrap. `build/image.json`.
image: setup
	$(BIN)/python -m tests.image.run

# What is lost and what is done twice where Postgres or Kafka is set back, docs/backup.md; about five minutes.
restore: setup
	$(BIN)/python -m tests.restore.run

# 1,000 triggers to POST /events at once, ten times over: all accepted, executed and logged, and no process grows. About
# two minutes. `build/triggers.json`.
triggers: setup
	$(BIN)/python -m tests.benchmarks.triggers

# What lists take over 5,000,000 executions of 60 days, and a live list: 100 ms at p95. Needs 16 GB of disk; about 15
# minutes the first time, then the data is there. Goes on where it was stopped. `build/bench-api.json`.
bench-api: setup
	$(BIN)/python -m tests.benchmarks.api

# What the pages weigh, and how soon they answer in Chromium; for a machine that does nothing else. About two minutes.
# `build/bench-pages.json`.
.PHONY: bench-pages
bench-pages: setup
	$(BIN)/pytest tests/admin/pages/measured.py -s

# What growing and shrinking a role costs; about seven minutes.
scaling: setup
	$(BIN)/python -m tests.benchmarks.scaling

# Pins every package with its hashes. Nothing about this machine or its package index goes into the files. The locks of
# the image pin what the tests ran with: requirements.lock is a constraint to them.
LOCK = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
lock: setup
	$(BIN)/python -m deploy.requirements | $(LOCK) --output-file requirements.lock -
	@for name in production stand-ins build; do \
		$(BIN)/python -m deploy.requirements $$name \
		| $(LOCK) --constraint requirements.lock --output-file requirements-$$name.lock - || exit 1; \
	done

prerequisites:
	@PYTHON="$(PYTHON)" deploy/prerequisites

test-prerequisites:
	@PYTHON="$(PYTHON)" deploy/prerequisites tests

setup: prerequisites $(VENV)/.installed

# Filled beside its place and named complete last, so that an interrupted install is done again.
$(VENV)/.installed: requirements.lock pyproject.toml
	@if ! cmp -s requirements.lock $(VENV)/requirements.lock 2>/dev/null; then \
		echo "Installing the Python packages (once)"; \
		rm -rf $(VENV) && $(PYTHON) -m venv $(VENV) \
		&& $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock; \
	fi
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@cp requirements.lock $(VENV)/requirements.lock
	@touch $@
