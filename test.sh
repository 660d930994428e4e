#!/usr/bin/env bash
# Builds, checks and tests everything. The last line is always "N passed, N failed, N skipped"; the exit code is 0 only
# when nothing failed. What could not run to its end (a build, a crashed or hanging test host) counts as failed.
#
#   ./test.sh                          everything
#   ./test.sh --only Im.Core.Tests     one project of tests/, or "javascript"; no formatting, no packing
set -euo pipefail
cd "$(dirname "$0")"

# command:Debian package. What the tests need beside the .NET SDK; missing ones are installed with apt-get.
REQUIRED=(
  chromium:chromium # browser tests
  node:nodejs       # tests of clients/javascript
  mariadbd:mariadb-server # servers that tests start for themselves
  redis-server:redis-server
)
# Projects whose tests mostly wait, for servers, leases and timeouts: they run beside the others.
WAITING=(Im.ClusterTests Im.Storage.Redis.Tests Im.Storage.MySql.Tests Im.Outbox.Tests)
CONFIGURATION=Release
PROJECT_TIMEOUT=300 # seconds for one test project
BUILD_TIMEOUT=600   # seconds for the build

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en MSBUILDDISABLENODEREUSE=1

passed=0 failed=0 skipped=0
only=""
summed=false

# Everything that a run writes: test results, packages, and what tests put into TMPDIR.
work=$(mktemp -d)
mkdir "$work/tmp" "$work/results" "$work/packages"

# Whatever ends the script, the sum is the last line.
finish() {
  local code=$?
  rm -rf "$work"
  if ! $summed && ((code != 0 && failed == 0)); then
    failed=1
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  exit $((failed > 0 ? 1 : code))
}
trap finish EXIT

fail() {
  failed=$((failed + 1))
  echo "FAILED: $*"
}

step() {
  printf '\n== %s (%ds)\n' "$*" "$SECONDS"
}

