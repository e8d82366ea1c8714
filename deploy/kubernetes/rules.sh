#!/bin/sh
# Prints the Prometheus rules as PrometheusRules of the Prometheus Operator; RUNBOOK is the address of your copy of
# docs/RUNBOOK.md, to which `runbook_url` of the alerts leads:
#   deploy/kubernetes/rules.sh RUNBOOK | kubectl apply -n rasid -f -
set -eu
[ $# = 1 ] || { echo 'usage: rules.sh RUNBOOK, the address of your copy of docs/RUNBOOK.md' >&2; exit 64; }
cd "$(dirname "$0")/../prometheus"
for file in recording alerts; do
  printf -- '---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: rasid-%s\n  labels:\n    app.kubernetes.io/name: rasid\nspec:\n' "$file"
  # the Operator has external labels for all rules of a Prometheus together, so the address is written in
  RUNBOOK=$1 awk -v link='{{ $externalLabels.runbook_url }}' '/^groups:/ { on = 1 } on {
    while (at = index($0, link)) $0 = substr($0, 1, at - 1) ENVIRON["RUNBOOK"] substr($0, at + length(link))
    print "  " $0
  }' "$file.yml"
done
