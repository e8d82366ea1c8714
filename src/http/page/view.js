// Draws what the worker says. Texts from outside go in as text nodes, never as markup.
"use strict";
import { ui, whole, rate, percent, sure, fine, age, clock, languageName, labelName } from "./words.js";

const at = id => document.getElementById(id);

// An element with attributes; `style` holds custom properties, which the content policy lets a script set.
const make = (tag, attributes = {}, ...children) => {
  const svg = tag === "svg" || tag === "path";
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  const { style = {}, ...rest } = attributes;
  for (const [name, value] of Object.entries(rest)) if (value != null) element.setAttribute(name, value);
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  element.append(...children.filter(child => child != null));
  return element;
};

// Rows by key: those that stay are kept as they are, so that the reading place stays too.
const kept = new WeakMap();
const rows = (list, items, key, build, update) => {
  if (!items.length && list.querySelector(":scope > .empty")) return;
  const before = kept.get(list) ?? new Map();
  const now = new Map();
  items.forEach((item, index) => {
    const row = before.get(key(item)) ?? build(item);
    update?.(row, item);
    now.set(key(item), row);
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
  while (list.children.length > items.length) list.lastElementChild.remove();
  kept.set(list, now);
};

// Drawn anew: another language, another model.
export const clear = () => {
  for (const id of ["figures", "legend", "topics", "articles", "languages", "reasons", "letters", "shadow", "least", "model", "quality"]) {
    at(id).replaceChildren();
    kept.delete(at(id));
  }
};

const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
const sum = counts => Object.values(counts).reduce((a, b) => a + b, 0);
// The interface's own direction, for its words inside an article of another.
const own = () => document.documentElement.dir;
const direction = language => (language === "ar" ? "rtl" : language === "en" ? "ltr" : null);

// Stances in the order of the model's columns, but what is neutral between what is not.
const COLOURS = { favor: "--favor", against: "--against", neutral: "--neutral", none: "--none" };
export const stances = model => {
  const labels = [...model.stances];
  const middle = labels.findIndex(label => label.code === "neutral");
  if (middle >= 0) labels.splice(Math.floor(labels.length / 2), 0, ...labels.splice(middle, 1));
  const colour = (label, index) => `var(${COLOURS[label.code] ?? `--other-${index % 6}`})`;
  return [
    ...labels.map((label, index) => ({ code: label.code, name: labelName(label), colour: colour(label, index) })),
    { code: "none", name: ui.words.noStance, colour: "var(--none)" },
  ];
};

const namesOf = labels => new Map(labels.map(label => [label.code, labelName(label)]));

const spark = values => {
  const most = Math.max(...values, 1e-9);
  const step = 100 / Math.max(values.length - 1, 1);
  const line = values.map((value, index) => `${(index * step).toFixed(1)} ${(29 - 27 * value / most).toFixed(1)}`);
  return values.length < 2 ? "" : `M${line.join("L")}`;
};

export const figures = live => {
  const { words } = ui;
  const { counts, minutes, seconds } = live;
  const hour = sum(live.minutes);
  const silent = sum(live.hour.topics.none ?? {});
  const shown = [
    ["rate", rate(live.rate), words.minute, seconds],
    ["minutes", whole(hour), words.inAll(whole(counts.tagged)), minutes],
    ["lag", whole(counts.lag), counts.lag_seconds >= 1 ? words.oldest(age(counts.lag_seconds)) : words.inFlight(whole(counts.in_flight))],
    ["unsure", whole(silent), words.share(percent(hour ? silent / hour : 0))],
    ["refused", whole(sum(counts.rejected)), words.since],
    ["assigned", whole(counts.assigned), words.mine],
  ];
  rows(at("figures"), shown, ([name]) => name, ([name, , , values]) => {
    const chart = values && make("svg", { viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" }, make("path"));
    return make("div", { class: `figure ${name}` }, make("dt", {}, words[name]), make("dd", {}), make("dd", { class: "note" }, chart ?? "", make("span")));
  }, (row, [, value, note, values]) => {
    put(row.children[1], value);
    put(row.children[2].querySelector("span"), note);
    if (!values) return;
    row.querySelector("path").setAttribute("d", spark(values));
    row.querySelector("svg").classList.toggle("short", values.length < 2);
  });
};

const MOST = 20;
export const topics = (live, model, all) => {
  const { words } = ui;
  const names = namesOf(model.topics).set("none", words.noTopic);
  const order = stances(model);
  rows(at("legend"), order.slice(0, -1), stance => stance.code, stance =>
    make("li", {}, make("i", { class: "dot", style: { "--colour": stance.colour } }), make("bdi", {}, stance.name)));
  const counted = Object.entries(live.hour.topics).map(([code, by]) => ({ code, by, count: sum(by) }));
  counted.sort((a, b) => (a.code === "none") - (b.code === "none") || b.count - a.count || a.code.localeCompare(b.code));
  const most = Math.max(1, ...counted.map(topic => topic.count));
  const shown = all ? counted : counted.slice(0, MOST);
  rows(at("topics"), shown, topic => topic.code, topic => make("li", { class: topic.code === "none" ? "nothing" : null },
    make("span", { class: "name", dir: "auto" }, names.get(topic.code) ?? topic.code), make("span", { class: "count" }),
    make("span", { class: "bar", "aria-hidden": "true" }), make("span", { class: "split", "aria-hidden": "true" }), make("span", { class: "unseen" }),
  ), (row, { by, count }) => {
    const [, number, bar, split, spoken] = row.children;
    put(number, whole(count));
    bar.style.setProperty("--share", count / most);
    const parts = order.filter(stance => by[stance.code]);
    rows(split, parts, stance => stance.code, stance => make("i", { style: { "--colour": stance.colour } }),
      (part, stance) => part.style.setProperty("flex-grow", by[stance.code]));
    const said = parts.map(stance => `${stance.name} ${percent(by[stance.code] / count)}`).join(ui.code === "ar" ? "، " : ", ");
    put(spoken, said);
    split.setAttribute("title", said);
  });
  at("more").hidden = counted.length <= MOST;
  put(at("more"), all ? words.less : words.more(whole(counted.length)));
  at("more").setAttribute("aria-expanded", all);
  empty(at("topics"), words.empty);
};

export const languages = live => {
  const counted = Object.entries(live.hour.languages).sort((a, b) => b[1] - a[1]);
  const all = Math.max(1, sum(live.hour.languages));
  rows(at("languages"), counted, ([code]) => code, ([code]) => make("li", {},
    make("span", { class: "name" }, languageName(code)), make("span", { class: "count" }), make("span", { class: "bar", "aria-hidden": "true" }),
  ), (row, [, count]) => {
    put(row.children[1], `${whole(count)} · ${percent(count / all)}`);
    row.children[2].style.setProperty("--share", count / all);
  });
  empty(at("languages"), "–");
};

// Says that there is nothing, where a list has no rows.
const empty = (list, text) => {
  if (!list.children.length) list.append(make("li", { class: "empty" }, text));
};

const tag = (kind, name, confidence, colour) => make("span", { class: `tag ${kind}`, dir: own(), style: { "--share": confidence, ...(colour && { "--colour": colour }) } },
  colour ? make("i", { class: "dot" }) : null, make("bdi", {}, name), make("span", { class: "unseen" }, ` ${ui.words.confidence} `), make("b", {}, sure(confidence)));

const article = (shown, model) => {
  const { words } = ui;
  const names = namesOf(model.topics);
  const order = stances(model);
  const stance = label => order.find(known => known.code === label) ?? { name: label, colour: "var(--none)" };
  const tags = shown.topics.map(({ code, confidence }) => tag("topic", names.get(code) ?? code, confidence));
  if (!tags.length) tags.push(make("span", { class: "tag none", dir: own() }, `${words.noTopic}${shown.abstained ? ` · ${words[shown.abstained] ?? shown.abstained}` : ""}`));
  if (shown.stance) tags.push(tag("stance", stance(shown.stance.label).name, shown.stance.confidence, stance(shown.stance.label).colour));
  for (const { name, label, confidence } of shown.targets) {
    tags.push(tag("stance", `${stance(label).name} ${words.toward} \u2068${name}\u2069`, confidence, stance(label).colour));
  }
  const most = shown.explain[0]?.weight || 1;
  const terms = shown.explain.map(({ term, weight }) => make("li", { dir: "auto", style: { "--share": Math.max(weight / most, 0) } }, term));
  return make("li", { dir: direction(shown.language) },
    make("p", { class: "title", dir: "auto", lang: shown.language }, shown.title || words.untitled),
    make("p", { class: "tags" }, ...tags, make("span", { class: "note" }, make("bdi", { dir: own() }, languageName(shown.language), " · ", make("time", { datetime: shown.tagged_at }, clock(shown.tagged_at))))),
    terms.length ? make("ul", { class: "terms", lang: shown.language, "aria-label": words.words }, ...terms) : null);
};

export const articles = (live, model) => {
  rows(at("articles"), live.articles, shown => shown.source, shown => article(shown, model));
  empty(at("articles"), ui.words.empty);
};

export const letters = live => {
  const { words } = ui;
  const reasons = Object.entries(live.counts.rejected).sort((a, b) => b[1] - a[1]);
  rows(at("reasons"), reasons, ([reason]) => reason, ([reason]) => make("div", {}, make("dt", {}, words[reason] ?? reason), make("dd", {})),
    (row, [, count]) => put(row.children[1], whole(count)));
  at("reasons").hidden = !reasons.length;
  rows(at("letters"), live.letters, letter => letter.source, letter => make("li", {},
    make("p", { class: "place" }, make("bdi", { dir: "ltr" }, letter.source), make("time", { datetime: letter.at }, clock(letter.at))),
    make("p", {}, make("b", {}, words[letter.reason] ?? letter.reason), " ", make("bdi", { class: "note", lang: "en", dir: "ltr" }, letter.message))));
  empty(at("letters"), words.noLetters);
};

// Topics on which the shadow agrees least, and how many of them.
const LEAST = 5;
export const shadow = (live, model) => {
  const { words } = ui;
  const second = live.shadow;
  at("second").hidden = !second;
  if (!second) return;
  const { articles, failed } = second;
  const of = count => (articles ? fine(count / articles) : "–");
  const pairs = [
    ["version", `${second.name} ${second.version}`], ["sha256", second.sha256.slice(0, 12)], ["compared", whole(articles)],
    ["sameTopic", of(second.same_topic)], ["sameStance", of(second.same_stance)], ...(failed ? [["internal", whole(failed)]] : []),
  ];
  rows(at("shadow"), pairs, ([name]) => name, ([name]) => make("div", {}, make("dt", {}, words[name]), make("dd", {}, make("bdi"))),
    (row, [, value]) => put(row.querySelector("bdi"), value));
  const names = namesOf(model.topics).set("none", words.noTopic);
  const least = Object.entries(second.topics).map(([code, [all, same]]) => ({ code, all, same })).filter(({ all, same }) => same < all);
  least.sort((a, b) => a.same / a.all - b.same / b.all || b.all - a.all);
  put(at("least-title"), second.resting ? words.resting : least.length ? words.least : "");
  rows(at("least"), least.slice(0, LEAST), topic => topic.code, ({ code }) => make("li", {},
    make("span", { class: "name", dir: "auto" }, names.get(code) ?? code), make("span", { class: "count" }), make("span", { class: "bar", "aria-hidden": "true" }),
  ), (row, { all, same }) => {
    put(row.children[1], words.sameOf(percent(same / all), whole(all)));
    row.children[2].style.setProperty("--share", same / all);
  });
};

export const model = card => {
  const { words } = ui;
  at("names").hidden = !card.topics.some(label => label.code.startsWith("medtop:"));
  const known = [...new Set(card.figures.map(figure => figure.language))];
  const pairs = [
    ["name", card.name], ["version", card.version], ["sha256", card.sha256.slice(0, 12)],
    ["knows", known.map(languageName).join(ui.code === "ar" ? "، " : ", ")], ["examples", whole(card.examples)],
  ];
  at("model").replaceChildren(...pairs.map(([name, value]) => make("div", {}, make("dt", {}, words[name]), make("dd", {}, make("bdi", {}, value)))));
  at("quality").replaceChildren(...card.figures.map(figure => make("tr", {},
    make("th", { scope: "row" }, `${languageName(figure.language)} · ${words[figure.task] ?? figure.task}`),
    ...[figure.accuracy, figure.macro_f1, figure.ece].map(value => make("td", {}, fine(value))))));
};
