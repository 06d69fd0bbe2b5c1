#!/usr/bin/env bash
# From fer2013.csv to a scored model within a budget of minutes, everything on the clock:
#     examples/bench/speedrun.sh fer2013.csv MINUTES OUT [flags of emo train]
# PublicTest is the test part, where 14 views of a face answer together; a slice of Training chooses the epoch, by one view.
# OUT.onnx, .json and .seconds are the run, for examples/results/record.py. The machine should do nothing else.
set -euo pipefail
csv=${1:?usage: examples/bench/speedrun.sh fer2013.csv MINUTES OUT [flags of emo train]}
minutes=${2:?how many minutes}
out=${3:?where the run goes, without an ending}
shift 3
# seconds to start torch, to validate, to write the model and to score it, which emo train's own limit doesn't count
rest=${REST:-60}
export EMO_HOME="$out.home"
trap 'rm -rf "$out.home" "$out.h5"' EXIT

SECONDS=0
emo dataset fer2013 "$csv" -p public_test=only | emo features -p size=48 -o "$out.h5" --force
limit=$(awk -v budget="$minutes" -v spent="$((SECONDS + rest))" 'BEGIN { print budget - spent / 60 }')
emo train "$out.h5" "$@" --time-limit "$limit" -o "$out.onnx" --force
emo eval "$out.onnx" --data "$out.h5" --split test --views 7 --flip --json > "$out.json"
echo "$SECONDS" > "$out.seconds"
(( SECONDS <= $(awk -v budget="$minutes" 'BEGIN { print int(budget * 60) }') )) ||
  echo "$((SECONDS)) s are more than the $minutes minutes: raise REST from $rest" >&2
