// Domains: adding one, the DNS record that proves it, and what was found when it was looked for.

import { action, bullets, el, facts, field, form, section, text } from "../dom.js";
import { domainState, finding, when } from "../words.js";

function lastCheck(check) {
  if (!check) return text("Nobody has looked for the record yet.");
  return el("div", {}, el("h3", {}, `Looked up ${when(check.checked_at)}`), text(check.detail), bullets(check.resolvers.map(finding)));
}

function shown(context, domain) {
  const { domain_sid } = domain;
  const verify = async () => {
    const after = await context.api.post("/v1/domains/{domain_sid}/verify", { path: { domain_sid } });
    context.say(`${after.domain_name}: ${domainState(after.state)}.`);
    await context.show();
  };
  const giveUp = async () => {
    if (!confirm(`Give up ${domain.domain_name}?`)) return;
    await context.api.delete("/v1/domains/{domain_sid}", { path: { domain_sid } });
    await context.show();
  };
  const { type, name, value } = domain.verification;
  const record = [
    text("Create this DNS record where the domain is managed, then verify. It may take a while until it is seen everywhere."),
    facts({ Type: type, Name: el("code", {}, name), Value: el("code", {}, value) }),
  ];
  const isProven = domain.state === "VERIFIED";
  return section(
    domain.display_name,
    text(isProven ? `Verified ${when(domain.verified_at)}. Keep the DNS record.` : domainState(domain.state)),
    ...(isProven ? [] : record),
    lastCheck(domain.last_check),
    action(isProven ? "Look again" : "Verify", verify),
    action("Give it up", giveUp),
  );
}

export async function domains(context) {
  const items = await context.api.list("/v1/domains");
  const add = async ({ domain_name }) => {
    await context.api.post("/v1/domains", { body: { domain_name } });
    await context.show();
  };
  const name = field("Domain", "domain_name", { placeholder: "app.example.com", autocapitalize: "none", spellcheck: "false" });
  const kept = items.filter((domain) => domain.state !== "DELETED");
  return el("div", {}, form([name], "Add the domain", add), kept.map((domain) => shown(context, domain)));
}
