// Builds elements. What the API says goes in as text nodes, never as markup, and a link leads to the web or not at all.

export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (name === "href" && !/^(\/(?!\/)|https?:)/.test(value)) made.setAttribute("href", "#");
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const text = (content) => el("p", {}, content);

export const section = (title, ...children) => el("section", {}, el("h2", {}, title), ...children);

export const bullets = (items) => el("ul", {}, items.map((item) => el("li", {}, item)));

export function facts(pairs) {
  const pair = ([name, value]) => [el("dt", {}, name), el("dd", {}, value ?? "–")];
  return el("dl", {}, Object.entries(pairs).flatMap(pair));
}

export function table(caption, heads, rows, empty = "There are none yet.") {
  if (!rows.length) return el("p", { class: "soft" }, empty);
  const head = el("tr", {}, heads.map((name) => el("th", { scope: "col" }, name)));
  const body = rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell ?? "–"))));
  const parts = [el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, body)];
  return el("div", { class: "scroll" }, el("table", {}, parts));
}

export function problemBox(problem) {
  const places = (problem.errors || []).map(({ field, detail }) => `${field}: ${detail}`);
  return el(
    "div",
    { class: "problem", role: "alert" },
    el("strong", {}, problem.title || "Something went wrong in this page"),
    text(problem.detail || problem.message),
    places.length ? bullets(places) : null,
    problem.correlationId ? el("p", { class: "soft" }, "For support: ", el("code", {}, problem.correlationId)) : null,
  );
}

// Run what a button or form begins; meanwhile it cannot begin again, and a failure is shown beside it.
async function guarded(control, shown, work) {
  control.disabled = true;
  shown.replaceChildren();
  try {
    await work();
  } catch (problem) {
    shown.replaceChildren(problemBox(problem));
  } finally {
    control.disabled = false;
  }
}

export function action(label, work) {
  const shown = el("div");
  const button = el("button", { type: "button", click: () => guarded(button, shown, work) }, label);
  return el("div", {}, button, shown);
}

export function field(label, name, properties = {}) {
  return el("label", {}, label, el(properties.rows ? "textarea" : "input", { name, required: true, ...properties }));
}

export function choice(label, name, options) {
  const entries = options.map(([value, shown]) => el("option", { value }, shown));
  return el("label", {}, label, el("select", { name, required: true }, entries));
}

export function form(fields, label, work) {
  const shown = el("div");
  const button = el("button", { type: "submit" }, label);
  const submit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    return guarded(button, shown, () => work(values));
  };
  return el("form", { submit }, ...fields, button, shown);
}

export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
