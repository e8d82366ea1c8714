#!/usr/bin/env bash
# Rasid and others between two topics of one real broker.
#   run.sh build                    everything that the other verbs run, into target/
#   run.sh rates [NAME]…            articles/s, CPU-seconds a million (the program's, the broker's, nobody's), peak memory;
#                                   all programs, or those named
#   run.sh latency                  1,000 articles/s, from end to end
#   run.sh start                    from the start of the process to the first record; rasid classify of one article
#   run.sh backlog                  peak memory under a backlog
#   run.sh grow                     rate and processor time by partitions and by length of the article
#   run.sh table                    the figures of all rounds so far, as Markdown
#   run.sh quick                    rates, latency and start in their shortest form, under three minutes
# Settings, by environment:
#   ROUNDS=5 ARTICLES=200000 PARTITIONS=4 BACKLOG=1000000 RATE=1000 SECONDS_EACH=30
#   COLD=1                          rates without its first round, which warms the broker up and is not counted
#   RASID=target/release/rasid      the program to measure
#   RASID_ARGUMENTS=''              more for `rasid run`
#   SHADOW=target/bench-kafka/shadow.safetensors   the second model of 'Rasid, shadow'; by default trained without keyword lists
#   RASID_EVAL=../shared/eval       its topic-ar-sanad.jsonl gives the texts; without it our own examples do
#   RESULTS=target/bench-kafka/results.tsv   figures are appended: remove it to begin anew
#   SCRATCH=/tmp                    where the broker keeps its topics
# Each program keeps what it needs to do: every record consumed, produced with its key, and its offset committed.
# The first quarter of the articles warms up; rate and processor time are those of the rest. The broker
# and the watcher run on the same cores and are not counted as the program's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
cache=target/bench-kafka
mkdir -p "$cache"
: "${ROUNDS:=5}" "${ARTICLES:=200000}" "${PARTITIONS:=4}" "${BACKLOG:=1000000}" "${RATE:=1000}" "${SECONDS_EACH:=30}"
: "${RASID:=target/release/rasid}" "${RASID_ARGUMENTS:=}" "${RASID_EVAL:=../shared/eval}" "${SCRATCH:=${TMPDIR:-/tmp}}"
: "${RESULTS:=$cache/results.tsv}" "${SHADOW:=$cache/shadow.safetensors}"
bench=target/release/examples/kafka-bench

if [ -e "$RASID_EVAL/topic-ar-sanad.jsonl" ]; then
  texts=(--texts "$RASID_EVAL/topic-ar-sanad.jsonl")
else
  texts=(--bytes 3900 --texts models/examples/ar/[01]*.jsonl)
fi

build() {
  cargo build --release --locked --bin rasid --example kafka-bench
  tests/kafka/kafka.sh get
  if [ ! -e "$cache/streams/.complete" ]; then
    mvn -q -B -f "$here/streams/pom.xml" dependency:copy-dependencies -DoutputDirectory="$root/$cache/streams" -DincludeScope=runtime
    touch "$cache/streams/.complete"
  fi
  javac -cp "$cache/streams/*" -d "$cache/streams" "$here/streams/Pass.java"
  (cd "$here/benthos" && go build -o "$root/$cache/benthos" .)
  if [ ! -e "$cache/venv/.complete" ]; then
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" install -q -r "$here/requirements.txt"
    touch "$cache/venv/.complete"
  fi
}

start_broker() {
  folder=$(mktemp -d "$SCRATCH/rasid-bench.XXXXXX")
  port=$("$bench" port)
  brokers=127.0.0.1:$port
  tests/kafka/kafka.sh run "$port" "$folder" > "$folder/log" 2>&1 &
  broker=$!
  trap 'kill $broker 2>/dev/null; wait $broker 2>/dev/null || true; rm -rf "$folder"' EXIT
  "$bench" wait "$brokers"
  "$bench" create "$brokers" dead-letters 1
  "$bench" create "$brokers" disagreements "$PARTITIONS"
  number=0
  # a broker that has just started is slow: its first client is not measured
  input=warm-up partitions=$PARTITIONS
  fill $input "$partitions" 20000
  RESULTS=/dev/null race 'rdkafka passing through' 1 20000 'broker warming up, not counted'
}

