// Shows the samples that the filters leave, a few at a time. All text goes in as text, never as markup.
"use strict";
(() => {
  const AT_ONCE = 24;
  const { systems, series, benchmarks, rows } = JSON.parse(document.getElementById("samples-data").textContent);
  const form = document.getElementById("samples-form");
  const list = document.getElementById("samples-list");
  const count = document.getElementById("samples-count");
  const more = document.getElementById("samples-more");
  const baseline = systems.length - 1;
  let found = [], shown = 0, texts = null;

  function make(tag, text, kind) {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  }

  function options(select, names) {
    for (const [value, words] of names) select.append(new Option(words, value));
  }

  function value(row, system, metric) {
    const place = benchmarks[row[0]].metrics.findIndex((each) => each.name === metric);
    const answer = row[5][system];
    return answer && place >= 0 ? answer[3][place] : null;
  }

  // Which of the chosen system and the baseline is better on a sample, by the chosen metric.
  function verdict(row, system, metric) {
    const about = benchmarks[row[0]].metrics.find((each) => each.name === metric);
    const [a, b] = [system, baseline].map((each) => value(row, each, metric));
    if (!about || a === null || b === null) return "";
    const turn = about.lower ? -1 : 1;
    if (turn * a > turn * b) return "first";
    if (turn * a < turn * b) return "second";
    return turn * a >= about.right ? "right" : "wrong";
  }

  function words(row) {
    const said = [row[1], row[2], row[3] && row[3][0], row[4] && row[4][0]];
    for (const answer of row[5]) if (answer) said.push(answer[0], answer[2]);
    return said.join("\n").toLowerCase();
  }

  function metricOf(row) {
    return form.metric.value || benchmarks[row[0]].metrics[0]?.name;
  }

  function filter() {
    const wanted = form.search.value.toLowerCase().trim();
    if (wanted && !texts) texts = rows.map(words);
    const system = Number(form.system.value), outcome = form.verdict.value;
    found = rows.filter((row, place) => {
      if (form.family.value && benchmarks[row[0]].family !== form.family.value) return false;
      if (form.benchmark.value && String(row[0]) !== form.benchmark.value) return false;
      if (form.metric.value && value(row, system, form.metric.value) === null) return false;
      if (outcome === "failed" && !(row[5][system] && row[5][system][2])) return false;
      if (outcome && outcome !== "failed" && verdict(row, system, metricOf(row)) !== outcome) return false;
      return !wanted || texts[place].includes(wanted);
    });
    shown = 0;
    list.replaceChildren();
    count.textContent = `${found.length} of ${rows.length} samples`;
    extend();
  }

  function medium([kind, file, width, height, drawn], alt) {
    const element = make(kind === "image" ? "img" : kind);
    if (kind === "image") {
      Object.assign(element, { alt, width, height, loading: "lazy", decoding: "async" });
      if (drawn) element.className = "drawn";
    } else {
      Object.assign(element, { controls: true, preload: "none" });
      element.setAttribute("aria-label", alt);
    }
    element.src = file;
    return element;
  }

  function pane(who, said, media, silence, failure, score) {
    const element = make("div", "", "pane");
    element.append(who);
    if (score) who.append(" ", make("span", score, "score"));
    for (const each of media) element.append(medium(each, who.textContent));
    if (said) element.append(make("p", said, "said"));
    if (failure) element.append(make("p", `Failed: ${failure}`, "said failed"));
    else if (!said && !media.length) element.append(make("p", silence, "said silent"));
    return element;
  }

  function title(name, kind) {
    const element = make("p", "", "who");
    element.append(make("span", name, kind));
    return element;
  }

  function article(row) {
    const [place, id, slice, input, reference, answers] = row;
    const element = make("article", "", "sample");
    element.setAttribute("aria-label", `Sample ${id}`);
    element.append(make("h3", [id, slice, benchmarks[place].name].filter(Boolean).join(" · "), "id"));
    const panes = make("div", "", "panes");
    for (const [name, said] of [["Input", input], ["Reference", reference]])
      panes.append(pane(title(name), said ? said[0] : "", said ? said[1] : [], "not at hand"));
    const chosen = Number(form.system.value);
    answers.forEach((answer, system) => {
      if (!answer || (form.system.value !== "" && system !== chosen && system !== baseline)) return;
      const scored = value(row, system, metricOf(row));
      const score = scored === null ? "" : String(Math.round(scored * 1000) / 1000);
      const name = title(systems[system], `system s${series[system]}`);
      panes.append(pane(name, answer[0], answer[1], "said nothing", answer[2], score));
    });
    element.append(panes);
    return element;
  }

  function extend() {
    const next = found.slice(shown, shown + AT_ONCE);
    list.append(...next.map(article));
    shown += next.length;
    more.hidden = shown >= found.length;
    more.textContent = `Show ${Math.min(AT_ONCE, found.length - shown)} more`;
  }

  options(form.family, [...new Set(benchmarks.map((each) => each.family))].map((name) => [name, name]));
  options(form.benchmark, benchmarks.map((each, place) => [place, each.name]));
  const metrics = new Map(benchmarks.flatMap((each) => each.metrics.map((one) => [one.name, one.words])));
  options(form.metric, [...metrics]);
  const rivals = systems.slice(0, Math.max(1, baseline));
  options(form.system, rivals.map((name, place) => [place, name]));
  let waiting = 0;
  form.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(filter);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", extend);
  document.getElementById("samples-browser").hidden = false;
  filter();
})();
