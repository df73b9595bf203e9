# Sourced by ./run and ./check: installs the Debian packages they need and the machine lacks.

# What building and running the library and the examples takes.
build_packages=(
  g++ meson ninja-build pkg-config ca-certificates
  libcaf-dev libboost1.81-dev libsqlite3-dev nlohmann-json3-dev libcli11-dev librange-v3-dev
)
# What the checks take on top.
check_packages=(
  git python3 doctest-dev clang-14 clang-format-14 libclang-rt-14-dev afl++ libglib2.0-dev
)
# What building for macOS and Windows takes (scripts/cross), beside doctest and what the library takes.
cross_packages=(ca-certificates python3-venv libboost1.81-dev nlohmann-json3-dev libcli11-dev doctest-dev)
windows_packages=(wine64)

# What the WebAssembly build and its tests take; without them that part is skipped.
wasm_packages=(emscripten nodejs node-typescript chromium)

# install_packages PACKAGE...: says what is missing and installs it; asks apt for nothing when nothing is missing.
# Everything it prints goes to stderr.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: please provide what these packages hold, if it is not there yet: $*" >&2
    return 0
  fi
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing with ${as_root[*]:+${as_root[*]} }apt-get: ${missing[*]}" >&2
  local log
  log=$(mktemp)
  # A failed update is no reason to stop: one unreachable third-party list fails it, and the install will tell.
  # --no-remove: never trade away something that the machine's owner has installed.
  timeout 300 "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq >"$log" 2>&1 || true
  if ! timeout 1200 "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 \
    install -y -qq --no-install-recommends --no-remove "${missing[@]}" >>"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    echo "Could not install: ${missing[*]}" >&2
    return 1
  fi
  rm -f "$log"
}
