#!/usr/bin/env bash
# Stress-Predict with one person left out, and what the model says of that person's recording, a line a window:
# examples/signals.sh STRESS_PREDICT [NUMBER]
set -euo pipefail
corpus=${1:?say where Stress-Predict is: examples/signals.sh path/to/Stress-Predict [NUMBER]}
person=${2:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
emo dataset stress-predict "$corpus" -p fold="$person" | emo features -o "$work/features.h5"
emo train "$work/features.h5" --arch logistic --class-weights balanced -o "$work/model.onnx"
# as anybody, and after some quiet windows of this person
emo eval "$work/model.onnx" --json
emo eval "$work/model.onnx" --enrol no-stress="${QUIET:-5}" --json
emo predict "$corpus/Raw_data/$(printf 'S%02d' "$person")" --model "$work/model.onnx" --json
