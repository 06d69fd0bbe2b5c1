#!/usr/bin/env bash
# FER2013: minutes and accuracy of se-resnet, its INT8 form and a distilled student, beside the published mini_XCEPTION.
#     examples/bench/fer2013.sh fer2013.csv OUT [fer2013_mini_XCEPTION.107-0.66.hdf5]
# PublicTest is the validation part. The machine should do nothing else: training takes about 40 minutes on two cores.
set -euo pipefail
csv=${1:?usage: examples/bench/fer2013.sh fer2013.csv OUT [mini_XCEPTION.hdf5]}
out=${2:?usage: examples/bench/fer2013.sh fer2013.csv OUT [mini_XCEPTION.hdf5]}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
TIMEFORMAT='%R s'

emo dataset fer2013 "$csv" -o "$out/dataset.h5" --force
emo features "$out/dataset.h5" -o "$out/features.h5" --force

echo "training the teacher:"; time emo train "$out/features.h5" --arch se-resnet -o "$out/teacher.onnx" --force
emo quantize "$out/teacher.onnx" --data "$out/features.h5" -o "$out/teacher-int8.onnx" --force
echo "distilling the student:"; time emo distill "$out/teacher.onnx" --data "$out/features.h5" --arch student -o "$out/student.onnx" --force
emo quantize "$out/student.onnx" --data "$out/features.h5" -o "$out/student-int8.onnx" --force

score() {  # NAME MODEL FEATURES
  emo eval "$2" --data "$3" --split validation --json |
    python3 -c 'import json, sys
row = json.load(sys.stdin)
names = ("accuracy", "macro_f1", "uar", "ece")
figures = ["%s %.4f [%.4f, %.4f]" % (name, row[name]["value"], row[name]["low"], row[name]["high"]) for name in names]
print("%-26s" % sys.argv[1], "n=%d" % row["accuracy"]["n"], *figures)' "$1"
}
for model in teacher teacher-int8 student student-int8; do score "$model" "$out/$model.onnx" "$out/features.h5"; done
if [ $# -ge 3 ]; then
  python "$here/published_mini_xception.py" "$3" "$out/peer.onnx"
  emo features "$out/dataset.h5" -p size=64 -o "$out/features64.h5" --force
  score "published mini_XCEPTION" "$out/peer.onnx" "$out/features64.h5"
fi
