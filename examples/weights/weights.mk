# The models that ship, from the corpora, and the results in the README; included by the Makefile.
#     make weights FER2013=path/to/fer2013.csv FERPLUS=path/to/fer2013new.csv
#     make weights RAVDESS=path/to/RAVDESS
#     make weights GOEMOTIONS=path/to/goemotions
#     make results FER2013=… FERPLUS=… SEEDS='0 1 2'
#     make speedrun FER2013=… SEEDS='0 1 2'
#     make further FER2013=… | published FER2013=…
#     make distillation FER2013=…
# The models of a corpus are made when its files are named; FER2013's begin as FER+'s. PublicTest is the test part, which is
# scored once; a slice of Training chooses the epoch. `make -n weights` shows the steps.
.SECONDEXPANSION:
.PHONY: weights results scores speedrun further published distillation

FERPLUS ?=
SEED ?= 0
# the seeds that `make results` and `make speedrun` average over; the models that ship have the first
SEEDS ?= 0
WEIGHTS ?= emocli/weights
RESULTS ?= examples/results
# a folder of its own for each seed
W ?= $(OUT)/weights-$(SEED)

# The recipes: flags of emo train for a teacher, of emo distill for its student. $(TRAIN) is added to all of them.
SIZE ?= 48
TEACHER_FLAGS ?= --arch se-resnet --drop-leaks --mixup 0.2
PLAIN_FLAGS ?= --arch emotion-cnn -p width=64 --drop-leaks --mixup 0.2
STUDENT_FLAGS ?= --arch student --drop-leaks --mixup 0.2
ferplus.teacher ?= $(TEACHER_FLAGS) --epochs 56
ferplus.plain ?= $(PLAIN_FLAGS) --epochs 50
ferplus.student ?= $(STUDENT_FLAGS) --epochs 80
# the same with two layers fewer, begun as that student and taught by it: half as fast again
ferplus.short ?= $(STUDENT_FLAGS) -p blocks=1-2-3 --epochs 96 --optimizer muon --lr 0.002 --threads 1
fer2013.short ?= $(STUDENT_FLAGS) -p blocks=1-2-3 --epochs 100 --optimizer muon --lr 0.004 --teacher-flip --threads 1
ferplus.long ?= first
fer2013.long ?= second
# briefly and gently: what FER+ taught should last
fer2013.teacher ?= $(TEACHER_FLAGS) --epochs 16 --lr 0.0015
fer2013.plain ?= $(PLAIN_FLAGS) --epochs 16 --lr 0.0015
fer2013.student ?= $(STUDENT_FLAGS) --epochs 60 --lr 0.002
# once more, from where that left it, of better teachers than it had: it has taught the net of `make further`, which teaches
# it in turn
fer2013.again ?= $(STUDENT_FLAGS) --epochs 50 --optimizer muon --lr 0.002 --threads 1
# who teaches the student: nets unlike each other err on other faces, and INT8 answers three times as fast
ferplus.teachers ?= teacher
fer2013.teachers ?= teacher-int8 plain-int8
# who is calibrated and ships
ferplus.last ?= short
fer2013.last ?= short
# FER2013's nets begin as FER+'s: nearly the same faces, with labels of ten taggers each
fer2013.init ?= ferplus
# what a FER+ model is trained on: majority, votes or probability; majority is what all are scored on
FERPLUS_LABELS ?= probability
CALIBRATE_FLAGS ?=
QUANTIZE_FLAGS ?= --max-drop 0.5
# flags of emo train, for each budget in minutes
BUDGETS ?= 5 20 90
speedrun.5 ?= --arch emotion-cnn -p width=40 --optimizer muon --lr 0.008 --epochs 18 --rotate 8 --erase 0.1
speedrun.20 ?= --arch emotion-cnn -p width=64 --optimizer muon --epochs 50 --mixup 0.2 --rotate 15 --scale 0.2 --shift 0.1 --erase 0.4
speedrun.90 ?= --arch emotion-cnn -p width=80 --optimizer muon --epochs 112 --mixup 0.4 --rotate 15 --scale 0.2 --shift 0.1 --erase 0.5 --drop-leaks
FURTHER_FLAGS ?= --arch emotion-cnn -p width=80 --drop-leaks --optimizer muon --lr 0.002 --epochs 40 --mixup 0.2 \
  --rotate 15 --scale 0.2 --shift 0.1 --erase 0.4 --threads 1
