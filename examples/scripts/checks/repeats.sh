#!/bin/sh
# Knows nothing of Lattice: shows the words that come more than once among its arguments, and ends with 3 when there are some.
repeats=$(for word in $*; do echo "$word"; done | sort | uniq -d)
[ -z "$repeats" ] || { echo "$repeats"; exit 3; }
