# Short names for the commands of the README; each runs exactly that command.
.DEFAULT_GOAL := help
.PHONY: help demo test ci screens format example unit

help: ## what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## play the main job in the simulated world
	./setup.sh demo

test: ## linters, types, import rules, the whole test suite
	./setup.sh test

ci: ## what a change must pass
	.ci/run

screens: ## draw every state of the kiosk's screen into var/screens
	.venv/bin/kiosk screens --out var/screens

format: ## put the code into form
	.venv/bin/ruff format && .venv/bin/ruff check --fix

example: ## renew the example configuration from the settings
	.venv/bin/python -m kiosk.config.example > docs/kiosk.example.toml

unit: ## judge the systemd units
	systemd-analyze security --offline=true --threshold=20 systemd/kiosk.service systemd/kiosk-settle.service