# as others train: what PublicTest has too stays in Training, so a slice of that would choose an epoch by what was learned
PUBLISHED_FLAGS ?= $(filter-out --drop-leaks,$(FURTHER_FLAGS)) --keep last
# seconds for what is not training, where a wide net takes more than the script allows for 14 views of the test part
rest.20 ?= 90
rest.90 ?= 200

# what INT8 may lose of the validation part, of one actor's clips
ravdess.quantize ?= --max-drop 1
# the fold whose model ships, of the recipe in folds.mk: its figures are of actors that it never heard; where actors 21 to 24
# are missing, this one has the most to train on
SHIPPED_FOLD ?= 4

# what a teacher, the model that ships, brings the same student in the same small number of epochs
D ?= $(OUT)/distillation
# kept though they are only on the way: the next run begins where this one ended
.PRECIOUS: $(D)/%.onnx $(foreach name,further published speedrun-20 speedrun-90,$(OUT)/$(name)-%.onnx $(OUT)/int8-$(name)-%.onnx)
DISTILLATION_SEEDS ?= 0 1 2
DISTILLATION_FLAGS ?= --arch student --drop-leaks --epochs 16 --threads 1

CORPORA := fer2013 ferplus
SPEECH := ravdess
# what is asked for: all whose corpus is named, without any the faces
NAMED := $(strip $(if $(FER2013),fer2013 $(if $(FERPLUS),ferplus)) $(if $(RAVDESS),ravdess) $(if $(GOEMOTIONS),goemotions))
ROLES := teacher student student-int8
NAMES := $(foreach corpus,$(CORPORA),$(ROLES:%=$(corpus)-%))
SHIPPED := $(foreach corpus,$(or $(NAMED),$(CORPORA)),$(corpus).onnx $(corpus)-int8.onnx $(corpus).json)

weights: $(SHIPPED:%=$(WEIGHTS)/%)

$(CORPORA:%=$(WEIGHTS)/%.onnx) $(SPEECH:%=$(WEIGHTS)/%.onnx): $(WEIGHTS)/%.onnx: $(W)/%-student.onnx | $(WEIGHTS)
	cp $< $@

$(CORPORA:%=$(WEIGHTS)/%-int8.onnx) $(SPEECH:%=$(WEIGHTS)/%-int8.onnx): $(WEIGHTS)/%-int8.onnx: $(W)/%-student-int8.onnx | $(WEIGHTS)
	cp $< $@

# the card, NAME.md, is written with its figures
$(CORPORA:%=$(WEIGHTS)/%.json): $(WEIGHTS)/%.json: $(W)/%-student.json $(W)/%-student-int8.json $(W)/%-bench.jsonl | $(WEIGHTS)
	python examples/weights/card.py $* --fp32 $(W)/$*-student.onnx --int8 $(W)/$*-student-int8.onnx \
	  --scores $(W)/$*-student.json $(W)/$*-student-int8.json --bench $(W)/$*-bench.jsonl \
	  --seconds $(W)/$*-student.seconds --folder $(WEIGHTS)

$(SPEECH:%=$(WEIGHTS)/%.json): $(WEIGHTS)/%.json: $(W)/%-student.json $(W)/%-student-int8.json $(W)/%-bench.jsonl $(W)/%-real-time.json | $(WEIGHTS)
	python examples/weights/card.py $* --fp32 $(W)/$*-student.onnx --int8 $(W)/$*-student-int8.onnx \
	  --scores $(W)/$*-student.json $(W)/$*-student-int8.json --bench $(W)/$*-bench.jsonl \
	  --seconds $(W)/$*-student.seconds --folds $(RESULTS)/speech/$*.json --real-time $(W)/$*-real-time.json \
	  --folder $(WEIGHTS)

