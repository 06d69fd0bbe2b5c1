#!/usr/bin/env bash
# A model of your own texts, a table with columns text and label: examples/own_texts.sh TABLE.csv MODEL.onnx [flags of emo train]
set -euo pipefail
table=${1:?usage: examples/own_texts.sh TABLE.csv MODEL.onnx [flags of emo train]}
model=${2:?usage: examples/own_texts.sh TABLE.csv MODEL.onnx [flags of emo train]}
shift 2
emo dataset texts "$table" | emo features | emo train --arch text-cnn "$@" -o "$model"
emo eval "$model" --split test
