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

# NAME.flags changes only when the flags do, so a row is made again when its line or the budget is another
$(A)/%.flags: always | $(A)
	@flags=$$(awk '$$1 == "$*" { $$1 = ""; print }' $(ABLATION_LIST)); \
	  echo $(ABLATION_BASE) --epochs $(ABLATION_EPOCHS) --seeds $(ABLATION_SEEDS) $$flags $(TRAIN) > $@.new; \
	  if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; rm -f $(@:flags=seconds); fi

# NAME.jsonl has the scores, NAME.seconds the time of all seeds: a line per call, as one that was killed is continued
$(ABLATION_NAMES:%=$(A)/%.onnx): $(A)/%.onnx: $(A)/%.flags $(ABLATION_FEATURES) | setup
	if [ -e $@ ]; then rm -f $@ $(@:onnx=seconds); fi; rm -f $(@:onnx=jsonl)
	trap 'echo $$SECONDS >> $(@:onnx=seconds)' EXIT; \
	  flags=$$(cat $<); case $$flags in *--teacher*) learn=distill ;; *) learn=train ;; esac; \
	  emo $$learn $(ABLATION_FEATURES) $$flags --resume --scores $(@:onnx=jsonl) -o $@

$(A):
	mkdir -p $@
