# make demo | test | check | fer2013 FER2013=path/to/fer2013.csv | bench | clean
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test test-slow check format lint types setup fer2013 bench clean

PYTHON ?= python3
BIN := .venv/bin
OUT ?= out
FER2013 ?=
ARCH ?= se-resnet
STUDENT ?= mobilenetv2
DEVICE ?= pi
export PATH := $(CURDIR)/$(BIN):$(PATH)

setup: .venv/ready

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("emo needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train,dev]'
	touch $@

demo: setup
	examples/demo.sh

test: setup
	$(BIN)/python -m pytest

test-slow: setup
	$(BIN)/python -m pytest -m slow

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

check: lint types test

# One artifact per target; make rebuilds what is older than what it is made from.
fer2013: $(OUT)/bench.jsonl
	@cat $(OUT)/eval.json $(OUT)/bench.jsonl

$(OUT)/dataset.h5: $(FER2013) | setup $(OUT)
	@test -n "$(FER2013)" || { echo "say where the corpus is: make fer2013 FER2013=path/to/fer2013.csv" >&2; exit 1; }
	emo dataset fer2013 $(FER2013) --force -o $@

$(OUT)/features.h5: $(OUT)/dataset.h5
	emo features $< --force -o $@

$(OUT)/teacher.onnx: $(OUT)/features.h5
	emo train $< --arch $(ARCH) --force -o $@

$(OUT)/student.onnx: $(OUT)/teacher.onnx $(OUT)/features.h5
	emo distill $< --data $(OUT)/features.h5 --arch $(STUDENT) --force -o $@

$(OUT)/student-int8.onnx: $(OUT)/student.onnx $(OUT)/features.h5
	emo quantize $< --data $(OUT)/features.h5 --force -o $@

$(OUT)/eval.json: $(OUT)/student-int8.onnx $(OUT)/features.h5
	emo eval $< --data $(OUT)/features.h5 --split validation --json > $@

$(OUT)/bench.jsonl: $(OUT)/student-int8.onnx $(OUT)/student.onnx $(OUT)/eval.json
	emo bench $< --data $(OUT)/features.h5 --device $(DEVICE) --json > $@

$(OUT):
	mkdir -p $@

clean:
	rm -rf .venv $(OUT) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
