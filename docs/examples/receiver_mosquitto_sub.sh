#!/bin/sh
# A receiver out of mosquitto_sub and mosquitto_pub: prints each alert and reports a receipt.
#
#   sh receiver_mosquitto_sub.sh HOST PORT PREFECTURE     (apt-get install mosquitto-clients)
#
# It has no stamps of its own, so the run shows it with round-trip times.
set -eu
host=$1 port=$2 prefecture=$3
name=mosquitto-sub-$prefecture # MQTT client id: one per client on the broker
alerts=alertsim/v1/alerts/$prefecture/+
status=alertsim/v1/status/$name
receipts=alertsim/v1/receipts/$name
online="{\"state\":\"online\",\"filters\":[{\"filter\":\"$alerts\",\"qos\":1}]}"

# mosquitto_sub does not tell when it is subscribed: give it a second, then say online.
(sleep 1 && mosquitto_pub -h "$host" -p "$port" -q 1 -r -t "$status" -m "$online") &

# One line an alert; the CloudEvents id is its second key. The will says offline if this is killed.
mosquitto_sub -h "$host" -p "$port" -q 1 -i "$name" -t "$alerts" -F '%t %p' \
    --will-topic "$status" --will-payload '{"state":"offline"}' --will-qos 1 --will-retain |
    while read -r topic alert; do
        id=$(printf '%s' "$alert" | sed -n 's/^{"specversion":"1.0","id":"\([a-z0-9-]*\)".*/\1/p')
        if [ -z "$id" ]; then continue; fi # not an alert: anything may be published on a topic
        echo "$topic $id"
        mosquitto_pub -h "$host" -p "$port" -q 1 -t "$receipts" -m "{\"id\":\"$id\"}"
    done
