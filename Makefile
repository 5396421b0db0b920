# What one says to this project. `make` alone lists it. Every target first sees that .venv is what the locks say.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Another Python than the one that .venv was made with, as in: make test WITH=python3.13
WITH ?=
# Where its packages are; each Python that is asked for has its own.
VENV := $(if $(WITH),.local/venv-$(notdir $(WITH)),.venv)
PYTHON := $(VENV)/bin/python
CDK := infra/toolchain/node_modules/.bin/cdk
# Arguments for the tests, as in: make test T="tests/infra -k database"
T ?=
# Arguments for the CDK, as in: make deploy CDK_ARGS="-c keywright:portal_url=https://portal.example.com"
CDK_ARGS ?=

# Where our packages are, as the layers put them on the path of a function.
export PYTHONPATH := .:layers/core/python:layers/verifier/python

.PHONY: help setup demo dev test check judge permissions fix synth diff deploy openapi bench soak lock clean

help: ## List what can be said here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from the lock files (every other target does it when needed)
	@KEYWRIGHT_VENV=$(VENV) infra/toolchain/setup.sh $(WITH)

demo: setup ## Run the main job once: sign-up to a license verified offline; results in .local/demo
	@$(PYTHON) -m infra.local demo

dev: setup ## Run everything on this machine until Ctrl-C; addresses in .local/endpoints.json
	@$(PYTHON) -m infra.local dev

test: setup ## Run the tests
	@$(PYTHON) -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(T)

check: setup ## Formatting, lint, types, contracts, drift, judges of the templates: with the tests, what CI runs
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports
	@$(PYTHON) -m infra.toolchain.locks --check
	@$(PYTHON) -m infra.openapi --check
	@$(PYTHON) -m infra.policy --check
	@$(PYTHON) -m infra.cost --check
	@$(PYTHON) -m infra.judges

judge: setup ## Ask cfn-lint, cdk-nag and checkov about the templates of both profiles, offline
	@$(PYTHON) -m infra.judges

permissions: setup ## Run the tests of functions and the stack, and list the permissions that none of them used
	@mkdir -p .local && rm -f .local/permissions-used
	@PERMISSIONS_USED=$(CURDIR)/.local/permissions-used $(PYTHON) -m pytest -q tests/functions tests/security tests/e2e
	@$(PYTHON) -m infra.local.iam.report .local/permissions-used

fix: setup ## Format, and mend what the linter can
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

synth: setup ## Write the CloudFormation template to cdk.out, without Docker and without an account
	@CDK_OUTDIR=cdk.out $(PYTHON) -m infra.app

$(CDK): infra/toolchain/package-lock.json
	@npm ci --prefix infra/toolchain --ignore-scripts --no-audit --no-fund
	@touch $(CDK)

diff: setup $(CDK) ## Show what a deployment would change
	@$(CDK) diff --all $(CDK_ARGS)

deploy: setup $(CDK) ## Deploy to the AWS account of the environment
	@$(CDK) deploy --all $(CDK_ARGS)

openapi: setup ## Write functions/operations/openapi.json from the handlers
	@$(PYTHON) -m infra.openapi

bench: setup ## Measure latency and throughput on this machine
	@$(PYTHON) -m tests.benchmarks
	@$(PYTHON) -m tests.benchmarks.jobs
	@$(PYTHON) -m tests.benchmarks.usage

soak: setup ## Load the stack for minutes, fold 20,000 made-up lives, rotate keys, play 2,000 stories, buy 2,000 times, compare the books
	@HISTORIES=20000 ORDERS=400 $(PYTHON) -m pytest --timeout 1800 -q tests/unit/stripe_sync/test_any_order.py \
	  tests/unit/stripe_sync/test_payments_in_any_order.py tests/unit/stripe_sync/test_long_subscriptions.py \
	  tests/integration/stripe_sync/test_whole_lives.py
	@USAGE_HISTORIES=2000 QUESTIONS=2000 FUZZ_SEED=$$(date +%s) $(PYTHON) -m pytest --timeout 1800 -q \
	  tests/unit/verifier/test_usage_log.py tests/unit/verifier/test_verifier_caching.py
	@FUZZ_CASES=20000 FUZZ_EVENTS=20000 FUZZ_SEED=$$(date +%s) $(PYTHON) -m pytest --timeout 7200 -q \
	  tests/security/test_api_fuzz.py tests/security/test_event_fuzz.py
	@ROTATION_REQUESTS=2000 $(PYTHON) -m pytest --timeout 1800 -q tests/security/test_rotation.py \
	  tests/security/test_password_rotation.py tests/security/test_license_key_rotation.py
	@$(PYTHON) -m tests.benchmarks.enumeration --each 1000
	@REFUSALS=300 USAGE_EVENTS=200000 USAGE_LICENSES=100 USAGE_STEP_HOURS=12 $(PYTHON) -m pytest --timeout 7200 -q -s \
	  tests/reliability/metering -k every_side
	@PRICE_CASES=100000 INVOICE_CASES=100 CHECKOUTS=2000 $(PYTHON) -m pytest --timeout 3600 -q -s \
	  tests/unit/pricing/test_corpus.py tests/functions/test_invoices.py tests/reliability/test_checkouts_under_faults.py
	@$(PYTHON) -m tests.benchmarks.soak
	@$(PYTHON) -m tests.benchmarks.jobs_soak
	@$(PYTHON) -m tests.benchmarks.stories_soak
	@CONTRACTS=500 BILLERS=10 $(PYTHON) -m pytest --timeout 3600 -q tests/reliability/contracts

lock: setup ## Renew the lock files within pyproject.toml
	@$(PYTHON) -m infra.toolchain.locks

clean: ## Remove what the other targets made, the local database included
	@rm -rf .venv .local cdk.out dist infra/toolchain/node_modules
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
