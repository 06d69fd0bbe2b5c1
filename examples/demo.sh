#!/usr/bin/env bash
# The whole way on drawn faces: dataset, features, teacher, student, INT8, bench, one picture. About a minute.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

echo "== teacher: a small convolutional net" >&2
emo features synthetic ${LIMIT:+--limit "$LIMIT"} | emo train --arch emotion-cnn --epochs "${EPOCHS:-6}" -o teacher.onnx

echo "== student: a smaller net with the teacher's help, then INT8, then its speed" >&2
emo distill teacher.onnx --arch student --epochs "${EPOCHS:-6}" -o student.onnx
emo quantize student.onnx -o student-int8.onnx

echo "== how good: validation part, 95 % intervals" >&2
emo eval student-int8.onnx --split validation --plot confusion.png --table

echo "== how fast: FP32 and INT8 side by side" >&2
emo bench student-int8.onnx --device host --table

echo "== one picture" >&2
emo predict "$here/face.png" --model student-int8.onnx --detector none --table
