#!/usr/bin/env bash
# Starts and minds what a container runs: the VLM server, where it has one, and the service. Arguments go to `vllm serve`.
#
#   vLLM (127.0.0.1:8080) → ready → warm-up → service (0.0.0.0:8081); stopped the other way round, so that pages in flight can be finished.
#   vLLM ends, hangs or does not come up: started again with growing pauses, while the service goes on without it.
#
# Exit status: 0 stopped by SIGTERM or SIGINT; 64 wrong setting; 70 vLLM failed again and again; 71 the warm-up failed;
# 72 the service ended by itself without an error; anything else is the service's own status.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

: "${USE_VLM_API:=}"           # true, false; empty: as the machine is (a GPU, or a VLLM_URL that leads elsewhere)
: "${VLLM_URL:=http://127.0.0.1:8080/v1/markdown}"
: "${VLM_COMMAND:=/opt/vllm/bin/vllm}"
: "${VLM_MODEL:=${PADDLEX_HOME:-$HOME/.paddlex}/official_models/PaddleOCR-VL-1.5}"
: "${VLM_MODEL_NAME:=PaddleOCR-VL-1.5-0.9B}"
: "${VLM_GPU:=auto}"           # true, false; auto: whether there is a /dev/nvidia*
: "${VLM_GPU_MEMORY:=0.5}"     # vLLM's share of the GPU's memory; the rest is for layout and OCR
: "${VLM_WARMUP:=full}"        # full; contract: any answer of the right form will do; none
: "${VLM_START_TIMEOUT_S:=600}"
: "${VLM_HANG_S:=120}"         # without a healthy answer for so long it is killed
: "${VLM_STOP_TIMEOUT_S:=25}"
: "${VLM_MAX_FAILURES:=5}"     # in a row; healthy for VLM_PROVEN_S, and the count begins anew
: "${VLM_PROVEN_S:=300}"
: "${VLM_RESTART_PAUSE_S:=2}"  # doubles with every failure, up to a minute
: "${VLM_TICK_S:=1}"
: "${APP_PYTHON:=/opt/app/bin/python}"
: "${APP_STOP_TIMEOUT_S:=$((${OCR_SHUTDOWN_GRACE_S:-30} + 10))}"

readonly VLM_FAILED=70 WARMUP_FAILED=71 APP_ENDED=72 WRONG_SETTING=64
# Only this script's: the service does not get them. VLM_GPU_MEMORY and VLM_MODEL_NAME are the service's settings, too.
readonly OWN_SETTINGS=(VLM_COMMAND VLM_MODEL VLM_GPU VLM_WARMUP VLM_START_TIMEOUT_S VLM_HANG_S
  VLM_STOP_TIMEOUT_S VLM_MAX_FAILURES VLM_PROVEN_S VLM_RESTART_PAUSE_S VLM_TICK_S)

vlm_pid="" app_pid="" warmup_pid="" stop_signal=""
vlm_state="down" # down, starting, ready
vlm_failures=0 vlm_since=0 vlm_healthy_at=0 vlm_start_at=0

log() {
  TZ=UTC0 printf '%(%FT%TZ)T start_vllm: %s\n' -1 "$*" >&2
}

alive() { # alive PID
  [[ -n $1 ]] && kill -0 "$1" 2>/dev/null
}

pause() { # pause SECONDS: a signal ends it
  sleep "$1" &
  wait "$!" || true
}

vlm_address() {
  local rest=${VLLM_URL#*://}
  echo "${rest%%/*}"
}

is_local_vlm() {
  [[ $(vlm_address) =~ ^(127\.0\.0\.1|localhost)(:|$) ]]
}

has_gpu() {
  case $VLM_GPU in
    true) return 0 ;;
    false) return 1 ;;
    auto) compgen -G '/dev/nvidia[0-9]*' >/dev/null ;;
    *) log "VLM_GPU is true, false or auto, not '$VLM_GPU'" && exit "$WRONG_SETTING" ;;
  esac
}

