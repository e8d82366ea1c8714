#!/bin/sh
# Prints sample articles for ever, one line an article, so that a console producer can send them:
#   deploy/feed.sh src/cli/samples.txt 0.2 | kcat -P -b localhost:9092 -t articles
# The file parts articles by lines of four dashes; the second argument is the pause between two, in seconds.
set -eu
while :; do
  awk -v pause="${2:-0.2}" '
    function give() { if (text != "") { print text; fflush(); system("sleep " pause) } text = "" }
    /^----$/ { give(); next }
    { text = text (text == "" ? "" : " ") $0 }
    END { give() }
  ' "$1"
done
