# Texts: a small net from scratch on GoEmotions, in Ekman's emotions and neutral; included by the Makefile.
#     make texts GOEMOTIONS=path/to/goemotions SEEDS='0 1 2'
# The last epoch is kept, so the validation part has chosen nothing and is scored; with the published test part:
#     make texts GOEMOTIONS=path/to/goemotions SEEDS='0 1 2' TEXTS_SPLIT=test
.PHONY: texts

GOEMOTIONS ?=
TEXTS_SPLIT ?= validation
T ?= $(OUT)/texts
# half of the way to classes that count alike: neutral and happy are two thirds of the comments
goemotions.train ?= --logit-adjustment 0.5 --epochs 8 --keep last --threads 1

texts: $(foreach seed,$(SEEDS),$(T)/goemotions-$(seed).json $(T)/goemotions-int8-$(seed).json)
	python examples/results/record.py goemotions $(SEEDS:%=$(T)/goemotions-%) -o $(RESULTS)/goemotions.json
	python examples/results/record.py goemotions-int8 $(SEEDS:%=$(T)/goemotions-int8-%) -o $(RESULTS)/goemotions-int8.json
	python examples/results/table.py

# what ships is of the first seed
SHIPPED_TEXT = $(T)/goemotions-$(SEED)
$(WEIGHTS)/goemotions.onnx: $(SHIPPED_TEXT).onnx | $(WEIGHTS)
	cp $< $@

$(WEIGHTS)/goemotions-int8.onnx: $(T)/goemotions-int8-$(SEED).onnx | $(WEIGHTS)
	cp $< $@

$(WEIGHTS)/goemotions.json: $(SHIPPED_TEXT).json $(T)/goemotions-int8-$(SEED).json $(T)/goemotions-bench.jsonl | $(WEIGHTS)
	python examples/weights/card.py goemotions --fp32 $(SHIPPED_TEXT).onnx --int8 $(T)/goemotions-int8-$(SEED).onnx \
	  --scores $(wordlist 1,2,$^) --bench $(T)/goemotions-bench.jsonl --seconds $(SHIPPED_TEXT).seconds --folder $(WEIGHTS)

$(T)/goemotions-bench.jsonl: $(T)/goemotions-int8-$(SEED).onnx $(T)/goemotions-features.h5
	emo bench $< --data $(lastword $^) --device host --threads 1 --json > $@

# kept though they are only on the way: the next run begins where this one ended
.PRECIOUS: $(T)/goemotions-%.onnx $(T)/goemotions-int8-%.onnx

$(T)/goemotions.h5: | setup $(T)
	@test -n "$(GOEMOTIONS)" || { echo "say where the corpus is: GOEMOTIONS=path/to/goemotions" >&2; exit 1; }
	emo dataset goemotions "$(GOEMOTIONS)" --force -o $@

$(T)/goemotions-features.h5: $(T)/goemotions.h5
	emo features $< --force -o $@

$(T)/goemotions-%.onnx: $(T)/goemotions-features.h5
	emo train $< $(goemotions.train) --seed $* $(TRAIN) --force -o $@; echo $$SECONDS > $(@:onnx=seconds)

$(T)/goemotions-int8-%.onnx: $(T)/goemotions-%.onnx $(T)/goemotions-features.h5
	emo quantize $< --data $(lastword $^) --force -o $@; \
	  echo $$((SECONDS + $$(cat $(<:onnx=seconds)))) > $(@:onnx=seconds)

$(T)/%.json: $(T)/%.onnx $(T)/goemotions-features.h5
	emo eval $< --data $(lastword $^) --split $(TEXTS_SPLIT) --json > $@

$(T):
	mkdir -p $@
