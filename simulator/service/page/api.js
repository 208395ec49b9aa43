// The service's API: requests, problems, tokens, and events that survive a lost connection.
//
// A token is exchanged for a cookie that no script can read, so that links work and nothing here
// keeps it. Events are read from a streamed response, which unlike an EventSource says why it was
// refused. A stream that breaks, or says nothing for longer than three heartbeats, is opened again
// after what was seen last; the page is told when it is lost and when it is back.

const ROOT = "/api/v1";
const JSON_TYPE = { "Content-Type": "application/json" };
const SILENCE_MS = 45000;
const WAITS_MS = [500, 1000, 2000, 4000, 8000];

let askToken = async () => null;

export function onToken(ask) {
  askToken = ask;
}

export class Problem extends Error {
  constructor(fields) {
    super(fields.detail || fields.title || "");
    this.fields = fields;
  }
}

async function problemOf(response) {
  try {
    return new Problem({ status: response.status, ...(await response.json()) });
  } catch {
    return new Problem({ status: response.status, title: response.statusText });
  }
}

let asking = null;

async function signIn() {
  for (let again = false; ; again = true) {
    const token = await askToken(again);
    if (token === null) return false;
    const body = JSON.stringify({ token });
    const answer = await fetch(`${ROOT}/session`, { method: "POST", headers: JSON_TYPE, body });
    if (answer.ok) return true;
  }
}

async function request(path, options = {}) {
  const address = path.startsWith("/") ? path : `${ROOT}/${path}`;
  for (;;) {
    const response = await fetch(address, { cache: "no-store", ...options });
    if (response.ok) return response;
    const problem = await problemOf(response);
    asking ??= response.status === 401 ? signIn().finally(() => { asking = null; }) : null;
    if (response.status !== 401 || !(await asking)) throw problem;
  }
}

export const get = async (path) => (await request(path)).json();

export async function post(path, body) {
  const response = await request(path, body === undefined
    ? { method: "POST" }
    : { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

// Frames of server-sent events out of pieces of text. Pure but for what it keeps.
export class Frames {
  #rest = "";

  add(piece) {
    const parts = (this.#rest + piece).split("\n\n");
    this.#rest = parts.pop();
    return parts.map((part) => {
      const frame = { id: null, data: "" };
      for (const line of part.split("\n")) {
        const cut = line.indexOf(":");
        const value = line.slice(cut + 1).replace(/^ /, "");
        const name = line.slice(0, cut);
        if (name === "id") frame.id = value;
        if (name === "data") frame.data += value;
      }
      return frame;
    }).filter((frame) => frame.data);
  }
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

export class Stream {
  #last = null;
  #aborter = null;
  #closed = false;

  constructor(path, { event, state }) {
    this.path = path;
    this.event = event;
    this.state = state;
    this.#run();
  }

  close() {
    this.#closed = true;
    this.#aborter?.abort();
  }

  async #run() {
    for (let failures = 0; !this.#closed; failures += 1) {
      try {
        await this.#read(() => {
          failures = 0;
          this.state("open");
        });
      } catch (error) {
        if (this.#closed) return;
        if (error instanceof Problem && error.fields.status < 500) {
          this.state("refused", error);
          return;
        }
      }
      if (this.#closed) return;
      this.state("lost");
      await pause(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)]);
    }
  }

  async #read(opened) {
    this.#aborter = new AbortController();
    const headers = { Accept: "text/event-stream" };
    if (this.#last !== null) headers["Last-Event-ID"] = this.#last;
    const response = await request(this.path, { signal: this.#aborter.signal, headers });
    opened();
    if (response.status === 204) {
      this.#closed = true; // it ended, and everything was seen
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const frames = new Frames();
    let silence = 0;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => this.#aborter.abort(), SILENCE_MS);
    };
    try {
      for (listen(); ; listen()) {
        const { done, value } = await reader.read();
        if (done) return;
        for (const frame of frames.add(value)) {
          if (frame.id !== null) this.#last = frame.id;
          this.event(JSON.parse(frame.data));
          if (this.#closed) return;
        }
      }
    } finally {
      clearTimeout(silence);
    }
  }
}
