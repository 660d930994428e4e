#!/usr/bin/env bash
# Runs every scenario of the table in docs/performance.md and prints it in Markdown. For a quiet machine: nothing else may run.
#
#   benchmarks/table.sh                    all of it, about half an hour
#   REPEAT=1 SECONDS_EACH=3 benchmarks/table.sh     a quick look
#   STORES="sqlite" TRANSPORTS="tcp" benchmarks/table.sh
#
# Each cell is the median of REPEAT runs, taken in turn (all of them once, then again), so that a slow minute hits all alike. The JSON lines stay in $OUT.
set -euo pipefail
cd "$(dirname "$0")/.."

REPEAT=${REPEAT:-3}
STORES=${STORES:-sqlite mysql memory}
TRANSPORTS=${TRANSPORTS:-tcp ws}
SECONDS_EACH=${SECONDS_EACH:-10}
CONNECTIONS=${CONNECTIONS:-10000}
OUT=${OUT:-$(mktemp)}

dotnet build -c Release -v quiet benchmarks/Im.LoadGenerator >&2
generator=benchmarks/Im.LoadGenerator/bin/Release/net10.0/Im.LoadGenerator.dll
failures=0

# run NAME ARGUMENTS…: one line of JSON with the row's name in front.
run() {
  local name=$1 json code=0
  shift
  echo "   $name: $*" >&2
  json=$(dotnet "$generator" "$@" --json 2>>"$OUT.log" | tail -n 1) || code=$?
  if ((code != 0)); then
    echo "   exit code $code; see $OUT.log" >&2
    failures=$((failures + 1))
  fi
  [[ $json == {* ]] && printf '%s\t%s\n' "$name" "$json" >>"$OUT"
  return 0
}

: >"$OUT.log"
for ((i = 0; i < REPEAT; i++)); do
  for store in $STORES; do
    for transport in $TRANSPORTS; do
      common=(--store "$store" --transport "$transport")
      run "group 500 × 500 × 40, fan-out on write" group --fanout write "${common[@]}"
      run "group 500 × 500 × 40, fan-out on read" group --fanout read "${common[@]}"
      run "one message to 500 at a time, default fan-out" group --messages 1 --rounds 400 --warmup 400 "${common[@]}"
      run "200 messages/s × 500, default fan-out" open-loop --rate 200 --seconds "$SECONDS_EACH" "${common[@]}"
      run "1,000 messages/s × 100, fan-out on write" open-loop --rate 1000 --members 100 --fanout write --seconds "$SECONDS_EACH" "${common[@]}"
      run "4,000 messages/s × 500, default fan-out" open-loop --rate 4000 --seconds "$SECONDS_EACH" "${common[@]}"
      run "1:1, 64 senders" direct --seconds "$SECONDS_EACH" "${common[@]}"
      run "echo, 64 clients" echo --seconds "$SECONDS_EACH" "${common[@]}"
      run "slow: 1 % stopped" slow --slow-percent 1 --seconds "$SECONDS_EACH" "${common[@]}"
      run "slow: 10 % stopped" slow --slow-percent 10 --seconds "$SECONDS_EACH" "${common[@]}"
      run "storm of $CONNECTIONS" storm --connections "$CONNECTIONS" "${common[@]}"
      [[ $store == memory ]] || run "sync of 100,000" sync "${common[@]}"
      run "idle $CONNECTIONS" idle --connections "$CONNECTIONS" --seconds "$SECONDS_EACH" "${common[@]}"
    done
  done
done

dotnet "$generator" table "$OUT"
echo "JSON lines: $OUT" >&2
exit $((failures > 0))