choose() { # sets run_vlm, and USE_VLM_API for the service
  run_vlm=false
  case ${USE_VLM_API,,} in
    true | 1 | yes | on) USE_VLM_API=true ;;
    false | 0 | no | off) USE_VLM_API=false && log "USE_VLM_API is off: no VLM, only the service" ;;
    "") choose_by_machine ;;
    *) log "USE_VLM_API is true or false, not '$USE_VLM_API'" && exit "$WRONG_SETTING" ;;
  esac
  if [[ $USE_VLM_API == true ]]; then
    if is_local_vlm; then run_vlm=true; else log "The VLM is at $(vlm_address | sed 's/.*@//'): no vLLM here, only the service"; fi
  fi
  export USE_VLM_API VLLM_URL
}

choose_by_machine() {
  if has_gpu || ! is_local_vlm; then
    USE_VLM_API=true
  else
    USE_VLM_API=false
    log "No GPU, and no VLM in VLLM_URL: only the service; USE_VLM_API=true would start vLLM all the same"
  fi
}

start_vlm() {
  local address port arguments name without=(-u VLLM_URL)
  address=$(vlm_address)
  port=${address##*:}
  [[ $port =~ ^[0-9]+$ ]] || port=80
  arguments=(serve "$VLM_MODEL" --served-model-name "$VLM_MODEL_NAME" --host 127.0.0.1 --port "$port"
    --max-model-len 16384 --max-num-batched-tokens 16384 --limit-mm-per-prompt '{"image":1}'
    --mm-processor-kwargs '{"max_pixels": 1003520}'           # 1280 tokens a picture, as PaddleX's pipeline asks for
    --no-enable-prefix-caching --mm-processor-cache-gb 0      # crops do not repeat
    --allowed-media-domains none.invalid                      # nobody makes the server fetch an address
    --disable-access-log-for-endpoints "/health,/metrics"
    --shutdown-timeout "$((VLM_STOP_TIMEOUT_S > 5 ? VLM_STOP_TIMEOUT_S - 5 : 0))")
  if has_gpu; then arguments+=(--gpu-memory-utilization "$VLM_GPU_MEMORY"); fi
  log "Starting vLLM (failures so far: $vlm_failures)"
  # The service's settings are not its business, least of all the keys among them.
  for name in $(compgen -e); do
    case $name in OCR_* | CLOUDRU_* | VLM_API_KEY) without+=(-u "$name") ;; *) ;; esac
  done
  # A session of its own: its workers can outlive it, and are killed as a group. It needs no network.
  env "${without[@]}" VLLM_PLUGINS="${VLLM_PLUGINS:-ocr_markdown}" \
    HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 setsid "$VLM_COMMAND" "${arguments[@]}" "$@" &
  vlm_pid=$! vlm_state=starting vlm_since=$SECONDS
}

vlm_answers() {
  curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null "http://$(vlm_address)/health"
}

kill_vlm() { # what is left of it, workers included
  [[ -n $vlm_pid ]] || return 0
  kill -KILL -- "-$vlm_pid" 2>/dev/null || true
  wait "$vlm_pid" 2>/dev/null || true
  vlm_pid=""
}

vlm_failed() { # vlm_failed REASON: down now, and up again after a pause
  local pause_s
  kill_vlm
  vlm_failures=$((vlm_failures + 1))
  pause_s=$((VLM_RESTART_PAUSE_S << (vlm_failures - 1)))
  if ((pause_s > 60)); then pause_s=60; fi
  vlm_state=down
  vlm_start_at=$((SECONDS + pause_s))
  log "vLLM $1 (failure $vlm_failures of $VLM_MAX_FAILURES in a row)"
  if ((vlm_failures < VLM_MAX_FAILURES)); then log "vLLM is started again in $pause_s s"; fi
}

look_after_vlm() { # one look; arguments are vLLM's
  case $vlm_state in
    down)
      if ((vlm_failures >= VLM_MAX_FAILURES)); then
        log "Giving up on vLLM"
        stop_all
        exit "$VLM_FAILED"
      elif ((SECONDS >= vlm_start_at)); then
        start_vlm "$@"
      fi
      ;;
    *) look_at_running_vlm ;;
  esac
}

