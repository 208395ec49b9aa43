// How a client of one's own joins: the address, the topics, and lines to copy.

import { byId, el } from "./dom.js";
import { t } from "./texts.js";

const parsed = (url) => {
  const found = /^\w+:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+):(\d+)/.exec(url ?? "");
  return found ? { host: found[1].replace(/^\[|\]$/g, ""), port: found[2] } : null;
};

async function copied(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = t("connect.selected");
    return;
  }
  button.textContent = t("connect.copied");
  setTimeout(() => { button.textContent = t("connect.copy"); }, 2000);
}

function line(key, text) {
  const code = el("code", {}, text);
  const button = el("button", { type: "button", class: "quiet", "aria-label": t("connect.copy-what", { what: t(`connect.${key}`) }) }, t("connect.copy"));
  button.addEventListener("click", () => copied(code, button));
  return el("div", { class: "line" }, el("h3", {}, t(`connect.${key}`)), button,
    el("pre", { tabindex: "0", "aria-label": t(`connect.${key}`) }, code));
}

const python = (host, port, topic) => `import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_connect = lambda c, *_: c.subscribe("${topic}", qos=1)
client.on_message = lambda c, _, m: print(m.topic, m.payload.decode())
client.connect("${host}", ${port})
client.loop_forever()`;

export function showConnect(broker, root) {
  const old = parsed(broker?.addresses["3.1.1"]);
  const at = old ?? parsed(broker?.addresses["5"]);
  const key = JSON.stringify([broker?.addresses, root]);
  const host = byId("connect");
  if (host.dataset.shown === key) return;
  host.dataset.shown = key;
  if (!at) {
    host.replaceChildren(el("p", { class: "empty" }, t("connect.not-yet")));
    return;
  }
  const topic = `${root}/v1/alerts/#`;
  const other = root === "alertsim" ? "" : ` --root ${root}`;
  const facts = [
    ...Object.entries(broker.addresses).sort().map(([version, url]) => [t("connect.address", { version }), url]),
    ...(broker.websocket ? [[t("connect.websocket"), broker.websocket]] : []),
    [t("connect.topic"), topic],
  ];
  host.replaceChildren(
    el("dl", { class: "facts" }, ...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, el("code", {}, value))))),
    el("div", { class: "lines" },
      line("own", `alertsim subscribe --all --client-id my-siren --broker mqtt://${at.host}:${at.port}${other}`),
      line("mosquitto", `mosquitto_sub -h ${at.host} -p ${at.port} -q 1 -v -t '${topic}'`),
      line("python", python(at.host, at.port, topic))),
    el("p", { class: "note" }, t("connect.note")),
  );
}