fill() { # TOPIC PARTITIONS ARTICLES [MORE]…
  local topic=$1 partitions=$2 articles=$3
  shift 3
  "$bench" create "$brokers" "$topic" "$partitions"
  [ "$articles" = 0 ] || "$bench" fill "$brokers" "$topic" --articles "$articles" "${texts[@]}" "$@"
}

# The command of a program between $input and $output in the group $group, into the array `command`.
command_of() {
  case $1 in
    'rdkafka passing through') command=("$bench" pass "$brokers" "$input" "$output" "$group") ;;
    'rdkafka passing through, linger 0') command=("$bench" pass "$brokers" "$input" "$output" "$group" -P linger.ms=0) ;;
    # what Rasid sets of librdkafka, and half of what it has in flight: the other half is inputs
    'rdkafka passing through, set as Rasid')
      command=("$bench" pass "$brokers" "$input" "$output" "$group" -P linger.ms=2 -P max.in.flight=1
        -P message.copy.max.bytes=1024 -P queue.buffering.max.kbytes=5120 -C queued.max.messages.kbytes=1024
        -C max.partition.fetch.bytes=524288 -C fetch.max.bytes=2097152 -C fetch.wait.max.ms=100) ;;
    'rdkafka in transactions') command=("$bench" pass "$brokers" "$input" "$output" "$group" --transactions "${TRANSACTIONS:-500}") ;;
    Benthos | 'Benthos, its defaults')
      local settings=tuned
      [ "$1" = Benthos ] || settings=defaults
      command=(env "BROKERS=$brokers" "INPUT=$input" "OUTPUT=$output" "GROUP=$group" "$cache/benthos" -c "$here/benthos/$settings.yaml") ;;
    'Kafka Streams') command=(java -Xmx1g -cp "$cache/streams:$cache/streams/*" Pass "$brokers" "$input" "$output" "$group" "$folder/streams") ;;
    'Kafka Streams, exactly once')
      command=(java -Xmx1g -cp "$cache/streams:$cache/streams/*" Pass "$brokers" "$input" "$output" "$group" "$folder/streams" processing.guarantee=exactly_once_v2) ;;
    'Python, tagging') command=("$cache/venv/bin/python" "$here/tag.py" "$brokers" "$input" "$output" "$group") ;;
    Rasid*)
      command=("$RASID" run --brokers "$brokers" --input "$input" --output "$output" --dead-letters dead-letters --group "$group" --http 127.0.0.1:0)
      [[ $1 != *'exactly once'* ]] || command+=(--guarantee exactly-once)
      [[ $1 != *shadow* ]] || command+=(--shadow-model "$SHADOW")
      [[ $1 != *disagreements* ]] || command+=(--shadow-disagreements disagreements)
      # shellcheck disable=SC2206  # words on purpose
      command+=($RASID_ARGUMENTS) ;;
    *) echo "run.sh: no program is called \"$1\"" >&2; exit 64 ;;
  esac
}

race() { # NAME COPIES ARTICLES [NOTED-AS]
  local name=$1 copies=$2 articles=$3
  number=$((number + 1))
  output=output-$number group=bench-$number
  "$bench" create "$brokers" "$output" "$partitions"
  command_of "$name"
  local watch=()
  case $name in *transactions* | *'exactly once'*) watch=(--committed "$input" "$group") ;; esac
  "$bench" race "$brokers" "$output" --name "${4:-$name}" --results "$RESULTS" --articles "$articles" \
    --copies "$copies" --beside "$broker" --log "$cache/last.log" ${watch[@]+"${watch[@]}"} -- "${command[@]}"
  "$bench" delete "$brokers" "$output"
}

knows_exactly_once() { "$RASID" run --help 2>&1 | grep -q -e --guarantee; }

programs=(
  'rdkafka passing through' 'rdkafka passing through, 2 workers' 'rdkafka in transactions' Benthos
  'Benthos, its defaults' 'Kafka Streams'
  'Kafka Streams, exactly once' 'Python, tagging' Rasid 'Rasid, exactly once' 'Rasid, 2 workers' 'Rasid, 4 workers'
)

results=$RESULTS
# Notes the figures of $round, but for round 0, which warms up.
note_round() {
  RESULTS=$results
  [ "$round" -gt 0 ] || RESULTS=/dev/null
}

