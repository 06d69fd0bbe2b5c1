#!/usr/bin/env bash
# Texture and gradients instead of pixels: LBP joined with HOG into a small perceptron, on drawn faces.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
emo features synthetic --extractor lbp+hog | emo train --arch mlp --epochs "${EPOCHS:-10}" --threads 1 -o "$work/mlp.onnx"
emo eval "$work/mlp.onnx" --split validation
emo replay "$work/mlp.onnx"
