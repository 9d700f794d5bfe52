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
# Debian 13's has Cowboy 2.12, compiled for OTP 26 and newer; an older OTP comes with an older Debian's.
otp=$(erl -noshell -eval 'io:put_chars(erlang:system_info(otp_release)), halt().')
if [ "$otp" -lt 26 ] ||
  ! sh ../../src/contenders/unpack-debian.sh --alone "$PWD/vendor" trixie rabbitmq-server; then
  mkdir -p vendor
  (cd vendor && apt-get download rabbitmq-server && dpkg-deb --extract rabbitmq-server_*.deb .)
fi
cd vendor
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
