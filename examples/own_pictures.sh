#!/usr/bin/env bash
# A model of your own pictures, one folder per emotion: examples/own_pictures.sh FOLDER MODEL.onnx [flags of emo train]
set -euo pipefail
folder=${1:?usage: examples/own_pictures.sh FOLDER MODEL.onnx [flags of emo train]}
model=${2:?usage: examples/own_pictures.sh FOLDER MODEL.onnx [flags of emo train]}
shift 2
# DETECTOR=none is for pictures that are cut to faces already
emo dataset folder "$folder" | emo features -p size=48 --detector "${DETECTOR:-auto}" | emo train --arch se-resnet "$@" -o "$model"
emo eval "$model" --split test
