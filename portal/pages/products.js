// What is sold and what it costs, as the server reckons it; the way to Stripe's page, and back.

import { action, choice, el, field, form, section, table, text } from "../dom.js";
import { caution, chartQuantities, every, isSettled, money, progress, tierRows } from "../words.js";

const LOOK_AGAIN_MS = 2000;
const LOOKS = 60;

async function previewOf(api, asked, shown) {
  const body = { ...asked, locale: "en" };
  const preview = await api.post("/v1/pricing/preview", { body });
  const lines = preview.lines.map((line) => [line.description, `${line.quantity}`, money(line.amount, preview.currency)]);
  const points = preview.points.map((point) => [`${point.quantity}`, point.display]);
  const rest = ` ${every(preview.interval, preview.interval_count)} for ${preview.quantity}, before tax`;
  shown.replaceChildren(
    el("p", {}, el("strong", {}, preview.display), rest),
    ...preview.warnings.map((warning) => el("p", { class: "soft" }, caution(warning))),
    table("How it comes about", ["What", "Quantity", "Amount"], lines),
    points.length ? table("What other quantities cost", ["Quantity", "Price"], points) : "",
  );
}

function offer(context, product, price, domains) {
  const shown = el("div", { "aria-live": "polite" });
  // What has no limits is bought once: there is no quantity to ask for.
  const isCounted = product.license_kind !== "UNLIMITED";
  const quantities = isCounted ? chartQuantities(price) : [];
  const quantity = ({ quantity: text }) => (isCounted ? Number.parseInt(text, 10) : 1);
  const currencies = [price.currency, ...price.currency_options.map((option) => option.currency)];
  const terms = (values) => ({ price_id: price.price_id, quantity: quantity(values), currency: values.currency || undefined });
  const buy = async (values) => {
    const body = { ...terms(values), domain_sid: values.domain_sid, challenge: values.challenge || undefined };
    const opened = await context.api.post("/v1/checkout-sessions", { body });
    location.assign(opened.url);
  };
  const asked = price.usage_type === "metered" ? "Expected usage" : "Quantity";
  const amounts = () => [
    isCounted ? field(asked, "quantity", { type: "number", min: 1, value: 1, step: 1 }) : "",
    currencies.length > 1 ? choice("Currency", "currency", currencies.map((code) => [code, code.toUpperCase()])) : "",
  ];
  const bound = field("Challenge of the machine, if you have one", "challenge", { rows: 3, required: false });
  const buying = [choice("Domain", "domain_sid", domains), ...amounts(), product.license_kind === "AIR_GAPPED" ? bound : ""];
  return el(
    "div",
    {},
    el("h3", {}, `${price.currency.toUpperCase()}, ${every(price.interval, price.interval_count)}`),
    price.tiers.length ? table(`Tiers (${price.tiers_mode})`, ["Quantity", "Each", "Flat"], tierRows(price)) : null,
    form(amounts(), "Show the price", (values) => previewOf(context.api, { ...terms(values), quantities }, shown)),
    shown,
    domains.length ? form(buying, "Buy", buy) : el("p", {}, el("a", { href: "/domains" }, "Add a domain"), " to buy this."),
  );
}

export async function products(context) {
  const [items, domains] = await Promise.all([context.api.list("/v1/products"), context.api.list("/v1/domains")]);
  if (!items.length) return text("Nothing is sold at the moment.");
  const isProven = (domain) => domain.state === "VERIFIED";
  const kept = domains.filter((domain) => domain.state !== "DELETED");
  return el("div", {}, items.map((product) => {
    const needsProof = product.domain_verification === "required";
    const fit = kept.filter((domain) => !needsProof || isProven(domain));
    const options = fit.map((domain) => [domain.domain_sid, domain.display_name]);
    return section(
      product.name,
      product.description ? text(product.description) : null,
      needsProof ? text("For verified domains only.") : null,
      product.prices.map((price) => offer(context, product, price, options)),
    );
  }));
}

export async function checkoutDone({ api, query, isCurrent }) {
  const path = { checkout_session_id: query.get("checkout_session_id") };
  const list = el("a", { href: "/licenses" }, "your licenses");
  if (!path.checkout_session_id) return el("p", {}, "Paid. The license is generated in a moment: see ", list, ".");
  const look = () => api.get("/v1/checkout-sessions/{checkout_session_id}", { path });
  const shown = el("div", { role: "status" });
  const draw = (checkout) => shown.replaceChildren(
    text(progress(checkout)),
    text(`${money(checkout.amount_minor, checkout.currency)} for ${checkout.quantity}`),
    checkout.is_estimate ? text(caution("METERED_ESTIMATE")) : "",
    checkout.license ? el("a", { href: `/licenses/${checkout.license.license_sid}` }, "Show the license") : "",
    checkout.state === "OPEN" && checkout.url ? action("Go on to the payment", () => location.assign(checkout.url)) : "",
    checkout.state === "EXPIRED" ? el("a", { href: "/products" }, "Start again") : "",
  );
  const follow = async (looks) => {
    const checkout = await look().catch(() => null);
    if (!isCurrent()) return;
    if (checkout) draw(checkout);
    if (looks > 0 && !(checkout && isSettled(checkout.state))) setTimeout(follow, LOOK_AGAIN_MS, looks - 1);
  };
  const first = await look();
  draw(first);
  if (!isSettled(first.state)) setTimeout(follow, LOOK_AGAIN_MS, LOOKS);
  return shown;
}

export function checkoutCanceled() {
  return el("p", {}, "The checkout was left before payment. ", el("a", { href: "/products" }, "Start again"), " at any time.");
}
