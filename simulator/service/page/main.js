// The live page: which view is shown, and what both views share.

import { get, onToken, Stream } from "./api.js";
import { showConnect } from "./connect.js";
import { byId, put, show } from "./dom.js";
import { formats } from "./format.js";
import { complain, showRuns, Start } from "./start.js";
import { themed } from "./theme.js";
import { language, load, t, translate } from "./texts.js";
import { Watch } from "./watch.js";

const BACK_MS = 6000;
const form = formats(language);

function ask(again) {
  const dialog = byId("ask");
  const field = byId("token");
  show(byId("ask-problem"), again);
  put(byId("ask-problem"), again ? t("token.wrong") : "");
  field.value = "";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.onclose = () => answer(field.value.trim() || null);
  });
}

let fading = 0;

// What is said about the connection stays while it is lost, and goes a while after it is back.
function lost(text, back = false) {
  const node = byId("lost");
  put(node, text);
  node.className = `lost ${text ? back ? "back" : "on" : ""}`;
  clearTimeout(fading);
  if (back && text) fading = setTimeout(() => lost(""), BACK_MS);
}

const chosen = () => decodeURIComponent(/^#run=([^&]+)/.exec(location.hash)?.[1] ?? "");

function linkLanguages() {
  const link = byId("language");
  const other = language === "ja" ? "en" : "ja";
  put(link, t("language.other"));
  link.lang = link.hreflang = other;
  link.href = `?lang=${other}${location.hash}`;
}

class Runs {
  constructor() {
    this.known = new Map();
    this.due = 0;
    this.stream = null;
  }

  async refresh() {
    showRuns((await get("runs")).runs, form);
  }

  // A change of any run means: ask again, at most twice a second.
  changed() {
    this.due ||= setTimeout(() => {
      this.due = 0;
      this.refresh().catch(() => {});
    }, 500);
  }

  open() {
    this.refresh().catch((problem) => complain(byId("form-problem"), problem));
    this.stream ??= new Stream("events", {
      event: () => this.changed(),
      state: (state) => {
        if (state === "open" && this.wasLost) this.changed();
        lost(state === "lost" ? t("connection.lost") : this.wasLost ? t("connection.back") : "", state !== "lost");
        this.wasLost = state === "lost";
      },
    });
  }

  close() {
    this.stream?.close();
    this.stream = null;
    this.wasLost = false;
  }
}

async function begin() {
  await load();
  const root = document.documentElement;
  root.lang = language;
  translate(document.body);
  themed();
  onToken(ask);
  const watch = new Watch(form, lost);
  const runs = new Runs();
  const start = new Start(form, (run) => { location.hash = `run=${encodeURIComponent(run)}`; });
  let moved = false;

  function route() {
    const run = chosen();
    linkLanguages();
    show(byId("view-start"), !run);
    show(byId("view-run"), Boolean(run));
    lost("");
    if (run) {
      runs.close();
      watch.open(run);
    } else {
      watch.close();
      runs.open();
      get("service").then(({ broker }) => showConnect(broker, "alertsim")).catch(() => {});
      document.title = `【訓練】 EXERCISE: ${t("start.title")} · alertsim`;
    }
    if (moved) byId(run ? "run-title" : "start-title").focus();
    moved = true;
    scrollTo(0, 0);
  }

  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the exercise that is watched, not a place on the page
    byId("main").focus();
  });
  addEventListener("hashchange", route);
  root.dataset.ready = "yes";
  route();
  start.load().catch((problem) => complain(byId("form-problem"), problem));
}

begin();
