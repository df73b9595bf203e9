#!/usr/bin/env bash
# A short AFL++ run: smoke.sh PROGRAM TARGET, the program built by afl-clang-fast++. Expects checkout-buggy to crash and
# its crash to replay with the same verdict, and any other target not to crash.
set -uo pipefail
program=$1
target=$2
seconds=${FUZZ_SECONDS:-12}                # of a target that must not crash
seconds_to_crash=${FUZZ_CRASH_SECONDS:-90} # of the one that must; it ends at the first crash

# The first crash that AFL++ saved, if any.
first_crash() { find "$1" -path '*/crashes/id:*' 2>/dev/null | sort | head -n 1; }

fuzz() {
  local limit=$seconds until_crash=()
  if [ "$target" = checkout-buggy ]; then
    limit=$seconds_to_crash
    until_crash=(AFL_BENCH_UNTIL_CRASH=1)
  fi
  local work
  work=$(mktemp -d) || return 1
  mkdir "$work/in"
  if ! "$program" fuzz "$target" --seed-inputs "$work/in"; then
    echo "$target: no inputs to start from"
    return 1
  fi
  # No terminal, no say in how the machine handles crashes or scales its clock; an input that hangs is one, too.
  env AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 \
    AFL_FORKSRV_INIT_TMOUT=30000 "${until_crash[@]}" \
    timeout -s INT -k 5 $((limit + 30)) \
    afl-fuzz -V "$limit" -t 2000+ -i "$work/in" -o "$work/out" -- "$program" fuzz "$target" >"$work/log" 2>&1
  local stats=$work/out/default/fuzzer_stats crash executions
  executions=$(sed -n 's/^execs_done *: *//p' "$stats" 2>/dev/null)
  crash=$(first_crash "$work/out")
  echo "$target: ${executions:-no} executions, $(sed -n 's/^execs_per_sec *: *//p' "$stats" 2>/dev/null) per second," \
    "stability $(sed -n 's/^stability *: *//p' "$stats" 2>/dev/null), ${crash:-no crash}"
  if [ "${executions:-0}" -eq 0 ]; then
    tail -n 40 "$work/log" >&2
    return 1
  fi
  judge "$crash" && rm -rf "$work"
}

# Whether that is what had to be found.
judge() {
  local crash=$1 told replayed status
  if [ "$target" != checkout-buggy ]; then
    [ -z "$crash" ] || "$program" replay "$target" --bytes "$crash" >&2
    [ -z "$crash" ]
    return
  fi
  if [ -z "$crash" ]; then
    echo "$target: the planted bug was not found"
    return 1
  fi
  # The fuzz program aborts and the scenario program explains, both with the same verdict.
  told=$("$program" fuzz "$target" "$crash" 2>&1 | grep -o 'oversold: .*' | head -n 1)
  replayed=$("$program" replay "$target" --bytes "$crash")
  status=$?
  if [ "$status" -ne 1 ] || [ -z "$told" ] || ! grep -qF "$told" <<<"$replayed"; then
    echo "$target: the crash does not replay: status $status, '$told'"
    echo "$replayed"
    return 1
  fi
}

if ! command -v afl-fuzz >/dev/null; then
  echo "SKIPPED: afl++ is not installed"
  exit 77
fi
if fuzz; then
  echo "1 passed, 0 failed"
else
  echo "0 passed, 1 failed"
  exit 1
fi
