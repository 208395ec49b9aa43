// A receiver on the npm package mqtt that registers itself and reports a receipt for each alert.
//
//   node receiver_mqtt.mjs HOST PORT PREFECTURE     (npm install, in this folder)

import process from "node:process";
import mqtt from "mqtt";

const [host, port, prefecture] = process.argv.slice(2);
const name = `js-${prefecture}`; // MQTT client id: one per client on the broker
const alerts = `alertsim/v1/alerts/${prefecture}/+`;
const status = `alertsim/v1/status/${name}`;
const receipts = `alertsim/v1/receipts/${name}`;
// Any name will do for the clock: the run estimates its offset from the stamps in the receipts.
const online = { state: "online", filters: [{ filter: alerts, qos: 1 }], clock: name };
const gone = { topic: status, payload: JSON.stringify({ state: "offline" }), qos: 1, retain: true };

const client = mqtt.connect(`mqtt://${host}:${port}`, { clientId: name, will: gone });

client.on("connect", async () => {
  await client.subscribeAsync(alerts, { qos: 1 });
  // Only now: from here on alerts are owed to this client.
  await client.publishAsync(status, JSON.stringify(online), { qos: 1, retain: true });
});

client.on("message", (topic, payload, packet) => {
  const received = process.hrtime.bigint(); // nanoseconds of a monotonic clock
  let id;
  try {
    ({ id } = JSON.parse(payload.toString()));
  } catch {
    return; // not an alert: anything may be published on a topic
  }
  if (typeof id !== "string") return;
  console.log(topic, id);
  // Nanoseconds travel as text: a number of JavaScript does not hold them.
  const receipt = { id, received_ns: received.toString(), clock: name, dup: packet.dup };
  client.publish(receipts, JSON.stringify(receipt), { qos: 1 });
});
