// The live page: follows the worker's events, and keeps what the viewer chose.
"use strict";
import { ui, speak, preferred, recall, keep } from "./words.js";
import * as view from "./view.js";

const at = id => document.getElementById(id);
// The worker says something at least every 10 seconds.
const SILENCE = 25_000;
const AGAIN = 5_000;

let model = null;
let live = null;
let paused = null;
let all = false;
let link = "connecting";

const draw = () => {
  const { words } = ui;
  const trouble = live?.stalled ? "stalled" : live?.waiting_for ? "waiting" : null;
  const state = link !== "live" && link !== "full" ? link : trouble ?? link;
  const said = trouble === state ? [`${words[state]} `, live[state === "stalled" ? "stalled" : "waiting_for"]] : [words[state], ""];
  if (at("state").textContent !== said.join("")) {
    const reason = document.createElement("bdi");
    reason.lang = "en";
    reason.textContent = said[1];
    at("state").replaceChildren(said[0], reason);
  }
  at("state").dataset.state = state;
  if (!model || !live) return;
  view.figures(live);
  view.topics(live, model, all);
  view.languages(live);
  view.letters(live);
  view.shadow(live, model);
  view.articles(paused ?? live, model);
};

// Words of the page itself, in the language chosen.
const label = () => {
  const { words, code } = ui;
  document.documentElement.lang = code;
  document.documentElement.dir = code === "ar" ? "rtl" : "ltr";
  document.title = words.title;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  at("language").textContent = words.switch;
  at("language").lang = code === "ar" ? "en" : "ar";
  const prefix = document.createElement("span");
  prefix.className = "unseen";
  prefix.textContent = `${words.theme} `;
  at("theme").replaceChildren(prefix, words[theme]);
  at("pause").textContent = paused ? words.resume : words.pause;
  view.clear();
  if (model) view.model(model);
  draw();
};

const THEMES = ["auto", "light", "dark"];
let theme = THEMES.find(name => name === recall("theme")) ?? "auto";

let source = null;
let timer = 0;
const later = (what, after) => { clearTimeout(timer); timer = setTimeout(what, after); };

const told = () => {
  link = "live";
  later(open, SILENCE);
};

const close = () => {
  clearTimeout(timer);
  source?.close();
  source = null;
};

const open = () => {
  close();
  source = new EventSource("events");
  source.addEventListener("model", event => {
    told();
    model = JSON.parse(event.data);
    label();
  });
  source.addEventListener("live", event => {
    told();
    live = JSON.parse(event.data);
    draw();
  });
  source.addEventListener("error", () => {
    // the browser tries again by itself, but not where it was refused
    if (source?.readyState === EventSource.CLOSED) ask();
    else {
      link = "gone";
      draw();
    }
  });
};

// Without a stream, for want of a seat: the same numbers by asking, then the stream again.
const ask = async () => {
  later(open, AGAIN);
  try {
    const answer = await (await fetch("live.json")).json();
    link = "full";
    live = answer.live;
    if (model?.sha256 !== answer.model.sha256) {
      model = answer.model;
      label();
    }
  } catch {
    link = "gone";
  }
  draw();
};

at("language").addEventListener("click", () => {
  const code = ui.code === "ar" ? "en" : "ar";
  keep("language", code);
  speak(code);
  label();
});
at("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  keep("theme", theme);
  document.documentElement.dataset.theme = theme;
  label();
});
at("pause").addEventListener("click", () => {
  paused = paused ? null : live;
  at("pause").setAttribute("aria-pressed", paused !== null);
  at("pause").textContent = paused ? ui.words.resume : ui.words.pause;
  draw();
});
at("more").addEventListener("click", () => {
  all = !all;
  draw();
});
// who does not look needs no stream
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
addEventListener("pageshow", event => { if (event.persisted) open(); });

document.documentElement.dataset.theme = theme;
speak(preferred());
label();
if (!document.hidden) open();
