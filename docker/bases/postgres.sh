#!/usr/bin/env bash
# Entry of the hand-made Postgres image: makes the cluster of POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB on the first start, then
# runs the given command as the user postgres.
set -euo pipefail

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$(dirname "$PGDATA")" /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?is not set}"
  # Made beside it: a start that is killed half way leaves nothing that looks finished.
  rm -rf "$PGDATA.new"
  initdb -D "$PGDATA.new" -U "$user" -A scram-sha-256 --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") -E UTF8 --locale=C.UTF-8
  printf "listen_addresses = '*'\n" >>"$PGDATA.new/postgresql.conf"
  printf 'local all all trust\nhost all all all scram-sha-256\n' >"$PGDATA.new/pg_hba.conf"
  [ "$database" = postgres ] || printf 'CREATE DATABASE "%s"\n' "$database" | postgres --single -D "$PGDATA.new" postgres >/dev/null
  rm -rf "$PGDATA"
  mv "$PGDATA.new" "$PGDATA"
fi
exec "$@"
