import assert from "node:assert/strict";
import { test } from "node:test";

import { el, problemBox } from "./dom.js";
import { openPage } from "./page.mjs";

openPage();

test("links lead to the web or to the portal, and nowhere else", () => {
  const leads = ["/domains", "https://a.example/", "javascript:alert(1)", "//evil.example", "data:text/html,x"];

  assert.deepEqual(leads.map((href) => el("a", { href }).attributes.href), ["/domains", "https://a.example/", "#", "#", "#"]);
});

test("what is shown is text, whatever it looks like", () => {
  const [child] = el("p", {}, "<img src=x onerror=alert(1)>").children;

  assert.equal(child, "<img src=x onerror=alert(1)>");
});

test("a problem is shown with title, detail, fields and correlation id", () => {
  const shown = problemBox({ title: "Not so", detail: "Because.", errors: [{ field: "email", detail: "Wrong." }], correlationId: "c-1" });

  assert.equal(shown.attributes.role, "alert");
  for (const part of ["Not so", "Because.", "email: Wrong.", "c-1"]) assert.ok(shown.textContent.includes(part), part);
});
