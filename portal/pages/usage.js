// Usage: what was counted, how near the limits it is, and what the period would cost if it ended now.

import { el, section, table } from "../dom.js";
import { threshold, when } from "../words.js";

const SHOWN_MS = 31 * 86_400_000;

export async function usage({ api, query }) {
  const license_sid = query.get("license_sid");
  const from = new Date(Date.now() - SHOWN_MS).toISOString();
  const [answer, licenses] = await Promise.all([
    api.get("/v1/usage", { query: { license_sid, from, grain: "day", limit: 100 } }),
    api.list("/v1/licenses"),
  ]);
  const names = new Map(licenses.map((item) => [item.license_sid, item.domain_name]));
  const link = (item) => el("a", { href: `/licenses/${item.license_sid}` }, names.get(item.license_sid) || item.license_sid);
  const period = (item) => `${when(item.period_start)} to ${when(item.period_end)}`;
  const running = answer.estimates.map((item) => [link(item), item.meter, period(item), item.quantity, threshold(item), item.display]);
  const counted = answer.items.map((item) => [link(item), item.meter, when(item.start), item.quantity, item.state]);
  return el(
    "div",
    {},
    section("The running period", table("Before tax, if it ended now", ["Domain", "Meter", "Period", "Used", "Limit", "Estimate"], running)),
    section("Counted", table("By day, of the last month", ["Domain", "Meter", "Day", "Used", "State"], counted)),
  );
}
