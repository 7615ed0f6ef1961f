#!/usr/bin/env bash
# Entry of the hand-made Redis image: runs the given command as the user redis, reachable from other containers.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
  chown -R redis:redis /data
  exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
fi
if [ "$1" = redis-server ]; then set -- "$@" --protected-mode no --bind '*' '-::*'; fi
exec "$@"