require_commands() {
  local entry missing=()
  for entry in "${REQUIRED[@]}"; do
    command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
  done
  if ! command -v dotnet >/dev/null; then
    echo "The .NET SDK of global.json is missing: see https://dotnet.microsoft.com/download"
    exit 1
  fi
  ((${#missing[@]} > 0)) || return 0

  local sudo=""
  if ((EUID != 0)); then
    sudo=sudo
  fi
  if [[ -z $sudo ]] || sudo -n true 2>/dev/null; then
    step "install ${missing[*]}"
    if $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"; then
      return 0
    fi
  fi
  echo "The tests need these Debian packages. Type:"
  echo "    sudo apt-get install -y --no-install-recommends ${missing[*]}"
  exit 1
}

build() {
  step "build"
  local log="$work/build.log"
  if timeout "$BUILD_TIMEOUT" dotnet restore Im.Embedded.sln -v quiet >"$log" 2>&1 &&
    timeout "$BUILD_TIMEOUT" dotnet build Im.Embedded.sln --no-restore -c "$CONFIGURATION" -v quiet >>"$log" 2>&1; then
    tail -n 4 "$log"
  else
    # MSBuild repeats each error once at the end.
    grep -E '(error|warning) ' "$log" | sort -u || tail -n 50 "$log"
    fail "the build"
    exit 1
  fi
}

check_format() {
  step "formatting"
  # Code style is enforced by the build (EnforceCodeStyleInBuild); whitespace is left, and needs no second compilation.
  timeout 120 dotnet format whitespace . --folder --verify-no-changes || fail "formatting; type: dotnet format whitespace . --folder"
}

pack() {
  step "pack"
  local log="$work/pack.log"
  if timeout "$BUILD_TIMEOUT" dotnet pack Im.Embedded.sln --no-build -c "$CONFIGURATION" -o "$work/packages" -v quiet >"$log" 2>&1; then
    ls -1 "$work/packages"
    # Im.Repository.Tests looks into them.
    export IM_PACKAGES="$work/packages"
  else
    cat "$log"
    fail "dotnet pack"
  fi
}

# attribute FILE NAME: a number of the Counters element of a trx file.
attribute() {
  grep -o '<Counters [^>]*' "$1" | head -n 1 | grep -o "\b$2=\"[0-9]*\"" | grep -o '[0-9]*' || echo 0
}

test_dotnet() {
  local project=$1 name log trx code=0 ran ok bad
  name=$(basename "$project" .csproj)
  log="$work/results/$name.log"
  trx="$work/results/$name.trx"
  step "$name"
  TMPDIR="$work/tmp" timeout -k 10 "$PROJECT_TIMEOUT" dotnet test "$project" --no-build -c "$CONFIGURATION" \
    --logger "trx;LogFileName=$trx" --logger "console;verbosity=normal" >"$log" 2>&1 || code=$?

  if [[ ! -f $trx ]]; then
    cat "$log"
    fail "$name did not run to its end (exit code $code)"
    return
  fi

  ran=$(attribute "$trx" executed)
  ok=$(attribute "$trx" passed)
  bad=$((ran - ok))
  local skips=$(($(attribute "$trx" total) - ran))
  passed=$((passed + ok))
  failed=$((failed + bad))
  skipped=$((skipped + skips))
  if ((code != 0 || bad > 0)); then
    # Passed tests are one line each; everything else is why it failed.
    grep -vE '^(  Passed |\[xUnit.net )' "$log" || true
  fi
  if ((code != 0 && bad == 0)); then
    fail "$name did not run to its end (exit code $code)"
  elif ((code == 0 && ran + skips == 0)); then
    fail "$name ran no test"
  fi
  echo "$ok passed, $bad failed, $skips skipped"
}

# tap NAME FILE: a number of the summary that node writes at the end.
tap() {
  sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$2" | tail -n 1
}

test_javascript() {
  local log="$work/results/javascript.tap" code=0 ok bad skips options="" tests
  # Before Node 22 its own WebSocket is behind a flag.
  if (($(node --version | sed 's/v\([0-9]*\).*/\1/') < 22)); then
    options=--experimental-websocket
  fi
  step "javascript (node $(node --version))"
  # real-server.test.js needs a server and is run by Im.IntegrationTests.
  mapfile -t tests < <(cd clients/javascript && find test -name '*.test.js' ! -name real-server.test.js | sort)
  (cd clients/javascript && NODE_OPTIONS=$options TMPDIR="$work/tmp" timeout -k 10 "$PROJECT_TIMEOUT" \
    node --test --test-reporter=tap "${tests[@]}") >"$log" 2>&1 || code=$?
  ok=$(tap pass "$log")
  if [[ -z $ok ]]; then
    cat "$log"
    fail "the JavaScript tests did not run to their end (exit code $code)"
    return
  fi
  bad=$(($(tap fail "$log") + $(tap cancelled "$log")))
  skips=$(($(tap skipped "$log") + $(tap todo "$log")))
  passed=$((passed + ok))
  failed=$((failed + bad))
  skipped=$((skipped + skips))
  if ((code != 0 || bad > 0)); then
    cat "$log"
  fi
  if ((code != 0 && bad == 0)) || ((ok + bad + skips == 0)); then
    fail "the JavaScript tests did not run to their end (exit code $code)"
  fi
  echo "$ok passed, $bad failed, $skips skipped"
}

is_waiting() {
  [[ " ${WAITING[*]} " == *" $1 "* ]]
}

# Runs in a process of its own, so its numbers go through a file.
test_waiting() {
  local name
  passed=0 failed=0 skipped=0
  for name in "${WAITING[@]}"; do
    test_dotnet "tests/$name/$name.csproj"
  done
  echo "$passed $failed $skipped" >"$work/waiting.sum"
}

# add_waiting PID: what test_waiting said and counted.
add_waiting() {
  local code=0 ok bad skips
  wait "$1" || code=$?
  cat "$work/waiting.log"
  if ((code != 0)) || ! read -r ok bad skips <"$work/waiting.sum"; then
    fail "${WAITING[*]} did not run to their end (exit code $code)"
    return
  fi
  passed=$((passed + ok))
  failed=$((failed + bad))
  skipped=$((skipped + skips))
}

while (($# > 0)); do
  case $1 in
    --only)
      only=${2:?"--only needs the name of a project in tests/, or javascript"}
      shift 2
      ;;
    *)
      echo "Unknown argument $1; see the head of test.sh."
      exit 2
      ;;
  esac
done

require_commands

if [[ $only == javascript ]]; then
  test_javascript
elif [[ -n $only ]]; then
  project="tests/$only/$only.csproj"
  if [[ ! -f $project ]]; then
    echo "There is no $project."
    exit 2
  fi
  step "build"
  timeout "$BUILD_TIMEOUT" dotnet build "$project" -c "$CONFIGURATION" -v quiet || fail "the build"
  ((failed > 0)) || test_dotnet "$project"
else
  build
  check_format
  pack
  test_waiting >"$work/waiting.log" 2>&1 &
  waiting=$!
  # One after the other: many tests have deadlines, and two cores are enough for one project that works and one that waits.
  for project in tests/*/*Tests.csproj; do
    is_waiting "$(basename "$project" .csproj)" || test_dotnet "$project"
  done
  test_javascript
  add_waiting "$waiting"
fi

step "done"
summed=true
