#!/usr/bin/env bash
# Pictures sorted by what their largest face shows: examples/which_label.sh MODEL.onnx PICTURE …  (tab separated)
set -euo pipefail
model=${1:?usage: examples/which_label.sh MODEL.onnx PICTURE …}
: "${2:?usage: examples/which_label.sh MODEL.onnx PICTURE …}"
shift
emo predict "$@" --model "$model" --json |
  python3 -c 'import json, sys
rows = [json.loads(line) for line in sys.stdin]
for label, path in sorted((row["faces"][0]["label"], row["path"]) for row in rows if row.get("faces")):
    print(f"{label}\t{path}")'
