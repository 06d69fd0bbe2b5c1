# make demo | test | check | fer2013 FER2013=path/to/fer2013.csv | bench | record | clean
# make weights | results | speedrun: see examples/weights/weights.mk; make ablation: see examples/results/ablation.mk
# make speech RAVDESS=… | emodb EMODB=… | iemocap IEMOCAP=… | stress STRESS=…: see examples/results/folds.mk
# make texts GOEMOTIONS=…: see examples/results/texts.mk
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test check format lint types setup fer2013 bench record clean always

PYTHON ?= python3
BIN := .venv/bin
OUT ?= out
FER2013 ?=
RAVDESS ?=
# what a shell makes of ~ only where no quotes are
$(foreach one,FER2013 FERPLUS RAVDESS EMODB IEMOCAP STRESS GOEMOTIONS,$(eval override $(one) := $$(patsubst ~/%,$$(HOME)/%,$$($(one)))))
# a path to a corpus may have spaces, which make takes for the next file where they are not told apart
spaced = $(subst $() ,\ ,$(1))
ARCH ?= se-resnet
STUDENT ?= student
DEVICE ?= pi
# flags for emo train and emo distill, for example TRAIN='--epochs 2 --seed 1'
TRAIN ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)

setup: .venv/ready

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("emo needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@# modules are compiled as they are first used: all that torch has, at once, would take a minute
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --editable '.[train,tune,dev]'
	touch $@

demo: setup
	examples/demo.sh

test: setup
	@# processes share the cores: threads that wait leave them to others
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --durations 15

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
fer2013: $(OUT)/eval.json $(OUT)/bench.jsonl
	@cat $(OUT)/eval.json $(OUT)/bench.jsonl

# what was asked for, of another date when that is something else
$(OUT)/recipe.asked: ASKED = $(FER2013) $(ARCH) $(STUDENT) $(TRAIN)
$(OUT)/device.asked: ASKED = $(DEVICE)
$(OUT)/%.asked: always | $(OUT)
	@echo '$(ASKED)' | cmp -s - $@ || echo '$(ASKED)' > $@

$(OUT)/dataset.h5: $(call spaced,$(FER2013)) $(OUT)/recipe.asked | setup $(OUT)
	@test -n "$(FER2013)" || { echo "say where the corpus is: make fer2013 FER2013=path/to/fer2013.csv" >&2; exit 1; }
	emo dataset fer2013 "$(FER2013)" --force -o $@

$(OUT)/features.h5: $(OUT)/dataset.h5
	emo features $< --force -o $@

$(OUT)/teacher.onnx: $(OUT)/features.h5
	emo train $< --arch $(ARCH) $(TRAIN) --force -o $@

$(OUT)/student.onnx: $(OUT)/teacher.onnx $(OUT)/features.h5
	emo distill $< --data $(OUT)/features.h5 --arch $(STUDENT) $(TRAIN) --force -o $@

$(OUT)/student-int8.onnx: $(OUT)/student.onnx $(OUT)/features.h5
	emo quantize $< --data $(OUT)/features.h5 --force -o $@

$(OUT)/eval.json: $(OUT)/student-int8.onnx $(OUT)/features.h5
	emo eval $< --data $(OUT)/features.h5 --split validation --json > $@

$(OUT)/bench.jsonl: $(OUT)/student-int8.onnx $(OUT)/features.h5 $(OUT)/device.asked
	emo bench $< --data $(OUT)/features.h5 --device $(DEVICE) --json > $@

$(OUT):
	mkdir -p $@

# The figures of the README. The machine should do nothing else; the last one trains for 40 minutes.
bench: setup | $(OUT)
	python examples/bench/startup.py
	python examples/bench/pipe.py
	python examples/bench/memory.py
	python examples/bench/features.py
	python examples/bench/speech.py $(if $(RAVDESS),"$(RAVDESS)")
	python examples/bench/physio.py $(if $(E4),"$(E4)")
	python examples/bench/int8.py
	python examples/bench/without_emo.py
	python examples/bench/training.py
	python examples/bench/live.py
	test -z "$(VOICE)" || python examples/bench/live_voice.py $(VOICE)
	test -z "$(RAVDESS)" || python examples/bench/real_time.py ravdess-int8 "$(RAVDESS)"
	test -z "$(RAVDESS)" || python examples/bench/sound_import.py ravdess "$(RAVDESS)"
	test -z "$(FER2013)" || python examples/bench/csv_import.py "$(FER2013)"
	test -z "$(FER2013)" || examples/bench/fer2013.sh "$(FER2013)" $(OUT)/bench

include examples/weights/weights.mk
include examples/results/ablation.mk
include examples/results/folds.mk
include examples/results/texts.mk

# The picture in the README.
record: setup
	python examples/record.py examples/demo.svg examples/demo.sh

clean:
	rm -rf .venv $(OUT) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
