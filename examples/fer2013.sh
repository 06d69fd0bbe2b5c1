#!/usr/bin/env bash
# FER2013 from its csv to a student for a Raspberry Pi: examples/fer2013.sh path/to/fer2013.csv MODEL.onnx [flags of emo train]
set -euo pipefail
csv=${1:?usage: examples/fer2013.sh path/to/fer2013.csv MODEL.onnx [--epochs N …]}
model=${2:?usage: examples/fer2013.sh path/to/fer2013.csv MODEL.onnx [--epochs N …]}
shift 2
emo dataset fer2013 "$csv" --save --force
emo features fer2013 | emo train --arch se-resnet "$@" | emo distill --arch student "$@" | emo quantize --force -o "$model"
emo bench "$model" --device pi
