#!/usr/bin/env bash
# A real Apache Kafka for tests, from Maven Central.
#   kafka.sh get                          fetch the jars into target/kafka/lib (once)
#   kafka.sh run PORT FOLDER [PROP=VAL]…  format FOLDER and run a broker on 127.0.0.1:PORT, in the foreground
#   kafka.sh tool CLASS ARGUMENT…         one of Kafka's own tools
# KAFKA_JAVA has more options for the Java machine.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
lib="$root/target/kafka/lib"

need() { command -v "$1" >/dev/null || { echo "kafka.sh: $1 is missing: apt-get install $2" >&2; exit 1; }; }

get() {
  need java openjdk-17-jre-headless
  [ -e "$lib/.complete" ] && return
  need mvn maven
  # one at a time: several test programs may start at once
  mkdir -p "$root/target/kafka"
  exec 9>"$root/target/kafka/lock"
  flock 9
  [ -e "$lib/.complete" ] && return
  mvn -q -B -f "$root/tests/kafka/pom.xml" dependency:copy-dependencies -DoutputDirectory="$lib" -DincludeScope=runtime >&2
  touch "$lib/.complete"
  exec 9>&-
}

case "${1:-}" in
  get) get ;;
  run)
    port=$2 folder=$3; shift 3
    get
    controller=$((port + 1))
    mkdir -p "$folder"
    properties="$folder/server.properties"
    grep -v -E '^(listeners|advertised.listeners|controller.quorum.bootstrap.servers|log.dirs)=' "$root/deploy/kafka/server.properties" > "$properties"
    {
      echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller"
      echo "advertised.listeners=PLAINTEXT://127.0.0.1:$port"
      echo "controller.quorum.bootstrap.servers=127.0.0.1:$controller"
      echo "log.dirs=$folder/data"
      for property in "$@"; do echo "$property"; done
    } >> "$properties"
    # shellcheck disable=SC2206 # several options
    java=(java -Xmx512m ${KAFKA_JAVA:-} "-Dlog4j2.configurationFile=$root/tests/kafka/log4j2.properties" -cp "$lib/*")
    # a broker without a controller of its own joins another's cluster
    standalone=--standalone
    ! grep -q '^process.roles=broker$' "$properties" || standalone=
    [ -e "$folder/data/meta.properties" ] ||
      "${java[@]}" kafka.tools.StorageTool format -t cmFzaWQtdGVzdC1jbHVzdA -c "$properties" $standalone >/dev/null
    exec "${java[@]}" kafka.Kafka "$properties"
    ;;
  tool)
    shift
    get
    # shellcheck disable=SC2086 # several options
    exec java -Xmx256m ${KAFKA_JAVA:-} -Dlog4j2.configurationFile="$root/tests/kafka/log4j2.properties" -cp "$lib/*" "$@"
    ;;
  *) sed -n '2,6s/^# //p' "$0" >&2; exit 64 ;;
esac
