#!/bin/sh
# Outlives its worker to end the worker's tasks: when the worker dies, however it dies, its end of our stdin closes.
#   $1      the worker's stamp, as in LATTICE_OWNER of each of its tasks' processes
#   stdin   +PGID when a task's process group begins, -PGID when it has ended, quit when the worker leaves in good order
trap '' HUP INT TERM
groups=' '
while IFS= read -r line; do
  case $line in
    +*) groups="$groups${line#+} " ;;
    -*) case $groups in *" ${line#-} "*) groups="${groups%% "${line#-}" *} ${groups#* "${line#-}" }" ;; esac ;;
    quit) exit 0 ;;
  esac
done

for group in $groups; do kill -9 -- "-$group" 2>/dev/null; done

# Those that left their group still have the mark in their environment. A round that finds none is the last.
for round in 1 2 3 4 5; do
  found=
  for dir in /proc/[0-9]*; do
    if tr '\0' '\n' 2>/dev/null <"$dir/environ" | grep -qF "LATTICE_OWNER=$1~"; then
      kill -9 "${dir#/proc/}" 2>/dev/null && found=yes
    fi
  done 2>/dev/null
  [ -n "$found" ] || exit 0
done
