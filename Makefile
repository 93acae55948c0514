# The short names of daily work; each is a line over ./pants or compose. `make help` lists them, docs/make.md explains them.

COMPONENT ?= serve
ENVIRONMENT ?= dev
IMAGE_TAG ?= latest
export COMPONENT ENVIRONMENT IMAGE_TAG

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# Docker's own plugin, or else the older program of its own.
compose_program := $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
compose = PROJECT=$* $(compose_program) --project-name $* --file docker/compose.yaml

# What exists is read from the source tree, so there is no list to keep.
package = $(subst -,_,$*)
projects := $(subst _,-,$(patsubst src/python/%/project.py,%,$(wildcard src/python/*/project.py)))
components = $(patsubst src/python/$(package)/%/BUILD,%,$(wildcard src/python/$(package)/*/BUILD))
images := $(patsubst docker/%/BUILD,%,$(wildcard docker/*/BUILD))
tasks = $(patsubst $(COMPONENT)-%,%,$(shell sed -n 's/^  \($(COMPONENT)-[a-z-]*\):.*/\1/p' docker/compose.yaml))
steps := download-model compile-model validate-model upload-model

# one-of KIND,VALUE,ALLOWED: stops with a sentence, before anything is run, unless the value is one of the allowed.
one-of = $(if $(and $(filter 1,$(words $(2))),$(filter $(2),$(3))),,$(error There is no $(1) "$(2)"; there are: $(strip $(3))))
project = $(call one-of,project,$*,$(projects))$(call one-of,environment,$(ENVIRONMENT),dev prod)
component = $(project)$(call one-of,component of $*,$(COMPONENT),$(components))
# Compose takes the tag from the environment, and make has no way to quote it.
export PIPELINE_COMPONENT TASK

.PHONY: help
help: ## this list
	@awk -F ': ## ' '/^[a-z][^ ]*: ## /{sub("%", "<name>", $$1); printf "%-28s%s\n", $$1, $$2}' Makefile
	@echo 'Projects: $(projects)'
	@echo 'Images: $(images)'

projects.build/%: ## build the image of COMPONENT
	$(component)./pants package src/python/$(package)/$(COMPONENT):image

projects.deploy/%: ## build the image of COMPONENT and push it
	$(component)./pants publish src/python/$(package)/$(COMPONENT):image

projects.start/%: ## run the main container of COMPONENT until it ends
	$(component)$(compose) up --exit-code-from $(COMPONENT) $(COMPONENT)

projects.run/%: ## run one other task of COMPONENT, such as TASK=download-model
	$(component)$(call one-of,task,$(TASK),$(tasks))$(compose) run --rm $(COMPONENT)-$(TASK)

projects.stop/%: ## stop the project's containers and remove them
	$(project)$(compose) down --remove-orphans

projects.unit/%: ## test COMPONENT: code alone
	$(component)$(compose) run --rm $(COMPONENT)-unit

projects.integration/%: ## test COMPONENT: code and model
	$(component)$(compose) run --rm $(COMPONENT)-integration

projects.functional/%: ## test COMPONENT: requests to its running container
	$(component)$(compose) run --rm $(COMPONENT)-functional

projects.load/%: ## test COMPONENT under load
	$(component)$(compose) run --rm $(COMPONENT)-load

projects.test/%: ## every test of the project
	$(project)./pants test tests/python/$(package)::

projects.compile/%: ## run one step of compiling in its container: PIPELINE_COMPONENT=download-model
	$(project)$(call one-of,PIPELINE_COMPONENT,$(PIPELINE_COMPONENT),$(steps))$(compose) run --rm $(PIPELINE_COMPONENT)

docker.build/%: ## build a core image
	$(call one-of,core image,$*,$(images))./pants package docker/$*:image

.PHONY: clean
clean: ## remove what was built: dist/, and images of this repository that have lost their name
	rm -rf dist
	docker image prune --force --filter label=org.opencontainers.image.title
