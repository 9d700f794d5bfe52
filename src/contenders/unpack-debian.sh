#!/bin/sh
# Unpacks packages of a Debian release, with all they depend on, in a folder of its own:
#
#   unpack-debian.sh [--alone] FOLDER RELEASE PACKAGE...
#
# With --alone, without what they depend on: for files that are no programs.
#
# Nothing is installed and no right is needed. The programs run on this system's kernel and on their own libraries,
# the C library among them, which they find by absolute paths: FOLDER must stay where it is. FOLDER/bin has the
# programs of the packages that are named.
set -eu
alone=false
if [ "$1" = --alone ]; then
  alone=true
  shift
fi
folder=$1 release=$2
shift 2
work=$folder.new
rm -rf "$work"
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/bin"
trap 'rm -rf "$work"' EXIT
cd "$work"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if [ ! -f "$keyring" ]; then
  # Not on Ubuntu, whose own packages bring it.
  (cd apt && apt-get download debian-archive-keyring && dpkg-deb --extract debian-archive-keyring_*.deb .)
  keyring=$work/apt$keyring
fi
# From where this system has its own packages, if it is a Debian.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' |
  grep -m 1 '^https\{0,1\}:') || mirror=http://deb.debian.org/debian
# A state of its own, in which nothing is installed; proxies stay as this system has them.
cat >apt.conf <<END
Dir::State "$work/apt";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "0";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "1";
Acquire::http::Timeout "15";
END
: >apt/status
echo "deb [signed-by=\"$keyring\"] $mirror $release main" >apt/sources.list
export APT_CONFIG="$work/apt.conf"
apt-get update --error-on=any
if $alone; then
  (cd apt/archives && apt-get download "$@")
else
  apt-get install --yes --download-only "$@" patchelf
fi
for package in apt/archives/*.deb; do dpkg-deb --extract "$package" .; done
if $alone; then
  rm -rf apt apt.conf bin "$folder"
  mv "$work" "$folder"
  exit
fi
programs=$(for package; do dpkg-deb --fsys-tarfile apt/archives/"${package}"_*.deb | tar --list; done |
  sed -n "s|^\\./usr/bin/\\(..*\\)|\\1|p")
rm -rf apt apt.conf

loader=$(find usr/lib -name 'ld-linux*.so.*' | head -n 1)
libraries=$(dirname "$loader")
patchelf() { "./$loader" --library-path "$libraries" usr/bin/patchelf "$@"; }
# Not libraries, which are found by the program that loads them: even the C library can be run, and is in use here.
find usr/bin usr/lib -type f -perm -u+x ! -name '*.so' ! -name '*.so.*' | while read -r file; do
  case $(head -c 4 "$file" | tr -d '\000') in
    '#!'*) sed -i "s|/usr/lib/|$folder/usr/lib/|g" "$file" ;;
    ?ELF)
      if patchelf --print-interpreter "$file" >/dev/null 2>&1 && [ "$file" != usr/bin/patchelf ]; then
        patchelf --set-interpreter "$folder/$loader" --force-rpath --set-rpath "$folder/$libraries" "$file"
      fi
      ;;
  esac
done
for program in $programs; do ln -s "../usr/bin/$program" "bin/$program"; done
rm -rf "$folder"
mv "$work" "$folder"
