# Corpora of speech and of signals, scored on people whom nobody met: every fold, and the mean; included by the Makefile.
#     make speech RAVDESS=path/to/RAVDESS
#     make emodb EMODB=path/to/EmoDB
#     make iemocap IEMOCAP=path/to/IEMOCAP
#     make stress STRESS=path/to/Stress-Predict
#     make speech RAVDESS=path/to/RAVDESS JOBS=2
# The test part of a fold is scored once; its model is that of the last epoch, or c is chosen on each training speaker in
# turn. Models are kept in $(F), so that a run goes on where it was killed; remove $(F)/NAME after changing a recipe.
.PHONY: speech emodb iemocap stress

EMODB ?=
IEMOCAP ?=
STRESS ?=
F ?= $(OUT)/folds
# trainings at a time, each on the one thread that these recipes give it
JOBS ?= 1

# The recipes: flags of emo dataset, features and train, and where there are teachers, which train makes with seeds from 0,
# of distill.
# few actors are few voices: as many as can be are trained on, each in several pitches, rooms and noises
ravdess.dataset ?= --validation 0.08
ravdess.features ?= -x logmel -p mels=64 -p n_fft=1024 -p hop=256 -p top_db=0 --detector energy --copies 3 --effect pitch=-3:3 --effect speed=0.9:1.1 --effect noise=10:30 --effect reverb --effect-chance 0.5
# one actor is too few to choose an epoch by; microphones differ in level far more than these studios do
ravdess.net ?= --arch speech-resnet --batch 24 --keep last --ema 0.998 --pitch 0.1 --level 20 --threads 1
ravdess.train ?= $(ravdess.net) --epochs 25
# two nets that differ by chance alone are right about other clips; a third learns from both
ravdess.teachers ?= 2
ravdess.distill ?= $(ravdess.net) --epochs 30 --seed 2
ravdess.views ?= 7
# the same nets, scored on the rest of each actor's clips when two neutral ones have been heard, or one of each emotion, or
# eight of which nobody says what they are
ENROLLED := ravdess-neutral ravdess-each ravdess-any
ravdess-neutral.of ?= ravdess
ravdess-neutral.enrol ?= neutral=2
ravdess-each.of ?= ravdess
ravdess-each.enrol ?= each=1
ravdess-any.of ?= ravdess
ravdess-any.enrol ?= any=8
iemocap.features ?= $(ravdess.features)
iemocap.train ?= $(ravdess.train)
# four classes; too few clips for a net of their own, so it begins as the one that ships, which heard none of them
emodb.dataset ?= -p classes=4
emodb.features ?= $(ravdess.features)
emodb.train ?= --arch speech-resnet --init ravdess --batch 24 --keep last --ema 0.99 --lr 0.002 --epochs 20 --pitch 0.1 --threads 1
emodb.views ?= 7
# beside it 280 weights on 46 numbers of a clip, and what the field begins with: eGeMAPS into a support vector machine
emodb-logistic.dataset ?= $(emodb.dataset)
emodb-logistic.features ?= -x utterance+intonation -p intonation.fmin=50 -p intonation.fmax=500
emodb-logistic.train ?= --arch logistic -p choose=subjects --class-weights balanced --threads 1
emodb-egemaps.dataset ?= $(emodb.dataset)
emodb-egemaps.features ?= -x egemaps
emodb-egemaps.train ?= --arch svm -p choose=subjects --class-weights balanced --threads 1
# the state of somebody's body, each person left out in turn; then with some minutes of rest of each
stress.corpus ?= stress-predict
stress.train ?= --arch logistic -p choose=subjects --class-weights balanced --threads 1
stress-rest.of ?= stress
stress-rest.enrol ?= no-stress=5
# afterwards, when all of a person's recording is there
stress-after.corpus ?= $(stress.corpus)
stress-after.features ?= --by-person
stress-after.train ?= $(stress.train)

speech: $(RESULTS)/speech/ravdess.json $(ENROLLED:%=$(RESULTS)/speech/%.json)
	python examples/results/table.py

emodb: $(RESULTS)/speech/emodb.json $(RESULTS)/speech/emodb-logistic.json $(RESULTS)/speech/emodb-egemaps.json
	python examples/results/table.py

iemocap: $(RESULTS)/speech/iemocap.json
	python examples/results/table.py

stress: $(RESULTS)/signals/stress.json $(RESULTS)/signals/stress-rest.json $(RESULTS)/signals/stress-after.json
	python examples/results/table.py

# of the nets that this one trains
$(ENROLLED:%=$(RESULTS)/speech/%.json): $(RESULTS)/speech/ravdess.json
$(RESULTS)/signals/stress-rest.json: $(RESULTS)/signals/stress.json

# The corpus is the first word of a row's name, or called after it; $(TRAIN) is added to the flags of training. The script
# looks by itself what is there already, and leaves the row alone where it is the same.
define FOLDED
@test -n "$($(call CORPUS,$*))" || { echo "say where the corpus is: $(call CORPUS,$*)=path/to/it" >&2; exit 1; }
python examples/results/folds.py $* $(or $($(OF).corpus),$(call FIRST,$*)) "$($(call CORPUS,$*))" $(F)/$(OF) \
  --dataset='$($(OF).dataset)' --features='$($(OF).features)' --train='$($(OF).train) $(TRAIN)' \
  --teachers=$(or $($(OF).teachers),0) --distill='$($(OF).distill) $(TRAIN)' \
  --jobs=$(JOBS) --views=$(or $($(OF).views),1) $(addprefix --enrol=,$($*.enrol)) -o $@
endef
$(RESULTS)/speech/%.json: always | setup
	$(FOLDED)

$(RESULTS)/signals/%.json: always | setup
	$(FOLDED)

# whose nets a row is of: its own, or another row's
OF = $(or $($*.of),$*)
FIRST = $(firstword $(subst -, ,$(1)))
CORPUS = $(shell echo $(FIRST) | tr a-z A-Z)
