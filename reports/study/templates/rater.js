"use strict";
// A rater's page: one trial at a time. Everything foreign is set as text; nothing is ever parsed as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const home = `nextgpt-study:${data.study}:${data.rater}`;
const blank = {seat: "", answers: {}, seconds: {}, plays: {}, comments: {}, unsent: [], at: -1, downloaded: false};
let state = read();
let opened = performance.now();
const main = document.getElementById("main");

function read() {
  try { return {...blank, ...JSON.parse(localStorage.getItem(home) || "{}")}; } catch { return {...blank}; }
}

function say(words) { document.getElementById("saved").textContent = words; }

function keep() {
  try {
    localStorage.setItem(home, JSON.stringify(state));
    if (!data.post) say("Saved in this browser.");
  } catch {
    say("This browser keeps nothing. Save a copy before you close the page.");
  }
}

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && name !== "list" && name !== "form") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// --- what a trial shows -------------------------------------------------------------------------

function shown(part, trial) {
  if ("text" in part) return make("p", {class: "text", dir: "auto", tabIndex: part.text.length > 900 ? 0 : -1}, part.text);
  const src = (data.media || {})[part.src] || data.base + part.src;
  if (part.kind === "image") {
    const fit = (event) => { if (event.target.naturalWidth <= 128) event.target.classList.add("drawn"); };
    return make("img", {src, alt: "Picture to judge", onload: fit});
  }
  const count = () => {
    const plays = state.plays[trial.id] ||= {};
    plays[part.src] = (plays[part.src] || 0) + 1;
    keep();
  };
  return make(part.kind, {src, controls: true, preload: "metadata", onended: count, "aria-label": part.kind === "audio" ? "Sound to judge" : "Clip to judge"});
}

function card(heading, parts, trial, ...more) {
  return make("section", {class: "card"}, make("h3", {}, heading), ...parts.map((part) => shown(part, trial)), ...more);
}

// --- what a trial asks --------------------------------------------------------------------------

function question(trial, field, bare = false) {
  const criterion = data.criteria.find((each) => each.name === trial.fields[field]);
  const scale = criterion.scale;
  const legend = make("legend", {}, bare ? `${criterion.question} (${field.split(" ").pop()})` : criterion.question);
  const body = scale.kind === "moment" ? moment(trial, field)
    : scale.kind === "points" && scale.most - scale.least > 20 ? slider(trial, field, scale, criterion)
    : radios(trial, field, scale);
  return make("fieldset", {"data-field": field}, legend, body);
}

function radios(trial, field, scale) {
  const values = scale.kind === "choice" ? data.sides
    : Array.from({length: scale.most - scale.least + 1}, (_, step) => scale.least + step);
  const chosen = (state.answers[trial.id] || {})[field];
  const rows = values.map((value, place) => make("label", {},
    make("input", {type: "radio", name: field, value: String(value), checked: chosen === value, onchange: () => answer(trial, field, value)}),
    make("b", {}, scale.kind === "choice" ? String(place + 1) : String(value)),
    make("span", {}, scale.anchors[String(value)] || String(value))));
  return make("div", {class: scale.kind === "choice" ? "points row" : "points"}, ...rows);
}

function slider(trial, field, scale, criterion) {
  const chosen = (state.answers[trial.id] || {})[field];
  const middle = Math.round((scale.least + scale.most) / 2);
  const set = (event) => {
    const value = Number(event.target.value);
    if (event.target.value === "" || !Number.isInteger(value) || value < scale.least || value > scale.most) return;
    number.value = range.value = String(value);
    range.classList.remove("untouched");
    answer(trial, field, value);
  };
  const range = make("input", {type: "range", min: scale.least, max: scale.most, value: chosen ?? middle, oninput: set, onclick: set, "aria-label": criterion.question});
  if (chosen === undefined) range.classList.add("untouched");
  const number = make("input", {type: "number", min: scale.least, max: scale.most, step: 1, value: chosen ?? "", oninput: set, "aria-label": `${criterion.question} In figures`});
  const points = Object.entries(scale.anchors).sort((a, b) => a[0] - b[0]);
  return make("div", {}, make("div", {class: "wide"}, range, number),
    make("ul", {class: "anchors"}, ...points.map(([point, words]) => make("li", {}, make("b", {}, point), ` ${words}`))));
}

