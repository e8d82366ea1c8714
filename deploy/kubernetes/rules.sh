#!/bin/sh
# Prints the Prometheus rules as a PrometheusRule of the Prometheus Operator:
#   deploy/kubernetes/rules.sh | kubectl apply -n rasid -f -
set -eu
cd "$(dirname "$0")/../prometheus"
for file in recording alerts; do
  printf -- '---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: rasid-%s\n  labels:\n    app.kubernetes.io/name: rasid\nspec:\n' "$file"
  sed -n '/^groups:/,$s/^/  /p' "$file.yml"
done
