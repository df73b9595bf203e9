#!/usr/bin/env bash
# Builds a small program the two ways in which others use Troupe: against an installed prefix through pkg-config, and
# with Troupe as a Meson subproject (as a shared library, so that this is covered too).
# Usage: tests/install/run.sh BUILD_DIR   (a compiled build whose prefix is BUILD_DIR/prefix, as ./check makes it)
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
compiler=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$build/prefix
passed=0
failed=0

# expect NAME COMMAND...: one case, its output shown only if it fails.
expect() {
  local name=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    tail -n 60 "$work/output"
  fi
}

install_it() {
  rm -rf "$prefix"
  meson install -C "$build" --quiet && [ -e "$prefix/lib/pkgconfig/troupe.pc" ]
}

# Every installed header, in one translation unit that sees nothing but the prefix.
compile_headers() {
  (cd "$prefix/include/troupe" && find . -name '*.hpp' | sed 's|^\./\(.*\)|#include <\1>|' | sort) >"$work/headers.cpp"
  [ -s "$work/headers.cpp" ] && $compiler -std=c++20 -Wall -Wextra -Werror -fsyntax-only \
    $(pkg-config --cflags troupe) "$work/headers.cpp"
}

build_against_prefix() {
  cp "$root/tests/install/consumer.cpp" "$work/consumer.cpp"
  (cd "$work" && $compiler -std=c++20 -Wall -Wextra -Werror consumer.cpp -o consumer $(pkg-config --cflags --libs troupe))
}

build_as_subproject() {
  mkdir -p "$work/project/subprojects"
  cp "$root/tests/install/subproject/meson.build" "$root/tests/install/consumer.cpp" "$work/project"
  ln -s "$root" "$work/project/subprojects/troupe"
  CXX="$(command -v ccache) $compiler" meson setup "$work/project/build" "$work/project" --wrap-mode=nodownload \
    -Ddefault_library=shared -Doptimization=0 -Ddebug=false &&
    ninja -C "$work/project/build" -j 2
}

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
expect "meson install" install_it
expect "the pkg-config file is readable" pkg-config --print-errors --exists troupe
expect "every installed header compiles" compile_headers
expect "a program builds against the prefix" build_against_prefix
expect "the program runs" timeout 60 "$work/consumer"
expect "a program builds with Troupe as a subproject" build_as_subproject
expect "that program runs" timeout 60 "$work/project/build/consumer"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
