// Licenses: where each stands and why, what would change it, its file, and the machines that use it.

import { action, bullets, el, facts, field, form, save, section, table, text } from "../dom.js";
import { causeStatus, licenseStory, when } from "../words.js";

export async function licenses({ api }) {
  const items = await api.list("/v1/licenses");
  const rows = items.map((item) => [
    el("a", { href: `/licenses/${item.license_sid}` }, item.domain_name),
    item.product_name,
    item.state,
    item.why.join(" "),
    when(item.expires_at),
  ]);
  return section("Your licenses", table("One for each domain and product", ["Domain", "Product", "State", "Why", "File valid until"], rows));
}

function explanation(timeline) {
  const { story, remedies } = licenseStory(timeline);
  const rows = timeline.causes.map((cause) => [when(cause.effective_at), cause.why, cause.makes, causeStatus(cause, timeline.decided_by)]);
  return section(
    "Why it stands where it does",
    ...story.map(text),
    remedies.length ? el("div", {}, el("h3", {}, "What would change it"), bullets(remedies)) : null,
    table("What happened", ["When", "What", "Makes it", "Now"], rows),
  );
}

function machines(context, path, items) {
  const release = (activation_sid) => async () => {
    await context.api.delete("/v1/licenses/{license_sid}/activations/{activation_sid}", { path: { ...path, activation_sid } });
    await context.show();
  };
  const rows = items.map((item) => [
    item.label || item.fingerprint,
    when(item.activated_at),
    when(item.seen_at),
    action("Release", release(item.activation_sid)),
  ]);
  return section("Machines", table("Each holds one activation until it is released", ["Machine", "Since", "Last seen", ""], rows));
}

function file(context, path, shown) {
  const download = async () => save(await context.api.blob("/v1/licenses/{license_sid}/file", { path }), `${shown.domain_name}.jwt`);
  const bind = async ({ challenge }) => {
    await context.api.post("/v1/licenses/{license_sid}/challenge", { path, body: { challenge } });
    await context.show();
  };
  const challenge = field("Challenge of the machine", "challenge", { rows: 3 });
  return section(
    "License file",
    action("Download", download),
    shown.kind === "AIR_GAPPED" ? form([challenge], "Bind it to this machine", bind) : null,
  );
}

export async function license(context) {
  const path = { license_sid: context.names[0] };
  const [shown, timeline, activations] = await Promise.all([
    context.api.get("/v1/licenses/{license_sid}", { path }),
    context.api.get("/v1/licenses/{license_sid}/timeline", { path }),
    context.api.list("/v1/licenses/{license_sid}/activations", { path }),
  ]);
  const about = { Domain: shown.domain_name, Product: shown.product_name, State: shown.state, "File valid until": when(shown.expires_at) };
  return el(
    "div",
    {},
    section("About", facts({ ...about, License: el("code", {}, shown.license_sid) })),
    explanation(timeline),
    file(context, path, shown),
    machines(context, path, activations),
    shown.usage_based ? el("a", { href: `/usage?license_sid=${encodeURIComponent(shown.license_sid)}` }, "Show its usage") : "",
  );
}
