// Starts the portal: which address shows which page, who may see it, and moving between them without loading anew.

import { createApi } from "./api.js";
import { action, el, problemBox } from "./dom.js";
import * as account from "./pages/account.js";
import { billing, contractInvoice } from "./pages/billing.js";
import { domains } from "./pages/domains.js";
import { license, licenses } from "./pages/licenses.js";
import { checkoutCanceled, checkoutDone, products } from "./pages/products.js";
import { usage } from "./pages/usage.js";

const OPEN = { open: true };
const PAGES = [
  [/^\/(?:licenses)?$/, "Licenses", licenses],
  [/^\/licenses\/([^/]+)$/, "License", license],
  [/^\/domains$/, "Domains", domains],
  [/^\/products$/, "Products", products],
  [/^\/checkout\/success$/, "Checkout", checkoutDone],
  [/^\/checkout\/canceled$/, "Nothing was charged", checkoutCanceled, OPEN],
  [/^\/usage$/, "Usage", usage],
  [/^\/billing$/, "Billing", billing],
  [/^\/contract-invoices\/([^/]+)$/, "Invoice", contractInvoice],
  [/^\/login$/, "Log in", account.login, OPEN],
  [/^\/signup$/, "Sign up", account.signUp, OPEN],
  [/^\/verify-email$/, "Verify your address", account.verifyEmail, OPEN],
  [/^\/forgot$/, "Forgotten password", account.forgot, OPEN],
  [/^\/reset-password$/, "Choose a password", account.resetPassword, OPEN],
  [/^\/accept-invitation$/, "Accept the invitation", account.acceptInvitation],
];
const NOWHERE = [null, "There is no such page", () => el("a", { href: "/" }, "Your licenses"), OPEN];
const NAVIGATION = {
  "/licenses": "Licenses",
  "/domains": "Domains",
  "/products": "Products",
  "/usage": "Usage",
  "/billing": "Billing",
};

const main = document.getElementById("main");
const notice = document.getElementById("notice");
let turn = 0;

const { api_url: base } = await (await fetch("/settings.json")).json();
const api = createApi({
  base,
  storage: sessionStorage,
  fetch: (...given) => fetch(...given),
  onEnd: () => say("Your session has ended. Log in again."),
});

function say(message) {
  notice.textContent = message;
}

function go(path, message = "") {
  history.pushState(null, "", path);
  say(message);
  return show();
}

function showNavigation() {
  const link = ([href, name]) => el("a", { href, "aria-current": location.pathname.startsWith(href) && "page" }, name);
  const leave = () => api.logOut().finally(() => go("/login", "You are logged out."));
  const inside = () => [...Object.entries(NAVIGATION).map(link), action("Log out", leave)];
  const outside = () => [["/login", "Log in"], ["/signup", "Sign up"]].map(link);
  document.getElementById("nav").replaceChildren(...(api.hasSession() ? inside() : outside()));
}

async function show() {
  const mine = (turn += 1);
  const found = PAGES.map((page) => [page, page[0].exec(location.pathname)]).find(([, match]) => match);
  const [, title, page, access] = found ? found[0] : NOWHERE;
  const isOpen = access === OPEN || api.hasSession();
  const query = new URLSearchParams(location.search);
  const names = found ? found[1].slice(1).map(decodeURIComponent) : [];
  const context = { api, storage: sessionStorage, go, say, show, query, names, isCurrent: () => mine === turn };
  document.title = `${title} – Keywright`;
  showNavigation();
  main.setAttribute("aria-busy", "true");
  let content;
  try {
    // Who has to log in first does so in place, and then sees what the address named.
    content = await (isOpen ? page : account.login)(context);
  } catch (problem) {
    content = isOpen && access !== OPEN && !api.hasSession() ? await account.login(context) : problemBox(problem);
  }
  if (mine !== turn) return;
  main.replaceChildren(el("h1", {}, isOpen ? title : "Log in"), content);
  main.removeAttribute("aria-busy");
  showNavigation();
  main.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
window.addEventListener("popstate", show);
show();
