#!/bin/sh
# Reads its input, a text as JSON, and hands over how many words and letters it has.
set -eu
words=$(tr -d '"' <"$LATTICE_INPUT" | wc -w)
letters=$(tr -cd '[:alpha:]' <"$LATTICE_INPUT" | wc -c)
echo "counted $words words"
printf '{"words": %d, "letters": %d}\n' "$words" "$letters" >"$LATTICE_OUTPUT"