# a fold's features are what its model is scored on, test part included
$(SPEECH:%=$(W)/%.h5) $(SPEECH:%=$(W)/%-features.h5): $(RESULTS)/speech/$(SPEECH).json | $(W)
	cp $(F)/$(SPEECH)/$(SHIPPED_FOLD).h5 $@

$(SPEECH:%=$(W)/%-student.onnx): $(W)/%-student.onnx: $(RESULTS)/speech/%.json | $(W)
	cp $(F)/$*/$(SHIPPED_FOLD).onnx $@; SECONDS=$$(cut -d. -f1 $(F)/$*/$(SHIPPED_FOLD).seconds); $(STEPS)

$(SPEECH:%=$(W)/%-real-time.json): $(W)/%-real-time.json: $(W)/%-student-int8.onnx
	python examples/bench/real_time.py $< "$(RAVDESS)" > $@

# NAME.h5 is what is scored; for FER+ that is not what is trained on
$(W)/fer2013.h5: $(call spaced,$(FER2013)) | setup $(W)
	@test -n "$(FER2013)" || { echo "say where the corpus is: FER2013=path/to/fer2013.csv" >&2; exit 1; }
	emo dataset fer2013 "$(FER2013)" -p public_test=only --force -o $@

$(W)/ferplus.h5 $(W)/ferplus-train.h5: $(call spaced,$(FER2013)) $(call spaced,$(FERPLUS)) | setup $(W)
	@test -n "$(FER2013)" -a -n "$(FERPLUS)" || \
	  { echo "say where the corpora are: FER2013=path/to/fer2013.csv FERPLUS=path/to/fer2013new.csv" >&2; exit 1; }
	emo dataset ferplus "$(FER2013)" "$(FERPLUS)" -p public_test=only \
	  -p labels=$(if $(findstring -train,$@),$(FERPLUS_LABELS),majority) --force -o $@

$(W)/fer2013-features.h5: $(W)/fer2013.h5
$(W)/ferplus-features.h5: $(W)/ferplus-train.h5
$(CORPORA:%=$(W)/%-features.h5):
	emo features $< -p size=$(SIZE) --force -o $@

# NAME.steps has a line for each step that a net took, those of its teacher and of what it began as included; NAME.seconds
# is their sum
STEPS = { $(foreach each,$(filter $(W)/%.onnx,$^),cat $(each:onnx=steps);) $(BESIDES) echo "$(notdir $@) $$SECONDS"; } | sort -u | \
  tee $(@:onnx=steps) | awk '{ total += $$2 } END { print total }' > $(@:onnx=seconds)
INIT = $(if $($*.init),$(W)/$($*.init)-$(1).onnx)

define TAUGHT_BY_LABELS
$(CORPORA:%=$(W)/%-$(1).onnx): $(W)/%-$(1).onnx: $(W)/%-features.h5 $$$$(call INIT,$(1))
	emo train $$< $$($$*.$(1)) $$(addprefix --init ,$$(call INIT,$(1))) --seed $(SEED) $(TRAIN) --force -o $$@; $$(STEPS)
endef
$(foreach role,teacher plain,$(eval $(call TAUGHT_BY_LABELS,$(role))))

TEACHERS = $($*.teachers:%=$(W)/$*-%.onnx)
$(CORPORA:%=$(W)/%-distilled.onnx): $(W)/%-distilled.onnx: $$(TEACHERS) $(W)/%-features.h5 $$(call INIT,distilled)
	emo distill $< $(patsubst %,--teacher %,$(wordlist 2,9,$(TEACHERS))) --data $(W)/$*-features.h5 $($*.student) \
	  $(addprefix --init ,$(call INIT,distilled)) --seed $(SEED) $(TRAIN) --force -o $@; $(STEPS)