function moment(trial, field) {
  const chosen = (state.answers[trial.id] || {})[field];
  const seconds = make("input", {type: "number", min: 0, step: 0.1, value: typeof chosen === "number" ? chosen : "", "aria-label": "Seconds from the start", oninput: () => {
    if (seconds.value !== "" && Number(seconds.value) >= 0) { never.setAttribute("aria-pressed", "false"); answer(trial, field, Number(seconds.value)); }
  }});
  const take = make("button", {type: "button", onclick: () => {
    const player = main.querySelector(".outputs video, .outputs audio");
    if (player) { player.pause(); seconds.value = player.currentTime.toFixed(2); seconds.dispatchEvent(new Event("input")); }
  }}, "Take the second from the player");
  const never = make("button", {type: "button", "aria-pressed": String(chosen === "never"), onclick: () => {
    seconds.value = ""; never.setAttribute("aria-pressed", "true"); answer(trial, field, "never");
  }}, "It never does");
  return make("div", {class: "moment"}, seconds, "seconds", take, never);
}

function answer(trial, field, value) {
  (state.answers[trial.id] ||= {})[field] = value;
  state.downloaded = false;
  changed(trial);
}

function changed(trial) {
  clock();
  if (data.post && !state.unsent.includes(trial.id)) state.unsent.push(trial.id);
  keep();
  progress();
  send();
}

const full = (trial) => Object.keys(trial.fields).every((field) => field in (state.answers[trial.id] || {}));
const done = () => data.trials.filter(full).length;

function clock() {
  const trial = data.trials[state.at];
  const now = performance.now();
  if (trial && !document.hidden) state.seconds[trial.id] = Math.round(10 * ((state.seconds[trial.id] || 0) + (now - opened) / 1000)) / 10;
  opened = now;
}

// --- screens ------------------------------------------------------------------------------------

function progress() {
  const bar = document.getElementById("progress");
  bar.max = data.trials.length;
  bar.value = done();
  document.getElementById("count").textContent = `${done()} of ${data.trials.length} answered`;
}

function show(place) {
  clock();
  state.at = place;
  keep();
  progress();
  main.replaceChildren(...(place < 0 ? welcome() : place >= data.trials.length ? finish() : ask(data.trials[place], place)));
  window.scrollTo(0, 0);
  const heading = main.querySelector("h1, h2");
  heading.tabIndex = -1;
  heading.focus({preventScroll: true});
}

function welcome() {
  const scales = data.criteria.flatMap((criterion) => [make("h2", {}, criterion.question),
    make("dl", {}, ...Object.entries(criterion.scale.anchors).flatMap(([point, words]) => [make("dt", {}, point), make("dd", {}, words)]))]);
  const next = data.trials.findIndex((trial) => !full(trial));
  const begin = make("button", {class: "main", onclick: () => show(next < 0 ? data.trials.length : next)}, done() ? "Go on" : "Begin");
  return [make("h1", {}, data.title), make("p", {class: "lead"}, data.instructions),
    make("p", {}, "Nobody asks who you are. Please write no name and no address into a comment."),
    make("div", {class: "nav"}, begin, ...copies()), ...scales];
}

function ask(trial, place) {
  const fields = Object.keys(trial.fields);
  const together = data.layout === "all";
  const outputs = trial.outputs.filter((output) => together || output.parts.length);
  const letter = (label) => fields.filter((field) => field.endsWith(` ${label}`));
  const problem = make("p", {class: "problem", role: "alert"});
  const next = () => {
    if (full(trial)) return show(place + 1);
    const open = fields.find((field) => !(field in (state.answers[trial.id] || {})));
    problem.textContent = "Please answer every question first.";
    [...main.querySelectorAll("fieldset")].find((each) => each.dataset.field === open).querySelector("input, button").focus();
    return undefined;
  };
  const comment = make("textarea", {rows: 2, value: state.comments[trial.id] || "", "aria-label": "Comment", oninput: (event) => { state.comments[trial.id] = event.target.value.slice(0, 2000); changed(trial); }});
  const short = data.criteria.every((criterion) => criterion.scale.kind === "choice" || criterion.scale.most <= 10 && criterion.scale.kind === "points");
  return [make("h2", {}, `Trial ${place + 1} of ${data.trials.length}`), card("What was asked", trial.asked, trial),
    make("div", {class: "outputs"}, ...outputs.map((output) => card(output.label, output.parts, trial, ...(together ? letter(output.label).map((field) => question(trial, field, true)) : [])))),
    make("div", {class: "questions"}, ...(together ? [] : fields.map((field) => question(trial, field)))),
    make("details", {}, make("summary", {}, "Say something about this trial (nobody has to)"), comment), problem,
    make("div", {class: "nav"}, make("button", {onclick: () => show(place - 1)}, "Back"), make("button", {class: "main", id: "next", onclick: next}, "Next"), ...copies(),
      make("span", {class: "keys"}, short ? "Keys: figures answer, Enter goes on" : "Key: Enter goes on"))];
}

