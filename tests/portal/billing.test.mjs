import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage } from "./page.mjs";
import { ends } from "./pages/billing.js";

openPage();

const going = { ended_at: null, cancel_at: null, cancel_at_period_end: false, items: [{ current_period_end: "2026-03-01T00:00:00Z" }] };

test("a subscription that ends by itself says when, whichever way it was asked to", () => {
  assert.match(ends(going), /^Renews 1 Mar 2026/);
  assert.match(ends({ ...going, cancel_at: "2026-02-15T00:00:00Z" }), /^Ends 15 Feb 2026/);
  assert.match(ends({ ...going, cancel_at_period_end: true }), /^Ends 1 Mar 2026/);
  assert.match(ends({ ...going, cancel_at: "2026-02-15T00:00:00Z", ended_at: "2026-02-15T00:00:00Z" }), /^Ended 15 Feb 2026/);
});
