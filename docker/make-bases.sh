#!/usr/bin/env bash
# Makes images that docker/Dockerfile and docker-compose.yml can be based on, without a registry: for air-gapped machines and for CI.
#
#   lattice/base-node, lattice/base-cuda           a Debian; with the Node and npm of this machine; without CUDA
#   lattice/base-postgres, lattice/base-redis      Debian's Postgres and Redis
#
# Usage: docker/make-bases.sh [--force]             (one that exists is kept)
# Needs: docker, root, debootstrap, a Debian mirror ($MIRROR, default http://deb.debian.org/debian; $SUITE, default bookworm).
# Then:  docker compose --env-file docker/bases/images.env up --build
set -euo pipefail

mirror=${MIRROR:-http://deb.debian.org/debian}
suite=${SUITE:-bookworm}
force=no
case ${1:-} in
  '') ;;
  --force) force=yes ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

here=$(dirname "$(readlink -f "$0")")/bases
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

is_there() { [ $force = no ] && docker image inspect "lattice/base-$1" >/dev/null 2>&1; }
report() { echo "lattice/base-$1: $2, $(docker image inspect --format '{{.Size}}' "lattice/base-$1" | awk '{printf "%d MB", $1 / 1e6}')"; }

make_debian() {
  command -v debootstrap >/dev/null || { echo 'make-bases: debootstrap is missing; install it: sudo apt-get install debootstrap' >&2; exit 1; }
  # The certificates are those that this machine trusts: npm may have to pass a proxy of its network.
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/debian" "$mirror" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; return 1; }
  cp /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/"
  rm -rf "$work/debian/var/cache/apt/archives"/*.deb "$work/debian/var/lib/apt/lists"/*
  tar -C "$work/debian" --numeric-owner -c . | docker import --change 'CMD ["bash"]' - lattice/base-debian >/dev/null
}

make_context() {
  mkdir "$work/context"
  cp "$here"/* "$work/context/"
  cp "$(node -p process.execPath)" "$work/context/node"
  cp -rL "$(npm root --global)/npm" "$work/context/npm"
}

if is_there debian; then
  report debian 'is there'
else
  # Not after `&&`: there a failure would not end the script, and the next images would be asked of a registry.
  make_debian
  report debian made
fi
for name in node cuda postgres redis; do
  if is_there "$name"; then
    report "$name" 'is there'
    continue
  fi
  [ -d "$work/context" ] || make_context
  docker build --quiet --target "$name" --tag "lattice/base-$name" "$work/context" >/dev/null
  report "$name" made
done
