// A customer's visit through the portal's own pages, to a running API. What only others can do (read a mail, set a DNS
// record, pay) is asked for on standard output, a line of JSON each, and awaited on standard input.

import { createInterface } from "node:readline";

import { createApi } from "./api.js";
import { memory, openPage, press, submit, visited } from "./page.mjs";
import * as account from "./pages/account.js";
import { billing } from "./pages/billing.js";
import { domains } from "./pages/domains.js";
import { license, licenses } from "./pages/licenses.js";
import { checkoutDone, products } from "./pages/products.js";
import { usage } from "./pages/usage.js";

const [base, origin] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function ask(question) {
  process.stdout.write(`${JSON.stringify(question)}\n`);
  return JSON.parse((await lines.next()).value);
}

const PATIENCE_MS = 60_000;
async function eventually(look) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`It did not happen: ${look}`);
    await new Promise((later) => setTimeout(later, 200));
  }
}

openPage();
// As a page of the portal's origin: the API must allow it.
const asPage = async (url, given) => {
  const response = await fetch(url, { ...given, headers: { ...given.headers, origin } });
  if (response.headers.get("access-control-allow-origin") !== origin) throw new Error(`${url} may not be read by the portal`);
  return response;
};
const storage = memory();
const api = createApi({ base, storage, fetch: asPage });
const said = [];
const context = (query = "", names = []) => ({
  api, storage, names, query: new URLSearchParams(query), go: () => {}, show: () => {}, say: (text) => said.push(text), isCurrent: () => true,
});

const email = `portal.${process.pid}@example.com`;
const password = `long enough ${process.pid} sunflower`;
const domain_name = `portal-${process.pid}.example.com`;

await submit(account.signUp(context()), "Sign up", { name: "Ann", email, password });
await press(account.verifyEmail(context(`token=${await ask({ need: "token", email })}`)), "Verify the address");
await submit(account.login(context()), "Log in", { email, password });
const first = storage.getItem("keywright.refresh_token");

// A new page of the same tab has the storage alone.
const reopened = createApi({ base, storage, fetch: asPage });
await reopened.get("/v1/me");
const isRotated = storage.getItem("keywright.refresh_token") !== first;

await submit(await domains(context()), "Add the domain", { domain_name });
const pending = await domains(context());
await press(pending, "Verify");
const looked = (await domains(context())).textContent;

const [domain] = await api.list("/v1/domains");
const offers = await eventually(async () => {
  const page = await products(context());
  return page.all((element) => element.tag === "section").find((section) => section.textContent.includes("Usage-based"));
});
await submit(offers, "Show the price", { quantity: "250" });
const preview = offers.textContent;
await submit(offers, "Buy", { quantity: "250", domain_sid: domain.domain_sid });
const landed = new URL(await ask({ need: "payment", url: visited.assigned, email }));
const done = await eventually(async () => {
  const page = await checkoutDone({ ...context(landed.search), isCurrent: () => false });
  return page.textContent.includes("Paid and licensed") && page;
});

const [owned] = await api.list("/v1/licenses");
const shown = await license(context("", [owned.license_sid]));
await press(shown, "Download");
const money = await eventually(async () => {
  const page = (await billing(context())).textContent;
  return page.includes("123.45 USD") && page;
});
visited.assigned = null;
await press(await billing(context()), "Open the billing portal");
const report = {
  isRotated,
  looked,
  preview,
  landed: landed.pathname,
  done: done.textContent,
  list: (await licenses(context())).textContent,
  license: shown.textContent,
  file: await visited.saved[0].text(),
  usage: (await usage(context())).textContent,
  billing: money,
  billingPortal: visited.assigned,
  said,
};
await api.logOut();
await ask({ report: { ...report, isLoggedOut: !api.hasSession() } });
process.exit(0);
