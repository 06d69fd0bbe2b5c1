#!/usr/bin/env bash
# Faces in a video, a JSON line per frame: examples/video.sh MODEL.onnx VIDEO [flags of emo live]
set -euo pipefail
model=${1:?usage: examples/video.sh MODEL.onnx VIDEO [flags of emo live]}
video=${2:?usage: examples/video.sh MODEL.onnx VIDEO [flags of emo live]}
shift 2
emo live --model "$model" --source "$video" "$@" --json