look_at_running_vlm() {
  local status=0
  if ! alive "$vlm_pid"; then
    # Its status says nothing: with a dead engine it is 0.
    wait "$vlm_pid" || status=$?
    vlm_failed "ended with status $status"
  elif vlm_answers; then
    if [[ $vlm_state == starting ]]; then
      log "vLLM is ready after $((SECONDS - vlm_since)) s"
      vlm_state=ready vlm_since=$SECONDS
    fi
    vlm_healthy_at=$SECONDS
    if ((vlm_failures > 0 && SECONDS - vlm_since >= VLM_PROVEN_S)); then vlm_failures=0; fi
  elif [[ $vlm_state == starting ]] && ((SECONDS - vlm_since >= VLM_START_TIMEOUT_S)); then
    vlm_failed "was not ready within $VLM_START_TIMEOUT_S s"
  elif [[ $vlm_state == ready ]] && ((SECONDS - vlm_healthy_at >= VLM_HANG_S)); then
    vlm_failed "gave no healthy answer for $VLM_HANG_S s"
  fi
}

warm_up() {
  local status=0
  [[ $VLM_WARMUP != none ]] || return 0
  "$APP_PYTHON" warmup_vllm.py --checks "$VLM_WARMUP" &
  warmup_pid=$!
  wait "$warmup_pid" || status=$?
  leave_if_asked
  warmup_pid=""
  if ((status != 0)); then
    log "The warm-up failed with status $status"
    stop_all
    exit "$WARMUP_FAILED"
  fi
}

start_app() {
  local without=()
  for name in "${OWN_SETTINGS[@]}"; do without+=(-u "$name"); done
  env "${without[@]}" "$APP_PYTHON" server_vllm.py &
  app_pid=$!
}

stop_app() { # returns its status
  local status=0 deadline=$((SECONDS + APP_STOP_TIMEOUT_S))
  [[ -n $app_pid ]] || return 0
  kill -TERM "$app_pid" 2>/dev/null || true
  while alive "$app_pid" && ((SECONDS < deadline)); do pause 0.1; done
  if alive "$app_pid"; then
    log "The service did not end in time"
    kill -KILL "$app_pid" 2>/dev/null || true
  fi
  wait "$app_pid" || status=$?
  app_pid=""
  return "$status"
}

stop_vlm() {
  local deadline=$((SECONDS + VLM_STOP_TIMEOUT_S)) looks=0
  [[ -n $vlm_pid ]] || return 0
  # Said again every second: while its engine starts, vLLM loses a SIGTERM.
  while alive "$vlm_pid" && ((SECONDS < deadline)); do
    if ((looks++ % 10 == 0)); then kill -TERM "$vlm_pid" 2>/dev/null || true; fi
    pause 0.1
  done
  if alive "$vlm_pid"; then log "vLLM did not end in time"; fi
  kill_vlm
}

stop_all() { # the service first, while vLLM can still answer; returns the service's status
  local status=0
  trap '' TERM INT
  if alive "$warmup_pid"; then kill -TERM "$warmup_pid"; fi
  stop_app || status=$?
  stop_vlm
  return "$status"
}

leave_if_asked() {
  local status=0
  [[ -n $stop_signal ]] || return 0
  log "Stopping on SIG$stop_signal"
  stop_all || status=$?
  exit "$status"
}

mind() { # until a signal comes or the service ends; arguments are vLLM's
  local status=0
  while alive "$app_pid"; do
    leave_if_asked
    if [[ $run_vlm == true ]]; then look_after_vlm "$@"; fi
    leave_if_asked
    pause "$VLM_TICK_S"
  done
  leave_if_asked
  wait "$app_pid" || status=$?
  app_pid=""
  log "The service ended by itself with status $status"
  stop_vlm
  if ((status == 0)); then status=$APP_ENDED; fi
  exit "$status"
}

main() {
  trap 'stop_signal=TERM' TERM
  trap 'stop_signal=INT' INT
  # Whatever goes wrong here, nothing is left running.
  trap 'kill_vlm; if [[ -n $app_pid ]]; then kill -KILL "$app_pid" 2>/dev/null || true; fi' EXIT
  choose
  if [[ $run_vlm == true ]]; then
    while [[ $vlm_state != ready ]]; do
      look_after_vlm "$@"
      leave_if_asked
      [[ $vlm_state == ready ]] || pause "$VLM_TICK_S"
      leave_if_asked
    done
    warm_up
  fi
  start_app
  mind "$@"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
