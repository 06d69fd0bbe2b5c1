# What each part of training brings, as differences to a baseline over the same seeds; included by the Makefile.
#     make -j2 ablation FER2013=path/to/fer2013.csv
#     make -j2 ablation FER2013=… ABLATION_EPOCHS=16 ABLATION_LIMIT=0
#     make -j2 ablation FER2013=… ABLATION=ablation-more
# A row per line of the list, each one ordinary emo train, or emo distill where a teacher is named. What was made with the
# same flags is not made again, a run that was killed continues, and `make ablation-table` shows the rows that are there.
# PublicTest is the test part, which nothing here reads; a slice of Training is the validation part, which all figures are
# about.
.PHONY: ablation ablation-table

# which table: its list beside this file, its folder of results
ABLATION ?= ablation
ABLATION_SEEDS ?= 3
ABLATION_EPOCHS ?= 8
# the first so many samples of each part, 0 for all
ABLATION_LIMIT ?= 10000
# a thread for each: two rows at once, with -j2, take less time than one after the other on two
ABLATION_BASE ?= --arch student --drop-leaks --threads 1
ABLATION_LIST ?= examples/results/$(ABLATION).txt
A ?= $(OUT)/$(ABLATION)
ABLATION_FEATURES := $(A)/features-$(SIZE)-$(ABLATION_LIMIT).h5
ABLATION_NAMES := $(shell awk '!/^\043/ && NF { print $$1 }' $(ABLATION_LIST))

define ABLATION_TABLE
python examples/results/ablation.py $(ABLATION_LIST) $(A) -o $(RESULTS)/$(ABLATION)
python examples/results/table.py
endef

ablation: $(ABLATION_NAMES:%=$(A)/%.onnx)
	$(ABLATION_TABLE)

ablation-table: | setup
	$(ABLATION_TABLE)

$(ABLATION_FEATURES): $(W)/fer2013.h5 | $(A)
	emo features $< -p size=$(SIZE) --limit $(ABLATION_LIMIT) --force -o $@

# NAME.flags changes only when the flags do, so a row is made again when its line or the budget is another; files that a line
# names are made here
$(A)/%.flags: always | $(A)
	@flags=$$(awk '$$1 == "$*" { $$1 = ""; gsub(/[^ ]+\.onnx/, "$(A)/&"); print }' $(ABLATION_LIST)); \
	  echo $(ABLATION_BASE) --epochs $(ABLATION_EPOCHS) --seeds $(ABLATION_SEEDS) $$flags $(TRAIN) > $@.new; \
	  if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; rm -f $(@:flags=seconds); fi

# NAME.jsonl has the scores, NAME.seconds the time of all seeds: a line per call, as one that was killed is continued
$(ABLATION_NAMES:%=$(A)/%.onnx): $(A)/%.onnx: $(A)/%.flags $(ABLATION_FEATURES) | setup
	if [ -e $@ ]; then rm -f $@ $(@:onnx=seconds); fi; rm -f $(@:onnx=jsonl)
	trap 'echo $$SECONDS >> $(@:onnx=seconds)' EXIT; \
	  flags=$$(cat $<); case $$flags in *--teacher*) learn=distill ;; *) learn=train ;; esac; \
	  emo $$learn $(ABLATION_FEATURES) $$flags --resume --scores $(@:onnx=jsonl) -o $@

# beside what ships a second teacher: the net of 20 minutes, without what the students' slice of Training has too
$(A)/taught-by-two.onnx: $(A)/second-int8.onnx
$(A)/second.onnx: $(W)/fer2013-features.h5 | $(A)
	emo train $< $(speedrun.20) --drop-leaks --threads 1 --seed 1 $(TRAIN) --force -o $@

$(A)/second-int8.onnx: $(A)/second.onnx $(W)/fer2013-features.h5
	emo quantize $< --data $(lastword $^) $(QUANTIZE_FLAGS) --force -o $@

$(A):
	mkdir -p $@

# What differs in the labels, or only when it is scored: each seed is trained and scored by itself, on the validation part,
# FER+ by the class that most taggers gave.
#     make -j2 ablation-scored FER2013=path/to/fer2013.csv FERPLUS=path/to/fer2013new.csv
.PHONY: ablation-scored
S ?= $(OUT)/ablation-scored
S_LABELS := majority votes
S_SEEDS := $(shell seq 0 $$(($(ABLATION_SEEDS) - 1)))
S_FLAGS = $(ABLATION_BASE) --epochs $(ABLATION_EPOCHS)
# what a row of FER2013 is scored with
plain.eval :=
flip.eval := --flip
views.eval := --views 7 --flip
.PRECIOUS: $(foreach row,plain $(S_LABELS),$(S)/$(row)-%.onnx)

ablation-scored: $(foreach seed,$(S_SEEDS),$(foreach row,plain flip views $(S_LABELS),$(S)/$(row)-$(seed).json))
	python examples/results/ablation_scored.py examples/results/ablation-scored.txt $(S) -o $(RESULTS)/ablation-scored
	python examples/results/table.py

$(S_LABELS:%=$(S)/%.h5): $(S)/%.h5: $(call spaced,$(FER2013)) $(call spaced,$(FERPLUS)) | setup $(S)
	@test -n "$(FER2013)" -a -n "$(FERPLUS)" || { echo "say where FER2013's csv and FER+'s are: FER2013=… FERPLUS=…" >&2; exit 1; }
	emo dataset ferplus "$(FER2013)" "$(FERPLUS)" -p public_test=only -p labels=$* | \
	  emo features -p size=$(SIZE) --limit $(ABLATION_LIMIT) --force -o $@

define TRAINED_APART
$(S)/$(1)-%.onnx: $(2) | $(S)
	emo train $$< $$(S_FLAGS) --seed $$* $$(TRAIN) --force -o $$@; echo $$$$SECONDS > $$(@:onnx=seconds)
endef
$(eval $(call TRAINED_APART,plain,$(ABLATION_FEATURES)))
$(foreach row,$(S_LABELS),$(eval $(call TRAINED_APART,$(row),$(S)/$(row).h5)))

define SCORED_APART
$(S)/$(1)-%.json: $(S)/plain-%.onnx
	emo eval $$< --data $(ABLATION_FEATURES) --split validation $$($(1).eval) --json > $$@
endef
$(foreach row,plain flip views,$(eval $(call SCORED_APART,$(row))))

$(foreach seed,$(S_SEEDS),$(S_LABELS:%=$(S)/%-$(seed).json)): $(S)/%.json: $(S)/%.onnx $(S)/majority.h5
	emo eval $< --data $(S)/majority.h5 --split validation --json > $@

$(S):
	mkdir -p $@
