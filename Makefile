# Everything is installed into .venv and nothing outside it; delete that folder to begin again. Each target does all of its own set-up:
# a stamp file per kind of install says what is there, so that a second run starts at once.
#
#   make demo              check the shipped recording, write a report
#   make test              lint, types and the whole test suite
#   make lint | types      one of them
#   make bench EVAL=FOLDER accuracy and speed, beside plain baselines; bench-text and bench-speech are its halves
#   make bench-live EVAL=FOLDER  how long after the words an alert comes, on one line and on eight
#   make bench-silence     an hour of noise, tones and hold music: is anything heard in it?
#
# PYTHON=python3.12         another interpreter (3.11 or later)
# TORCH_INDEX=URL           where to get a CPU build of torch, when the package index offers only the CUDA one (test, types, bench)

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types bench bench-text bench-speech bench-silence bench-live chromium

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install $(if $(CI),--quiet) --constraint constraints.txt
PINS := pyproject.toml constraints.txt
REPORT := demo-report

help:
	@sed -n 's/^#   /  /p' Makefile

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo '需要 Python 3.11 或更高版本；装好后再试，或用 make PYTHON=/路径/python3.12 指定。'; \
	  echo 'Python 3.11 or later is needed; install it, or name it: make PYTHON=/path/to/python3.12'; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo '建不了虚拟环境：请先安装 venv（Debian、Ubuntu：apt-get install python3-venv）。'; \
	  echo 'No virtual environment: install venv first (Debian, Ubuntu: apt-get install python3-venv).'; exit 1; }

# What running needs; no torch.
$(VENV)/.run: $(PINS) | $(BIN)/python
	@echo '正在安装依赖，首次需要几分钟……（installing; a few minutes the first time）'
	$(INSTALL) --editable .
	@touch $@

# Linters and test tools too.
$(VENV)/.dev: $(PINS) | $(BIN)/python
	$(INSTALL) --editable '.[dev]'
	@touch $(VENV)/.run $@

# Training and serving too. torch goes first and by its exact version: left to pip's choice it would be the newest build, with gigabytes of CUDA.
$(VENV)/.train: $(PINS) | $(BIN)/python
	$(INSTALL) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) "$$(grep '^torch==' constraints.txt)"
	$(INSTALL) --editable '.[dev,fleet,serve,train]'
	@touch $(VENV)/.run $(VENV)/.dev $@

demo: $(VENV)/.run
	$(BIN)/phrasecheck check examples/demo-call.flac --agent-channel left --role claims_report --out $(REPORT) --format json,html,xlsx
	@echo
	@echo '报告（用浏览器打开，不需要联网）：$(CURDIR)/$(REPORT)/demo-call.html'
	@echo '汇总表（Excel）：$(CURDIR)/$(REPORT)/summary.xlsx'
	@echo 'The report (open it in a browser, no network needed): $(CURDIR)/$(REPORT)/demo-call.html'

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The training code is typed too, so torch has to be there.
types: $(VENV)/.train
	$(BIN)/mypy

# Quick tests first; then those with real weights, a real browser or many processes, which would only get in each other's way in parallel.
test: $(VENV)/.train lint types chromium
	$(BIN)/pytest -n 2 -m 'not model and not browser and not processes'
	$(BIN)/pytest -m 'model or browser or processes'

# Browser tests skip where there is no Chromium and it cannot be installed without root.
chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null || echo 'Chromium 没有装上，浏览器测试将跳过。'; \
	else echo '没有 Chromium，浏览器测试将跳过（Debian、Ubuntu：apt-get install chromium）。'; fi

# No target but bench needs all of EVAL; --calls N takes fewer of its calls: make bench-speech EVAL=FOLDER ARGS="--calls 3"
bench bench-text bench-speech: $(VENV)/.train
	@if [ ! -d "$(EVAL)" ]; then \
	  echo '请指明评测数据所在的文件夹：make $@ EVAL=../shared/eval（内有 dev.jsonl、audio/gold.jsonl）'; \
	  echo 'Say where the evaluation data lie: make $@ EVAL=FOLDER (with dev.jsonl and audio/gold.jsonl)'; exit 1; fi
	$(BIN)/python -m $(subst -,.,$@) "$(EVAL)" $(ARGS)

bench-silence: $(VENV)/.dev
	$(BIN)/python -m bench.silence $(ARGS)

# The whole server in the loop, in real time: the 12 calls take half an hour with one line; ARGS="--calls 4", "--lines 1,4,8", "--soak 60", "--check"
bench-live: $(VENV)/.train
	@if [ ! -d "$(EVAL)" ]; then \
	  echo '请指明评测数据所在的文件夹：make $@ EVAL=../shared/eval（内有 audio/gold.jsonl）'; \
	  echo 'Say where the evaluation data lie: make $@ EVAL=FOLDER (with audio/gold.jsonl)'; exit 1; fi
	$(BIN)/python -m bench.live "$(EVAL)" $(ARGS)
