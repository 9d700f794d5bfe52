#!/bin/sh
# Builds the release with Cowboy from Hex, or, where Hex cannot be reached, with the Cowboy that Debian's
# rabbitmq-server package brings. The package is unpacked here and never installed: it would start a broker.
set -eu
cd "$(dirname "$0")"
# Both, whichever it will be: the manifest names them as products.
mkdir -p deps vendor

if [ "${COWBOY_FROM:-}" != debian ] && mix local.hex --force --if-missing >/dev/null 2>&1 &&
  mix local.rebar --force --if-missing >/dev/null 2>&1 && mix deps.get --only prod; then
  exec mix release --overwrite
fi

echo "Hex cannot be reached; taking Cowboy from Debian's rabbitmq-server package" >&2
rm -rf vendor
mkdir vendor
cd vendor
apt-get download rabbitmq-server
dpkg-deb --extract rabbitmq-server_*.deb .
mkdir libs
for app in cowboy cowlib ranch; do
  found=$(find usr/lib/rabbitmq -maxdepth 4 -name "$app-[0-9]*" | head -n 1)
  case "$found" in
    *.ez) unzip -q "$found" -d libs ;;
    *) cp -r "$found" libs/ ;;
  esac
done
rm -rf usr etc var lib ./*.deb
cd ..
COWBOY_FROM=path ERL_LIBS="$PWD/vendor/libs" exec mix release --overwrite
