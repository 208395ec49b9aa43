// Draws the pictures of a report from the data blocks beside them. Nothing is fetched.
// Colours are named by role in the data ("@alert") and taken from the style sheet, so that the
// pictures follow the reader's light or dark setting, and turn light for the printer. The other
// language stands in the page as pairs of texts: what is shown is swapped, nothing is made anew.
(() => {
  "use strict";
  const NARROW_PX = 620;
  const SHEET_PX = 680; // what A4 leaves between its margins
  const SHEET_HIGH_PX = 880; // and below a heading and a caption
  const LEAST_ZOOM = 0.4;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const print = window.matchMedia("print");

  const SPOKEN_KEYS = new Set(
    ["text", "name", "hovertemplate", "ticktext", "x", "y", "categoryarray", "customdata"]);
  const SPOKEN_ATTRIBUTES = ["aria-label", "data-done", "data-selected", "data-failed"];
  const other = JSON.parse(document.getElementById("other-language").textContent);
  const own = { language: document.documentElement.lang, title: document.title, texts: {} };
  let words = own.texts;

  function colour(role) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + role).trim();
  }

  function painted(value, key) {
    if (Array.isArray(value)) return value.map((one) => painted(one, key));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, k)]));
    }
    if (typeof value === "string" && value.startsWith("@") && /colou?rs?$/.test(key)) {
      return colour(value.slice(1));
    }
    if (typeof value === "string" && SPOKEN_KEYS.has(key) && Object.hasOwn(words, value)) {
      return words[value];
    }
    return value;
  }

  // Every text that is read by people, with a way to put another in its place.
  const spoken = [];
  function gather() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const quiet = "script, style, noscript, code, pre, [translate=no], .picture, [data-language-switch]";
      if (node.parentElement.closest(quiet)) continue;
      const text = node.nodeValue;
      if (text.trim()) spoken.push([text, (said) => { node.nodeValue = said; }]);
    }
    for (const name of SPOKEN_ATTRIBUTES) {
      for (const element of document.querySelectorAll(`[${name}]`)) {
        const text = element.getAttribute(name);
        spoken.push([text, (said) => element.setAttribute(name, said)]);
      }
    }
  }

  function speak(chosen) {
    words = chosen.texts;
    for (const [text, put] of spoken) put(Object.hasOwn(words, text) ? words[text] : text);
    document.documentElement.lang = chosen.language;
    document.title = chosen.title;
    const next = chosen === own ? other : own;
    const button = document.querySelector("[data-language-switch]");
    button.lang = next.language;
    button.textContent = next.language === "ja" ? "日本語" : "English";
    button.onclick = () => { speak(next); drawAll(); };
  }

  function merged(base, over) {
    if (over === undefined) return base;
    if (base === null || over === null || Array.isArray(over) || typeof over !== "object" ||
        typeof base !== "object") return over;
    const result = { ...base };
    for (const [key, value] of Object.entries(over)) result[key] = merged(base[key], value);
    return result;
  }

  // One picture that fails must not take the others with it: the tables say the same.
  async function draw(place) {
    try {
      await drawn(place);
      place.dataset.drawn = "yes";
    } catch (error) {
      place.textContent = place.dataset.failed;
      place.dataset.drawn = "no";
      console.error(place.dataset.figure, error);
    }
  }

  async function drawn(place) {
    const spec = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const narrow = place.clientWidth < NARROW_PX;
    const layout = narrow ? merged(spec.layout, spec.narrow) : spec.layout;
    place.dataset.narrow = String(narrow);
    place.style.height = layout.height + "px";
    place.style.setProperty("--sheet", Math.min(1, SHEET_PX / place.clientWidth,
      Math.max(LEAST_ZOOM, SHEET_HIGH_PX / layout.height)));
    await Plotly.react(place, painted(spec.data, ""), painted(layout, ""), {
      responsive: true,
      displaylogo: false,
      displayModeBar: narrow ? false : "hover",
      scrollZoom: false,
      modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
      plotlyServerURL: "",
    });
  }

  // Copies what stands in an element. Where the clipboard is refused, the text is selected instead.
  async function copied(button) {
    const text = document.getElementById(button.dataset.copy);
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = button.dataset.done;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = button.dataset.selected;
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => copied(button));
  }

  const places = [...document.querySelectorAll("[data-figure]")];

  // The plotting library stands in the page as text and becomes a script once the words of the
  // first screen can be read. Its digest is the one that the page's policy knows.
  function load() {
    const held = document.getElementById("library");
    if (held === null) return;
    const script = document.createElement("script");
    script.textContent = held.textContent;
    held.replaceWith(script);
  }

  function drawAll() {
    load();
    return Promise.all(places.map(draw));
  }

  const shown = () => new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 300); // a page in the background has no frames
  });
  const idle = () => new Promise((done) => {
    if (window.requestIdleCallback) requestIdleCallback(done, { timeout: 100 });
    else setTimeout(done);
  });

  // From the top, and the reader may scroll in between.
  async function drawFirst() {
    await shown();
    load();
    for (const place of places) {
      if (place.dataset.drawn === undefined) await draw(place);
      await idle();
    }
  }

  // What is folded away is printed too, unless it says not to.
  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open]):not([data-print=no])")];
    for (const one of unfolded) one.open = true;
    // Only now has a picture that was folded away a width to be drawn at.
    if (places.some((place) => place.dataset.drawn === undefined)) drawAll();
  });
  window.addEventListener("afterprint", () => {
    for (const one of unfolded) one.open = false;
  });

  dark.addEventListener("change", drawAll);
  print.addEventListener("change", drawAll);
  window.addEventListener("resize", () => {
    for (const place of places) {
      if (String(place.clientWidth < NARROW_PX) !== place.dataset.narrow) draw(place);
    }
  });
  gather();
  document.querySelector("[data-language-switch]").hidden = false;
  const wanted = new URLSearchParams(location.search).get("lang");
  speak(wanted === other.language ? other : own);
  drawFirst().then(() => { document.documentElement.dataset.ready = "yes"; });
})();
