// Shows one article and sends what a key says of it. Texts are set as text, never as markup.

const at = (id) => document.getElementById(id);
let shown = null;
let busy = false;

// a key by its place on the keyboard, so that an Arabic layout needs no switch
function pressed(event) {
  const place = /^(?:Key([A-Z])|Digit([0-9])|Numpad([0-9]))$/.exec(event.code);
  if (place) return (place[1] ?? place[2] ?? place[3]).toLowerCase();
  return event.key.toLowerCase();
}

function item(label, index) {
  const li = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const kbd = document.createElement("kbd");
  kbd.textContent = label.key;
  button.append(kbd);
  for (const [lang, dir, name] of [["en", "ltr", label.name], ["ar", "rtl", label.name_ar]]) {
    if (lang === "ar" && name === label.name) continue;
    const span = document.createElement("span");
    span.lang = lang;
    span.dir = dir;
    span.textContent = name;
    button.append(span);
  }
  button.disabled = !shown.article;
  button.addEventListener("click", () => answer(index));
  li.append(button);
  return li;
}

function show(next) {
  const another = !shown || shown.at !== next.at;
  shown = next;
  const { answered, skipped, left, article, quit } = next;
  at("progress").textContent = `${answered} answered, ${skipped} skipped, ${left} left`;
  const arabic = article?.language === "ar";
  at("article").dir = arabic ? "rtl" : "ltr";
  at("article").lang = arabic ? "ar" : "en";
  const end = quit ? "Closed. What was answered is in the file." : "No articles are left. Press q to quit, u to undo.";
  at("title").textContent = article ? article.title : end;
  at("title").hidden = !at("title").textContent;
  at("text").textContent = article ? article.text : "";
  at("labels").replaceChildren(...next.labels.map(item));
  at("skip").disabled = !article;
  if (another) {
    at("article").scrollTop = 0;
    at("article").focus();
  }
}

async function ask(path, body) {
  if (busy) return;
  busy = true;
  try {
    const request = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(path, request);
    if (!response.ok) throw new Error(await response.text());
    at("said").textContent = "";
    show(await response.json());
  } catch (error) {
    at("said").textContent = error instanceof TypeError ? "rasid label has stopped: start it again to go on." : error.message;
  } finally {
    busy = false;
  }
}

const answer = (label) => shown?.article && ask("answer", { at: shown.at, label });
const skip = () => shown?.article && ask("answer", { at: shown.at, label: null });
const undo = () => ask("undo", {});
const quit = () => ask("quit", {});

at("skip").addEventListener("click", skip);
at("undo").addEventListener("click", undo);
at("quit").addEventListener("click", quit);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !shown) return;
  const key = pressed(event);
  // a button that has the focus keeps its own Space
  if (key === " " && event.target instanceof HTMLButtonElement) return;
  const label = shown.labels.findIndex((one) => one.key === key);
  const what = { " ": skip, u: undo, q: quit }[key] ?? (label >= 0 ? () => answer(label) : null);
  if (!what) return;
  event.preventDefault();
  what();
});
ask("question");
