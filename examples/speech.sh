#!/usr/bin/env bash
# RAVDESS by actors: log-mel into a small residual net, each fold scored on actors it never heard, and all; then INT8.
# usage: examples/speech.sh RAVDESS [flags of emo train]; FOLDS, ARCH, RECIPE and EXTRACT change what is run
set -euo pipefail
ravdess=${1:?say where RAVDESS is: examples/speech.sh path/to/RAVDESS}
shift
extract=${EXTRACT:-"-x logmel -p mels=64 -p n_fft=1024 -p hop=256 -p top_db=0"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for fold in ${FOLDS:-1 2 3 4 5}; do
    # shellcheck disable=SC2086
    emo dataset ravdess "$ravdess" -p fold="$fold" | emo features $extract --detector energy -o "$work/$fold.h5"
    # small batches are many steps; the last of two equal flags wins
    emo train "$work/$fold.h5" --arch "${ARCH:-speech-resnet}" --threads 1 ${RECIPE---batch 24 --ema 0.99 --pitch 0.1} "$@" -o "$work/fold$fold.onnx"
done
emo eval "$work"/fold*.onnx --folds --threads 1 --json
emo quantize "$work/fold$fold.onnx" -o "$work/int8.onnx" && emo bench "$work/int8.onnx" --json || test $? = 3
