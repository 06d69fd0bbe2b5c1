#!/usr/bin/env bash
# FER2013 from its csv to a student for a Raspberry Pi: examples/fer2013.sh path/to/fer2013.csv MODEL.onnx [flags of emo train]
set -euo pipefail
csv=${1:?usage: examples/fer2013.sh path/to/fer2013.csv MODEL.onnx [--epochs N …]}
model=${2:?usage: examples/fer2013.sh path/to/fer2013.csv MODEL.onnx [--epochs N …]}
shift 2
[[ ! -e $model ]] || { echo "$model is there already; name another file, or remove it" >&2; exit 1; }
emo dataset fer2013 "$csv" | emo features |
  emo train --arch se-resnet "$@" | emo distill --arch student "$@" | emo quantize -o "$model"
emo bench "$model" --device pi