rates() {
  [ $# -gt 0 ] || set -- "${programs[@]}"
  if [[ $* == *shadow* && ! -e $SHADOW ]]; then
    "$RASID" train --examples models/examples --out "$SHADOW" > /dev/null
  fi
  start_broker
  input=input
  fill $input "$partitions" "$ARTICLES"
  # round 0 warms the broker up: while Java still compiles, it takes the cores from whoever comes first
  for ((round = ${COLD:-0}; round <= ROUNDS; round++)); do
    note_round
    echo "round $round of $ROUNDS, $ARTICLES articles in $partitions partitions" >&2
    for name in "$@"; do
      case $name in
        'Rasid, exactly once') if knows_exactly_once; then race "$name" 1 "$ARTICLES"; else echo '  this Rasid has no exactly once: left out' >&2; fi ;;
        *' workers') copies=${name% workers}; race "${name%, *}" "${copies##* }" "$ARTICLES" "$name" ;;
        # a tenth is enough to know its rate
        'Python, tagging') race "$name" 1 $((ARTICLES / 10)) ;;
        *) race "$name" 1 "$ARTICLES" ;;
      esac
    done
  done
}

latency() {
  start_broker
  # round 0 warms the broker up: small requests are other work than large ones
  for ((round = 0; round <= ROUNDS; round++)); do
    note_round
    for name in 'rdkafka passing through' 'rdkafka passing through, linger 0' Rasid; do
      number=$((number + 1))
      input=input-$number output=output-$number group=bench-$number
      fill "$input" "$partitions" 0
      "$bench" create "$brokers" "$output" "$partitions"
      command_of "$name"
      "$bench" latency "$brokers" "$input" "$output" --name "$name, $RATE/s" --results "$RESULTS" --rate "$RATE" \
        --seconds $((round > 0 ? SECONDS_EACH : 5)) "${texts[@]}" --log "$cache/last.log" -- "${command[@]}"
      "$bench" delete "$brokers" "$input" "$output"
    done
  done
}

start() {
  start_broker
  input=input
  fill $input "$partitions" 100
  for ((round = 1; round <= ROUNDS; round++)); do
    race Rasid 1 100 'Rasid, from start to first record'
    race 'rdkafka passing through' 1 100 'rdkafka, from start to first record'
  done
  sed 's/^----$/\n/;/^$/q' src/cli/samples.txt > "$folder/article.txt"
  "$bench" once --name 'rasid classify of one article' --results "$RESULTS" --times $((ROUNDS * 4)) -- "$RASID" classify "$folder/article.txt"
}

backlog() {
  start_broker
  input=input
  fill $input "$partitions" "$BACKLOG"
  race Rasid 1 "$BACKLOG" "Rasid, backlog of $BACKLOG"
}

grow() {
  start_broker
  for ((round = 1; round <= ROUNDS; round++)); do
    for partitions in 1 2 4 8 16; do
      input=input-p$partitions
      [ "$round" -gt 1 ] || fill $input $partitions "$ARTICLES"
      race Rasid 1 "$ARTICLES" "Rasid, $partitions partitions"
    done
    partitions=$PARTITIONS
    for bytes in 500 1000 2000 4000 8000 16000 64000; do
      input=input-b$bytes
      articles=$((ARTICLES * 3900 / (bytes + 500)))
      [ "$round" -gt 1 ] || fill $input $partitions $articles --bytes $bytes
      race Rasid 1 $articles "Rasid, articles of $bytes bytes"
    done
  done
}

table() {
  echo; "$bench" table "$RESULTS" --figures 'articles/s' 'CPU-s a million' 'broker CPU-s a million' 'idle core-s a million' 'peak MB' --base 'rdkafka passing through'
  echo; "$bench" table "$RESULTS" --figures 'median ms' 'p99 ms' 'most ms'
  echo; "$bench" table "$RESULTS" --figures 'first record s'
}

verb=${1:-}
case $verb in
  build | table) "$@" ;;
  rates | latency | start | backlog | grow)
    [ "${BUILD:-yes}" = no ] || build
    "$@" ;;
  quick)
    [ "${BUILD:-yes}" = no ] || build
    rm -f "$RESULTS"
    for verb in rates latency start; do
      BUILD=no COLD=1 ROUNDS=1 ARTICLES=${QUICK_ARTICLES:-60000} SECONDS_EACH=5 "$0" $verb
    done
    table ;;
  *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64 ;;
esac
