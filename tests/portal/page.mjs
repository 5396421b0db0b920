// As much of a browser's page as the portal's modules touch, for tests without one. Text is kept as text.

class Element {
  constructor(tag) {
    Object.assign(this, { tag, attributes: {}, children: [], listeners: {}, disabled: false, value: "" });
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name === "value") this.value = String(value);
  }

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  cloneNode() {
    const copy = Object.assign(new Element(this.tag), { attributes: { ...this.attributes }, value: this.value });
    copy.children = this.children.map((child) => (typeof child === "string" ? child : child.cloneNode()));
    return copy;
  }

  click() {
    return this.listeners.click?.({ target: this });
  }

  get textContent() {
    return this.children.map((child) => (typeof child === "string" ? child : child.textContent)).join(" ");
  }

  all(wanted) {
    return [wanted(this) ? this : [], this.children.map((child) => (typeof child === "string" ? [] : child.all(wanted)))].flat(3);
  }
}

class FormData {
  constructor(form) {
    this.fields = form.all((element) => element.attributes.name);
  }

  [Symbol.iterator]() {
    return this.fields.map((field) => [field.attributes.name, field.value])[Symbol.iterator]();
  }
}

export const visited = { assigned: null, saved: [] };

export function openPage() {
  const document = { createElement: (tag) => new Element(tag) };
  const location = { pathname: "/", assign: (url) => { visited.assigned = url; } };
  Object.assign(globalThis, { document, location, FormData, history: { replaceState() {} } });
  URL.createObjectURL = (blob) => { visited.saved.push(blob); return "blob:saved"; };
  URL.revokeObjectURL = () => {};
}

export function memory(given = {}) {
  const kept = new Map(Object.entries(given));
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  };
}

function quiet(place) {
  const [problem] = place.all((element) => element.attributes.class === "problem");
  if (problem) throw new Error(problem.textContent);
}

export async function press(page, label) {
  const [button] = page.all((element) => element.tag === "button" && element.textContent === label && element.listeners.click);
  if (!button) throw new Error(`There is no button ${label} in: ${page.textContent}`);
  await button.click();
  quiet(page);
}

export async function submit(page, label, values) {
  const named = (form) => form.all((element) => element.tag === "button" && element.textContent === label).length > 0;
  const [form] = page.all((element) => element.tag === "form" && named(element));
  if (!form) throw new Error(`There is no form ${label} in: ${page.textContent}`);
  for (const field of form.all((element) => element.attributes.name)) field.value = values[field.attributes.name] ?? field.value;
  await form.listeners.submit({ preventDefault() {}, target: form });
  quiet(page);
}
