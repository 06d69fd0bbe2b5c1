#!/usr/bin/env bash
# FER2013 from its csv to a student on a Raspberry Pi: examples/fer2013.sh path/to/fer2013.csv [flags of emo train]
set -euo pipefail
csv=${1:?usage: examples/fer2013.sh path/to/fer2013.csv [--epochs N …]}
shift
emo dataset fer2013 "$csv" --save --force
emo features fer2013 | emo train --arch se-resnet "$@" | emo distill --arch mobilenetv2 "$@" | emo quantize | emo bench --device pi
