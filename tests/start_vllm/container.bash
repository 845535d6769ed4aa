# What the tests of start_vllm.sh share: the script under test as a process of its own, stand-ins for what it starts, and what those tell.
#
# SCRIPT names the script under test; PATIENCE_S how long anything is waited for.
: "${PATIENCE_S:=60}"
PROJECT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
  export EVENTS=$BATS_TEST_TMPDIR/events ORDERS=$BATS_TEST_TMPDIR/orders.json
  log=$BATS_TEST_TMPDIR/log
  script_pid=""
  : >"$EVENTS"
  order '{}'
  cp "${SCRIPT:-$PROJECT/start_vllm.sh}" "$BATS_TEST_TMPDIR/start_vllm.sh"
}

teardown() {
  local pid
  if [[ -n $script_pid ]]; then kill -KILL "$script_pid" 2>/dev/null || true; fi
  for pid in $(pids); do kill -KILL "$pid" 2>/dev/null || true; done
  # Shown by bats when the test has failed.
  cat "$EVENTS" "$log"
}

start() { # start [NAME=VALUE…] [-- vLLM's argument…]
  local settings=()
  while (($# > 0)) && [[ $1 != -- ]]; do
    settings+=("$1")
    shift
  done
  # What runs in the background ignores SIGINT, and a shell cannot trap what it began with ignoring.
  env --ignore-environment --default-signal=INT PATH="$PATH" HOME="$BATS_TEST_TMPDIR" EVENTS="$EVENTS" ORDERS="$ORDERS" \
    VLM_COMMAND="$PROJECT/tests/fakes/container_process.py" APP_PYTHON="$PROJECT/tests/fakes/container_process.py" \
    VLLM_URL="http://127.0.0.1:$(free_port)/v1/markdown" USE_VLM_API=true VLM_GPU=false VLM_TICK_S=0.1 VLM_RESTART_PAUSE_S=0 \
    VLM_STOP_TIMEOUT_S=6 APP_STOP_TIMEOUT_S=6 CLOUDRU_S3_SECRET_KEY=hush-hush "${settings[@]}" \
    "$BATS_TEST_TMPDIR/start_vllm.sh" "${@:2}" >"$log" 2>&1 3>&- &
  script_pid=$!
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

order() { # order JSON: what the stand-ins do wrong from their next start on
  echo "$1" >"$ORDERS.part"
  mv "$ORDERS.part" "$ORDERS"
}

wait_until() { # wait_until COMMAND…
  local deadline=$((SECONDS + PATIENCE_S))
  until "$@"; do
    if ((SECONDS >= deadline)); then
      echo "waited in vain for: $*"
      return 1
    fi
    sleep 0.05
  done
}

signal() { # signal NAME
  kill "-$1" "$script_pid"
}

kill_vlm() {
  kill -KILL "$(awk '$1 == "vllm" && $2 == "start" { pid = $3 } END { print pid }' "$EVENTS")"
}

ended() {
  ! kill -0 "$script_pid" 2>/dev/null
}

ends_with() { # ends_with STATUS
  local status=0
  wait_until ended
  wait "$script_pid" || status=$?
  script_pid=""
  [[ $status == "$1" ]] || { echo "ended with status $status, not $1" && return 1; }
}

events() { # "vllm start", "app TERM" and so on, without environments, arguments and process numbers
  awk '$2 != "env" && $2 != "args" { print $1, $2 }' "$EVENTS"
}

events_are() { # events_are EVENT…: these, and no others
  local wanted
  wanted=$(printf '%s\n' "$@")
  [[ $(events) == "$wanted" ]] || { echo "events were to be: $wanted" && return 1; }
}

last_events_are() { # last_events_are EVENT…
  local wanted
  wanted=$(printf '%s\n' "$@")
  [[ $(events | tail -n $#) == "$wanted" ]] || { echo "the last events were to be: $wanted" && return 1; }
}

happened() { # happened EVENT [TIMES]: at least so often
  (($(events | grep --count --line-regexp "$1") >= ${2:-1}))
}

times() { # times EVENT
  events | grep --count --line-regexp "$1" || true
}

logged() { # logged TEXT [TIMES]: at least so often
  (($(grep --count --fixed-strings -- "$1" "$log") >= ${2:-1}))
}

never_logged() { # never_logged TEXT
  ! grep --quiet --fixed-strings -- "$1" "$log"
}

told() { # told ROLE WHAT: the JSON that the stand-in wrote about its arguments or its environment
  sed -n "s/^$1 $2 //p" "$EVENTS" | head -n 1
}

up() {
  wait_until happened "app start"
}

pids() {
  awk '$2 == "start" { print $3 }' "$EVENTS"
}

nothing_left() { # of all that was started, workers of vLLM included
  local pid state
  for pid in $(pids); do
    state=$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) || continue
    [[ $state == Z ]] || return 1
  done
}
