# start_vllm.sh with real processes and real signals; vLLM, the service and the warm-up are stand-ins (tests/fakes/container_process.py).
# test_start_vllm.py runs these tests, and sees that they notice a script that is broken.
load container.bash

@test "the service is stopped first, while vLLM can still answer" {
  start
  up
  signal TERM
  ends_with 0
  events_are "vllm start" "warmup --checks" "app start" "app TERM" "app end" "vllm TERM" "vllm end"
  nothing_left
}

@test "a SIGINT stops it like a SIGTERM" {
  start
  up
  signal INT
  ends_with 0
  last_events_are "app TERM" "app end" "vllm TERM" "vllm end"
}

@test "a SIGTERM that vLLM loses is said again" {
  order '{"vllm": {"loses_term": 2}}'
  start
  up
  signal TERM
  ends_with 0
  last_events_are "vllm TERM" "vllm TERM" "vllm TERM" "vllm end"
}

@test "a deaf vLLM is killed with its workers" {
  order '{"vllm": {"deaf": true, "worker": true}}'
  start VLM_STOP_TIMEOUT_S=1
  up
  signal TERM
  ends_with 0
  wait_until nothing_left
}

@test "vLLM comes back while the service goes on" {
  start
  up
  kill_vlm
  wait_until happened "vllm start" 2
  signal TERM
  ends_with 0
  [[ $(times "app start") == 1 ]]
}

@test "a failed vLLM gets a pause before it is started again, and a signal ends the pause" {
  start VLM_RESTART_PAUSE_S=3600
  up
  kill_vlm
  wait_until logged "started again in 60 s"
  sleep 1
  [[ $(times "vllm start") == 1 ]]
  signal TERM
  ends_with 0
}

@test "the pauses grow" {
  order '{"vllm": {"exit": 1}}'
  start VLM_RESTART_PAUSE_S=1 VLM_MAX_FAILURES=4
  for seconds in 1 2 4; do wait_until logged "started again in $seconds s"; done
  signal TERM
  ends_with 0
}

@test "repeated failures end with 70, exits with status 0 too" {
  order '{"vllm": {"exit": 0}}'
  start VLM_MAX_FAILURES=3
  ends_with 70
  events_are "vllm start" "vllm start" "vllm start"
}

@test "when vLLM fails for good the service is stopped politely" {
  start VLM_MAX_FAILURES=2
  up
  order '{"vllm": {"exit": 1}}'
  kill_vlm
  ends_with 70
  last_events_are "vllm start" "app TERM" "app end"
}

@test "failures are forgotten once vLLM has proved itself" {
  start VLM_MAX_FAILURES=2 VLM_PROVEN_S=0
  up
  for count in 2 3 4; do
    kill_vlm
    wait_until happened "vllm start" "$count"
    wait_until logged "vLLM is ready" "$count"
    # Proved at the next look, which is the one before vLLM is killed again.
    sleep 0.5
  done
}

@test "a vLLM that is never ready is started again" {
  order '{"vllm": {"never_ready": true}}'
  start VLM_START_TIMEOUT_S=1
  wait_until happened "vllm start"
  order '{}'
  up
  logged "was not ready within 1 s"
}

@test "a vLLM that hangs is started again" {
  start VLM_HANG_S=1
  up
  order '{"vllm": {"sick": true}}'
  wait_until logged "gave no healthy answer for 1 s"
  order '{}'
  wait_until happened "vllm start" 2
}

@test "a signal ends the wait for vLLM" {
  order '{"vllm": {"never_ready": true}}'
  start
  wait_until happened "vllm start"
  signal TERM
  ends_with 0
  nothing_left
}

@test "a signal ends the warm-up" {
  order '{"warmup": {"waits": true}}'
  start
  wait_until happened "warmup start"
  signal TERM
  ends_with 0
  [[ $(times "app start") == 0 ]]
  wait_until nothing_left
}

@test "a failed warm-up ends with 71 and starts no service" {
  order '{"warmup": {"exit": 3}}'
  start
  ends_with 71
  events_are "vllm start" "warmup --checks" "vllm TERM" "vllm end"
}

@test "the status of the service is the container's" {
  order '{"app": {"exit": 5}}'
  start
  ends_with 5
  last_events_are "vllm TERM" "vllm end"
}

@test "a service that ends for no reason is an error" {
  order '{"app": {"exit": 0}}'
  start
  ends_with 72
}

@test "a service that does not end is killed" {
  order '{"app": {"deaf": true}}'
  start APP_STOP_TIMEOUT_S=1
  up
  signal TERM
  ends_with 137
  nothing_left
}

only_the_service() { # only_the_service USE_VLM_API SETTING…
  start "${@:2}"
  up
  events_are "app start"
  [[ $(told app env) == *"\"USE_VLM_API\": \"$1\""* ]]
  logged "only the service"
}

@test "switched off, it is only the service" {
  only_the_service false USE_VLM_API=false
}

@test "without a GPU and a VLM elsewhere, it is only the service" {
  only_the_service false USE_VLM_API=
}

@test "with a VLM elsewhere, it is only the service, which asks that one" {
  only_the_service true USE_VLM_API= VLLM_URL=http://vlm.example:8080/v1
}

@test "told to use a VLM elsewhere, it starts none" {
  only_the_service true VLLM_URL=http://vlm.example:8080/v1
}

@test "with a GPU vLLM is started unasked, with its share of the memory" {
  start USE_VLM_API= VLM_GPU=true VLM_GPU_MEMORY=0.4
  up
  [[ $(told vllm args) == *'"--gpu-memory-utilization", "0.4"'* ]]
}

@test "extra arguments come last, and vLLM listens inside only" {
  start -- --dtype "a b" --max-model-len=1024
  up
  [[ $(told vllm args) == *'"--dtype", "a b", "--max-model-len=1024"]' ]]
  [[ $(told vllm args) == *'"--host", "127.0.0.1"'* ]]
}

@test "each process gets the settings that are its own, and no secret is logged" {
  start
  up
  [[ $(told vllm env) == '{"USE_VLM_API": "true", "VLM_GPU": "false", "VLM_TICK_S": "0.1", "VLLM_PLUGINS": "ocr_markdown", "HF_HUB_OFFLINE": "1"}' ]]
  [[ $(told app env) == '{"USE_VLM_API": "true", "CLOUDRU_S3_SECRET_KEY": "hush-hush"}' ]]
  never_logged hush-hush
}

@test "an impossible setting stops the start" {
  for setting in USE_VLM_API VLM_GPU; do
    start "$setting=perhaps"
    ends_with 64
    logged "$setting is true"
  done
}