# who learned from softened answers is not sure enough of its own
CALIBRATED = emo calibrate $< --data $(lastword $^) $(CALIBRATE_FLAGS) --force -o $@; $(STEPS)
$(CORPORA:%=$(W)/%-student.onnx): $(W)/%-student.onnx: $(W)/%-$$($$*.last).onnx $(W)/%-features.h5
	$(CALIBRATED)

$(CORPORA:%=$(W)/%-first.onnx): $(W)/%-first.onnx: $(W)/%-distilled.onnx $(W)/%-features.h5
	$(CALIBRATED)

$(CORPORA:%=$(W)/%-second.onnx): $(W)/%-second.onnx: $(W)/%-again.onnx $(W)/%-features.h5
	$(CALIBRATED)

LONG = $(W)/$*-$($*.long)
$(CORPORA:%=$(W)/%-short.onnx): $(W)/%-short.onnx: $$(LONG)-int8.onnx $$(LONG).onnx $(W)/%-features.h5
	emo distill $< --data $(W)/$*-features.h5 $($*.short) --init $(word 2,$^) --seed $(SEED) $(TRAIN) --force -o $@; $(STEPS)

$(W)/fer2013-again.onnx: private BESIDES = echo "further $$(cat $(OUT)/further-$(SEED).seconds)"; \
  echo "speedrun-20 $$((2 * $$(cat $(OUT)/speedrun-20-$(SEED).seconds)))";
$(W)/fer2013-again.onnx: $(W)/%-again.onnx: $(OUT)/int8-further-$(SEED).onnx $(OUT)/int8-speedrun-20-$(SEED).onnx $(W)/%-first.onnx $(W)/%-features.h5
	emo distill $< --teacher $(word 2,$^) --data $(W)/$*-features.h5 $($*.again) --init $(word 3,$^) --seed $(SEED) $(TRAIN) \
	  --force -o $@; $(STEPS)

define QUANTIZED
$(W)/%-$(1)-int8.onnx: $(W)/%-$(1).onnx $(W)/%-features.h5
	emo quantize $$< --data $(W)/$$*-features.h5 $$(or $$($$*.quantize),$(QUANTIZE_FLAGS)) --force -o $$@; $$(STEPS)
endef
$(foreach role,teacher plain first second student,$(eval $(call QUANTIZED,$(role))))

$(W)/%-bench.jsonl: $(W)/%-student-int8.onnx $(W)/%-features.h5
	emo bench $< --data $(W)/$*-features.h5 --device host --threads 1 --json > $@

define SCORED
$(W)/%-$(1).json: $(W)/%-$(1).onnx $(W)/%.h5
	emo eval $$< --data $(W)/$$*.h5 --split test --json > $$@
endef
$(foreach role,$(ROLES),$(eval $(call SCORED,$(role))))

scores: $(NAMES:%=$(W)/%.json)

# Every model of every seed, then a row each in the README.
results: | setup
	for seed in $(SEEDS); do $(MAKE) scores SEED=$$seed; done
	$(foreach name,$(NAMES),python examples/results/record.py $(name) $(SEEDS:%=$(OUT)/weights-%/$(name)) \
	  -o $(RESULTS)/$(name).json;)
	python examples/results/table.py

speedrun: $(BUDGETS:%=speedrun-%)
	python examples/results/table.py

speedrun-%: | setup $(OUT)
	for seed in $(SEEDS); do \
	  REST=$(rest.$*) examples/bench/speedrun.sh "$(FER2013)" $* $(OUT)/speedrun-$*-$$seed $(speedrun.$*) --seed $$seed $(TRAIN); done
	python examples/results/record.py "fer2013 in $* minutes" $(SEEDS:%=$(OUT)/speedrun-$*-%) -o $(RESULTS)/speedrun-$*.json

# the net of 90 minutes, taught on by itself and FER2013's first student; its two threads count as two cores' minutes
further: $(SEEDS:%=$(OUT)/further-%.json)
	python examples/results/record.py "fer2013 of 90 minutes, taught further" $(SEEDS:%=$(OUT)/further-%) \
	  -o $(RESULTS)/fer2013-further.json
	python examples/results/table.py