function finish() {
  const open = data.trials.findIndex((trial) => !full(trial));
  const back = make("button", {onclick: () => show(open < 0 ? data.trials.length - 1 : open)}, open < 0 ? "Back" : "To the trial that is open");
  if (open >= 0) return [make("h1", {}, "Not quite"), make("p", {class: "lead"}, "Some trials have no answer yet."), make("div", {class: "nav"}, back)];
  if (data.post) return [make("h1", {}, "Thank you"), make("p", {class: "lead"}, "You have answered everything. When it says below that all is saved, you can close this page."), make("div", {class: "nav"}, back)];
  if (!state.downloaded) setTimeout(download, 300);
  return [make("h1", {}, "Thank you"), make("p", {class: "lead"}, "You have answered everything. Your answers have just been saved as a file; please send it to whoever asked you."),
    make("p", {}, make("code", {}, name())), make("div", {class: "nav"}, make("button", {class: "main", onclick: download}, "Save the file again"), back)];
}

// --- keeping and sending ------------------------------------------------------------------------

const post = (trial) => JSON.stringify({trial, answer: state.answers[trial] || {}, seconds: state.seconds[trial] || 0, comment: state.comments[trial] || "", seat: state.seat});
const name = () => `answers-${data.study}-rater-${data.rater}.json`;

function copies() {
  if (data.post) return [];
  const file = make("input", {type: "file", accept: ".json", hidden: true, onchange: () => file.files[0]?.text().then(restore)});
  return [make("button", {onclick: download}, "Save a copy"), make("button", {onclick: () => file.click()}, "Go on from a copy"), file];
}

function download() {
  clock();
  const {answers, seconds, plays, comments} = state;
  const record = {format: "nextgpt-answers/1", study: data.study, rater: data.rater, answers, seconds, plays, comments};
  const url = URL.createObjectURL(new Blob([JSON.stringify(record, null, 1)], {type: "application/json"}));
  const link = make("a", {href: url, download: name()});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  state.downloaded = true;
  keep();
}

function restore(text) {
  let copy = null;
  try { copy = JSON.parse(text); } catch { /* told below */ }
  if (!copy || copy.study !== data.study || copy.rater !== data.rater) { say("That file is no copy of these answers."); return; }
  for (const part of ["answers", "seconds", "plays", "comments"]) state[part] = {...copy[part], ...state[part]};
  show(-1);
}

let sending = false;
async function send() {
  if (!data.post || sending) return;
  sending = true;
  while (state.unsent.length) {
    const trial = state.unsent[0];
    const body = post(trial);
    try {
      const reply = await fetch(data.post, {method: "POST", headers: {"Content-Type": "application/json"}, body});
      if (reply.status === 409) {
        // Somebody answered this trial by the same link in another browser: what was said there stays.
        state.unsent = state.unsent.filter((each) => each !== trial);
        keep();
        say("This trial was answered otherwise in another browser, by your link, and that answer stays. Is somebody else using your link?");
        continue;
      }
      if (!reply.ok) throw new Error(String(reply.status));
      // What was changed while it travelled goes once more.
      if (post(trial) === body) state.unsent = state.unsent.filter((each) => each !== trial);
      keep();
      say(state.unsent.length ? "Saving …" : "All is saved.");
    } catch {
      say("Not saved yet: the study's computer does not answer. Your answers are kept here and sent as soon as it does.");
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
  sending = false;
}

document.addEventListener("keydown", (event) => {
  const trial = data.trials[state.at];
  const typing = event.target.matches("textarea, input[type=number]");
  if (!trial || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea")) return;
  if (event.key === "Enter" && !event.target.matches("button, summary, a, video, audio")) { event.preventDefault(); document.getElementById("next").click(); }
  if (typing || !/^[0-9]$/.test(event.key)) return;
  const groups = [...main.querySelectorAll("fieldset")].filter((each) => each.querySelector("input[type=radio]"));
  const group = event.target.closest("fieldset") || groups.find((each) => !each.querySelector("input:checked")) || groups[0];
  const options = group ? group.querySelectorAll("input[type=radio]") : [];
  const option = options[event.key === "0" ? 9 : Number(event.key) - 1];
  if (option) { event.preventDefault(); option.click(); }
});
// Time away is not time on the trial.
document.addEventListener("visibilitychange", () => { opened = performance.now(); });
window.addEventListener("beforeunload", (event) => { if (!data.post && done() === data.trials.length && !state.downloaded) event.preventDefault(); });

if (!state.seat) state.seat = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
document.title = data.title;
document.getElementById("who").textContent = `${data.title} · rater ${data.rater}`;
data.base ||= "";
if (data.said) {
  for (const [trial, row] of Object.entries(data.said)) {
    if (state.unsent.includes(trial)) continue;
    state.answers[trial] = row.answer;
    state.seconds[trial] = row.seconds;
    if (row.comment) state.comments[trial] = row.comment;
  }
}
show(state.at >= 0 && done() ? Math.min(state.at, data.trials.length) : -1);
send();
