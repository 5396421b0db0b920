import assert from "node:assert/strict";
import { test } from "node:test";

import * as words from "./words.js";

test("amounts keep every digit, in the currency's own units", () => {
  const amounts = [[12345, "usd"], [5, "eur"], [-5, "eur"], [500, "jpy"], [12345, "kwd"], ["49.63", "usd"], ["9007199254740993", "usd"]];

  const shown = amounts.map(([minor, currency]) => words.money(minor, currency));

  assert.deepEqual(shown, ["123.45 USD", "0.05 EUR", "-0.05 EUR", "500 JPY", "12.345 KWD", "0.4963 USD", "90071992547409.93 USD"]);
});

const TIMELINE = {
  state: "RESTRICTED",
  decided_by: "payment-failed",
  why: ["The payment of invoice in_1 failed."],
  would_change: [{ rule: "payment-failed", stripe_object: "in_1", do: "pay in_1" }],
  changes_by_itself_at: "2026-01-02T03:04:00Z",
};

test("a license says why it stands where it does and what would change it", () => {
  const { story, remedies } = words.licenseStory(TIMELINE, "UTC");

  assert.match(story[0], /restricted/);
  assert.equal(story[1], "The payment of invoice in_1 failed.");
  assert.deepEqual(remedies, ["Pay in_1.", "It changes by itself on 2 Jan 2026, 03:04."]);
});

test("what nothing lifts says so, and what is active needs no advice", () => {
  const bare = { why: [], would_change: [], changes_by_itself_at: null };

  assert.match(words.licenseStory({ ...bare, state: "REVOKED" }).remedies[0], /Nothing lifts this/);
  assert.deepEqual(words.licenseStory({ ...bare, state: "ACTIVE" }).remedies, []);
});

test("of the causes the one that decides is named", () => {
  const cause = { rule: "payment-failed", ended_at: null, superseded_by: null };
  const status = (changes) => words.causeStatus({ ...cause, ...changes }, "payment-failed", "UTC");

  assert.equal(status({}), "This decides");
  assert.equal(status({ rule: "paid" }), "Holds");
  assert.match(status({ ended_at: "2026-01-02T03:04:00Z" }), /^Over since 2 Jan 2026/);
  assert.match(status({ superseded_by: "evt_2" }), /^Replaced/);
});

test("usage names its threshold exactly", () => {
  const at = (quantity, limit, limit_kind = "soft") => words.threshold({ quantity, limit, limit_kind });

  assert.equal(at("5", null, null), "No limit");
  assert.equal(at("79.999", "100"), "79 % of 100");
  assert.match(at("80", "100"), /near the limit/);
  assert.match(at("100", "100", "hard"), /more is refused/);
  assert.match(at("100.5", "100"), /over what is included/);
  assert.equal(words.percentUsed("9007199254740993.5", "9007199254740993.5"), 100);
  assert.equal(words.percentUsed("1", "0"), null);
});

test("tiers become ranges, and the chart shows where they meet", () => {
  const price = { currency: "usd", tiers: [{ up_to: 100, unit_amount: null, flat_amount: "4900" }, { up_to: null, unit_amount: "49.63", flat_amount: null }] };

  assert.deepEqual(words.tierRows(price), [["1 to 100", "–", "49.00 USD"], ["101 and more", "0.4963 USD", "–"]]);
  assert.deepEqual(words.chartQuantities(price), [1, 100, 101, 200]);
  assert.deepEqual(words.chartQuantities({ tiers: [] }), [1, 10, 100, 1000]);
});

test("what was found in DNS is said for each resolver", () => {
  assert.equal(words.finding({ resolver: "a", found: "RECORDS", values: ["x", "y"] }), "a found “x”, “y”.");
  assert.equal(words.finding({ resolver: "b", found: "NO_NAME", values: [] }), "b found no such name.");
});

test("a checkout is followed until it is settled", () => {
  const settled = ["OPEN", "PAID_PROCESSING", "LICENSED", "EXPIRED"].filter(words.isSettled);

  assert.deepEqual(settled, ["LICENSED", "EXPIRED"]);
  assert.match(words.progress({ state: "PAID_PROCESSING", failure: null }), /being generated/);
  assert.match(words.progress({ state: "PAID_PROCESSING", awaiting_payment: true }), /Your bank has been asked/);
  assert.match(words.progress({ state: "EXPIRED", failure: null }), /expired before it was paid/);
});