# what that made, once more: by itself and the net of 20 minutes, on Training as it is published
published: $(SEEDS:%=$(OUT)/published-%.json)
	python examples/results/record.py "fer2013, taught further twice, on Training as published" $(SEEDS:%=$(OUT)/published-%) \
	  -o $(RESULTS)/fer2013-published.json
	python examples/results/table.py

$(OUT)/speedrun-20-%.onnx:
	$(MAKE) speedrun-20 SEEDS=$*

$(OUT)/speedrun-90-%.onnx:
	$(MAKE) speedrun-90 SEEDS=$*

define TEACHES
$(OUT)/int8-$(1)-%.onnx: $(OUT)/$(1)-%.onnx $(W)/fer2013-features.h5
	emo quantize $$< --data $$(lastword $$^) $(QUANTIZE_FLAGS) --force -o $$@
endef
$(foreach name,speedrun-20 speedrun-90 further,$(eval $(call TEACHES,$(name))))

# made anew where that can be; by itself `make further` takes the one that ships
FIRST_STUDENT = $(if $(FERPLUS),$(W)/fer2013-first-int8.onnx)
$(OUT)/further-%.onnx: $(OUT)/speedrun-90-%.onnx $(OUT)/int8-speedrun-90-%.onnx $$(FIRST_STUDENT) $(W)/fer2013-features.h5
	emo distill $(OUT)/int8-speedrun-90-$*.onnx --teacher $(or $(FIRST_STUDENT),fer2013-int8) --data $(W)/fer2013-features.h5 \
	  $(FURTHER_FLAGS) --init $< --seed $* $(TRAIN) --force -o $@; \
	  echo $$((SECONDS + 2 * $$(cat $(<:onnx=seconds)))) > $(@:onnx=seconds)

$(OUT)/published-%.onnx: $(OUT)/further-%.onnx $(OUT)/int8-further-%.onnx $(OUT)/int8-speedrun-20-%.onnx $(W)/fer2013-features.h5
	emo distill $(OUT)/int8-further-$*.onnx --teacher $(OUT)/int8-speedrun-20-$*.onnx --data $(W)/fer2013-features.h5 \
	  $(PUBLISHED_FLAGS) --init $< --seed $* $(TRAIN) --force -o $@; \
	  echo $$((SECONDS + $$(cat $(<:onnx=seconds)) + 2 * $$(cat $(OUT)/speedrun-20-$*.seconds))) > $(@:onnx=seconds)

$(foreach name,further published,$(SEEDS:%=$(OUT)/$(name)-%.json)): $(OUT)/%.json: $(OUT)/%.onnx $(W)/fer2013-features.h5
	emo eval $< --data $(W)/fer2013-features.h5 --split test --views 7 --flip --json > $@

distillation: $(foreach seed,$(DISTILLATION_SEEDS),$(D)/alone-$(seed).json $(D)/taught-$(seed).json)
	$(foreach one,alone taught,python examples/results/record.py "fer2013-student in few epochs, $(one)" \
	  $(DISTILLATION_SEEDS:%=$(D)/$(one)-%) -o $(RESULTS)/distillation-$(one).json;)
	python examples/results/table.py

$(D)/alone-%.onnx: $(W)/fer2013-features.h5 | $(D)
	emo train $< $(DISTILLATION_FLAGS) --seed $* $(TRAIN) --force -o $@; echo $$SECONDS > $(@:onnx=seconds)

$(D)/taught-%.onnx: $(W)/fer2013-features.h5 | $(D)
	emo distill fer2013 --data $< $(DISTILLATION_FLAGS) --seed $* $(TRAIN) --force -o $@; echo $$SECONDS > $(@:onnx=seconds)

$(D)/%.json: $(D)/%.onnx $(W)/fer2013.h5
	emo eval $< --data $(W)/fer2013.h5 --split test --json > $@

$(W) $(WEIGHTS) $(D):
	mkdir -p $@
