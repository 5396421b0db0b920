import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage, submit } from "./page.mjs";
import { checkoutDone, products } from "./pages/products.js";

openPage();

const price = { price_id: "price_1", currency: "usd", interval: "month", interval_count: 1, usage_type: "licensed", tiers: [], tiers_mode: null, currency_options: [] };
const domain = { domain_sid: "dom_1", domain_name: "shop.example.com", display_name: "shop.example.com", state: "VERIFIED" };
const preview = { currency: "usd", display: "USD $49.00 / month", interval: "month", interval_count: 1, quantity: 1, warnings: ["TAX_EXCLUDED"], lines: [] };

async function visit(license_kind, offered = price) {
  const asked = [];
  const shelf = { "/v1/products": [{ name: "Harbor", license_kind, prices: [offered] }], "/v1/domains": [domain] };
  const point = (quantity) => ({ quantity, display: "USD" });
  const post = async (path, { body }) => {
    asked.push([path, body.quantity, body.quantities, ...(body.currency ? [body.currency] : [])]);
    return { ...preview, points: (body.quantities ?? []).map(point), url: "https://pay.example/1" };
  };
  const page = await products({ api: { list: async (path) => shelf[path], post } });
  return { page, asked, fields: page.all((element) => element.attributes.name === "quantity") };
}

test("what has no limits is bought once, and nobody is asked how many", async () => {
  const { page, asked, fields } = await visit("UNLIMITED");

  await submit(page, "Show the price", {});
  await submit(page, "Buy", { domain_sid: "dom_1" });

  assert.equal(fields.length, 0);
  assert.deepEqual(asked, [["/v1/pricing/preview", 1, []], ["/v1/checkout-sessions", 1, undefined]]);
  assert.ok(!page.textContent.includes("What other quantities cost"));
});

test("what is counted is bought in the quantity that is asked for, and other quantities are shown", async () => {
  const { page, asked, fields } = await visit("USAGE");

  await submit(page, "Show the price", { quantity: "12" });
  await submit(page, "Buy", { quantity: "12", domain_sid: "dom_1" });

  assert.equal(fields.length, 2);
  assert.deepEqual(asked, [["/v1/pricing/preview", 12, [1, 10, 100, 1000]], ["/v1/checkout-sessions", 12, undefined]]);
  assert.ok(page.textContent.includes("What other quantities cost"));
  assert.ok(page.textContent.includes("Taxes come on top."));
});

test("where a price has other currencies, the buyer chooses one, for what is shown and for what is bought", async () => {
  const { page, asked } = await visit("UNLIMITED", { ...price, currency_options: [{ currency: "eur", tiers: [] }] });

  await submit(page, "Show the price", { currency: "eur" });
  await submit(page, "Buy", { domain_sid: "dom_1", currency: "eur" });

  assert.deepEqual(asked, [["/v1/pricing/preview", 1, [], "eur"], ["/v1/checkout-sessions", 1, undefined, "eur"]]);
});

async function comeBack(state, failure) {
  const checkout = { state, failure, url: null, amount_minor: 4900, currency: "usd", quantity: 1, license: null };
  const query = new URLSearchParams({ checkout_session_id: "chk_1" });
  return checkoutDone({ api: { get: async () => checkout }, query, isCurrent: () => true });
}

test("a payment that failed after the buyer came back says so, and the way to buy again is shown", async () => {
  const failed = await comeBack("EXPIRED", "The bank refused the payment. Nothing was charged.");
  const late = await comeBack("EXPIRED", null);

  assert.match(failed.textContent, /ended without a license\. The bank refused the payment\. Nothing was charged\./);
  assert.ok(!failed.textContent.includes("expired"));
  assert.match(late.textContent, /expired before it was paid/);
  for (const page of [failed, late]) assert.equal(page.all((found) => found.attributes.href === "/products").length, 1);
});
