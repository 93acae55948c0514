# Short names for daily commands, each a line or two over ./pants or compose. `make help` lists
# them, docs/make.md explains them.

COMPONENT ?= serve
ENVIRONMENT ?= dev
IMAGE_TAG ?= latest
IMAGE_ACCELERATOR ?=
# Programs read them from the environment, so that no value becomes part of a command.
export COMPONENT ENVIRONMENT IMAGE_TAG IMAGE_ACCELERATOR

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

compose = PROJECT=$* build-support/docker/compose
require = build-support/docker/require
# pytest is mounted beside the image, which is the one that is deployed.
pytest = ./pants package build-support/docker:tests-pex

# Projects, components and images are read from the source tree, so there is no list to maintain.
package = $(subst -,_,$*)
projects := $(subst _,-,$(patsubst src/python/%/project.py,%,$(wildcard src/python/*/project.py)))
components = $(patsubst src/python/$(package)/%/BUILD,%,$(wildcard src/python/$(package)/*/BUILD))
images := $(patsubst docker/%/BUILD,%,$(wildcard docker/*/BUILD))
# Variants of images for accelerators, such as train-cuda.
variants := $(shell sed -n 's/.*{PROJECT:?name one}-\([a-z]*-[a-z]*\):.*/\1/p' docker/*.compose.yaml)
services := $(shell sed -n '/^services:/,$$s/^  \([a-z][a-z-]*\):.*/\1/p' docker/compose.yaml)
steps := $(filter %-model,$(filter-out serve-%,$(services)))
# The container of a task. Those of compiling have the name of the step alone.
task = $(if $(filter $(COMPONENT),compile),$(filter $(TASK),$(steps)),$(filter $(COMPONENT)-$(TASK),$(services)))
tasks = $(if $(filter $(COMPONENT),compile),$(steps),$(patsubst $(COMPONENT)-%,%,$(filter $(COMPONENT)-%,$(services))))

# $(call one-of,kind,value,allowed): stops with a sentence, before anything is run, unless the value
# is one of the allowed ones.
one-of = $(if $(and $(filter 1,$(words $(2))),$(filter $(2),$(3))),,$(error There is no $(1) "$(2)"; there are: $(strip $(3))))
project = $(call one-of,project,$*,$(projects))$(call one-of,environment,$(ENVIRONMENT),dev prod)
component = $(project)$(call one-of,component of $*,$(COMPONENT),$(components))
# The target of COMPONENT's image.
image = $(if $(IMAGE_ACCELERATOR),$(call one-of,image for an accelerator,$(COMPONENT)-$(IMAGE_ACCELERATOR),$(variants)))src/python/$(package)/$(COMPONENT):$(or $(IMAGE_ACCELERATOR),image)
# Requests need the server in another container, which is stopped whether they succeed or fail.
with-server = $(compose) run --rm $(1); code=$$?; $(compose) stop; exit $$code

.PHONY: help up
help: ## this list
	@awk -F ': ## ' '/^[a-z][^ ]*: ## /{sub("%", "<name>", $$1); printf "%-28s%s\n", $$1, $$2}' Makefile
	@echo 'Projects: $(projects)'
	@echo 'Core images: $(images)'

up: ## build PROJECT's images, run its life cycle and serve it, all in containers
	$(call one-of,project,$(PROJECT),$(projects))build-support/docker/up $(PROJECT)

projects.build/%: ## build the image of COMPONENT, for IMAGE_ACCELERATOR if set
	$(component)$(require) base
	./pants package $(image)

projects.deploy/%: ## build the image of COMPONENT and push it
	$(component)$(require) base
	./pants publish $(image)

projects.start/%: ## run the main container of COMPONENT until it ends
	$(component)$(call one-of,container,$(COMPONENT),$(filter $(components),$(services)))$(compose) up --exit-code-from $(COMPONENT) $(COMPONENT)

projects.run/%: ## run another task of COMPONENT in a container, such as TASK=download-model
	$(component)$(call one-of,task of $(COMPONENT),$(TASK),$(tasks))$(compose) run --rm $(task)

projects.compile/%: ## run one step of compiling in its container, such as PIPELINE_COMPONENT=download-model
	$(project)$(call one-of,PIPELINE_COMPONENT,$(PIPELINE_COMPONENT),$(steps))$(compose) run --rm $(PIPELINE_COMPONENT)

projects.stop/%: ## stop the project's containers and remove them
	$(project)$(compose) down --remove-orphans

projects.unit/%: ## test COMPONENT in its image: code alone
	$(component)$(require) daemon
	$(pytest)
	$(compose) run --rm $(COMPONENT)-unit

projects.integration/%: ## test COMPONENT in its image: code and model
	$(component)$(require) daemon
	$(pytest)
	$(compose) run --rm $(COMPONENT)-integration

projects.functional/%: ## test COMPONENT in its image: requests to its running container
	$(component)$(require) daemon
	$(pytest)
	$(call with-server,$(COMPONENT)-functional)

projects.load/%: ## test COMPONENT under load
	$(component)$(call with-server,$(COMPONENT)-load)

projects.test/%: ## every test of the project, without containers
	$(project)./pants test tests/python/$(package)::

docker.build/%: ## build a core image
	$(call one-of,core image,$*,$(images))$(require) base
	./pants package docker/$*:image

.PHONY: clean
clean: ## remove dist/, and leftovers of image builds in Docker
	rm -rf dist
	$(require) daemon
	build-support/docker/prune --stages
