// Subscriptions and invoices, Stripe's own portal, and the invoices of contracts.

import { action, el, facts, save, section, table, text } from "../dom.js";
import { money, when } from "../words.js";

const PDF = "application/pdf";

export function ends(item) {
  if (item.ended_at) return `Ended ${when(item.ended_at)}`;
  if (item.cancel_at) return `Ends ${when(item.cancel_at)}`;
  const period = item.items.map((each) => each.current_period_end).sort()[0];
  return `${item.cancel_at_period_end ? "Ends" : "Renews"} ${when(period)}`;
}

export async function billing({ api }) {
  const [subscriptions, invoices, contractInvoices] = await Promise.all([
    api.list("/v1/subscriptions"),
    api.list("/v1/invoices"),
    api.list("/v1/contract-invoices"),
  ]);
  const manage = async () => {
    const { url } = await api.post("/v1/billing-portal-sessions", { body: {} });
    location.assign(url);
  };
  const link = (item) => el("a", { href: `/contract-invoices/${item.invoice_sid}` }, item.document_number || "Draft");
  return el(
    "div",
    {},
    section("Cards, cancellation, receipts", text("Stripe's pages do this, and lead back here."), action("Open the billing portal", manage)),
    section("Subscriptions", table("Paid through Stripe", ["Domain", "What", "State", "Next"], subscriptions.map((item) => [
      item.domain_name, item.items.map((each) => each.product_name || each.price_id).join(", "), item.paused ? "paused" : item.status, ends(item),
    ]))),
    section("Invoices", table("Of subscriptions and purchases", ["Number", "Made", "State", "Total", "Still due"], invoices.map((item) => [
      item.invoice_number, when(item.created_at), item.status, money(item.total, item.currency), money(item.amount_remaining, item.currency),
    ]))),
    section("Contract invoices", table("Of contracts", ["Number", "Issued", "State", "Total", "Due"], contractInvoices.map((item) => [
      link(item), when(item.issued_at), item.state, money(item.total_minor, item.currency), when(item.due_at),
    ]))),
  );
}

export async function contractInvoice({ api, names }) {
  const path = { invoice_sid: names[0] };
  const shown = await api.get("/v1/contract-invoices/{invoice_sid}", { path });
  const download = async () => {
    const content = await api.blob("/v1/contract-invoices/{invoice_sid}/pdf", { path });
    save(new Blob([content], { type: PDF }), `${shown.document_number || shown.invoice_sid}.pdf`);
  };
  const amount = (minor) => money(minor, shown.currency);
  return section(
    shown.document_number || "Draft",
    facts({
      State: shown.state,
      Issued: when(shown.issued_at),
      Due: when(shown.due_at),
      Total: amount(shown.total_minor),
      "Still due": amount(shown.remaining_minor),
    }),
    table("Lines", ["What", "Quantity", "Amount"], shown.lines.map((line) => [line.description, line.quantity, amount(line.amount_minor)])),
    shown.stripe_invoice_url ? el("p", {}, el("a", { href: shown.stripe_invoice_url, rel: "noopener" }, "Pay it")) : null,
    action("Download the PDF", download),
  );
}
