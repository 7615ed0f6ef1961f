#!/usr/bin/env bash
# Makes the images that code tasks of level docker run in, without a registry: for air-gapped machines and for CI.
#
#   lattice/node     the Node of this machine, a shell, and the libraries both need
#   lattice/python   Debian's Python 3, a shell and coreutils, from its packages (downloaded, not installed)
#
# Usage: docker/make-images.sh [--force] [node] [python]      (both, when none is named; an image that exists is kept)
# Needs: docker; for python also apt-get with package lists (apt-get update) and dpkg-deb.
set -euo pipefail

force=no
wanted=()
for argument in "$@"; do
  case $argument in
    --force) force=yes ;;
    node | python) wanted+=("$argument") ;;
    *)
      sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
      exit 2
      ;;
  esac
done
[ ${#wanted[@]} -gt 0 ] || wanted=(node python)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The folders every image has; bin and lib are links, as Debian's packages expect.
new_root() {
  local root=$1
  mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,etc,tmp,root,proc,sys,dev,work}
  chmod 1777 "$root/tmp"
  for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
}

# A program under a path of the image, with every library it is linked to (at their own paths).
copy_program() {
  local root=$1 source=$2 target=$3 library
  install -D -m 755 "$(readlink -f "$source")" "$root$target"
  ldd "$(readlink -f "$source")" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    [ -e "$root$library" ] || cp -L "$library" "$root$library"
  done
}

make_node() {
  local root=$work/node
  new_root "$root"
  copy_program "$root" "$(node -p process.execPath)" /usr/bin/node
  copy_program "$root" /bin/sh /usr/bin/sh
}

make_python() {
  local root=$work/python debs=$work/debs packages
  new_root "$root"
  mkdir "$debs"
  # Everything python3 depends on, but what only serves the installing of packages.
  packages=$(apt-cache depends --recurse --important python3 dash coreutils | grep '^[a-z]' | sort -u |
    grep -Ev '^(perl.*|libperl.*|dpkg|tar|mailcap|mime-support|install-info|debianutils|readline-common|gcc-.*-base)$')
  # shellcheck disable=SC2086 # a list of words
  (cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download $packages)
  local deb
  for deb in "$debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root" \
      --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' --exclude='./usr/share/info'
  done
  [ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
}

for name in "${wanted[@]}"; do
  image=lattice/$name
  if [ $force = no ] && docker image inspect "$image" >/dev/null 2>&1; then
    echo "$image: is there"
    continue
  fi
  "make_$name"
  tar -C "$work/$name" --numeric-owner --owner=0 --group=0 -c . |
    docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' --change 'WORKDIR /work' - "$image" >/dev/null
  rm -rf "${work:?}/$name"
  echo "$image: made, $(docker image inspect --format '{{.Size}}' "$image" | awk '{printf "%d MB", $1 / 1e6}')"
done
