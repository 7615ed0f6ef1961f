#!/bin/sh
# Outlives its worker to end the worker's tasks: when the worker dies, however it dies, its end of our stdin closes.
#   $1      the worker's stamp, as in LATTICE_OWNER of each of its tasks' processes
#   $2...   folders with the control groups of tasks; none where there are none
#   stdin   +PGID when a task's process group begins, -PGID when it has ended, quit when the worker leaves in good order
trap '' HUP INT TERM
stamp=$1
shift
groups=' '
while IFS= read -r line; do
  case $line in
    +*) groups="$groups${line#+} " ;;
    -*) case $groups in *" ${line#-} "*) groups="${groups%% "${line#-}" *} ${groups#* "${line#-}" }" ;; esac ;;
    quit) exit 0 ;;
  esac
done

for group in $groups; do kill -9 -- "-$group" 2>/dev/null; done

# Whoever is in a control group is a task's, whatever it has made of itself. 0 is somebody in a namespace that can't be seen.
for folder; do
  for group in "$folder"/*/; do
    while read -r pid; do [ "$pid" = 0 ] || kill -9 "$pid"; done <"${group}cgroup.procs"
  done
done 2>/dev/null

# Those that left their group still have the mark in their environment. A round that finds none is the last.
for round in 1 2 3 4 5; do
  found=
  for dir in /proc/[0-9]*; do
    if tr '\0' '\n' 2>/dev/null <"$dir/environ" | grep -qF "LATTICE_OWNER=$stamp~"; then
      kill -9 "${dir#/proc/}" 2>/dev/null && found=yes
    fi
  done 2>/dev/null
  [ -n "$found" ] || break
done

# What is not empty yet is left to the next start of a worker.
for folder; do rmdir "$folder"/*/ "$folder"; done 2>/dev/null
exit 0
