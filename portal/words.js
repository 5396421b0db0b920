// Turns what the API answers into words, amounts and rows. Pure: no page, no clock, no network; amounts are no floats.

const NO_DECIMALS = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));
const THREE_DECIMALS = new Set("bhd jod kwd omr tnd".split(" "));

export function digitsOf(currency) {
  const code = currency.toLowerCase();
  return NO_DECIMALS.has(code) ? 0 : THREE_DECIMALS.has(code) ? 3 : 2;
}

// Move the point of a decimal to the left: ("49.63", 2) is "0.4963".
export function shifted(decimal, digits) {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(decimal));
  const padded = whole.padStart(digits + 1, "0");
  const cut = padded.length - digits;
  const after = padded.slice(cut) + fraction;
  return sign + padded.slice(0, cut) + (after ? `.${after}` : "");
}

export function money(minor, currency) {
  return `${shifted(minor, digitsOf(currency))} ${currency.toUpperCase()}`;
}

export function when(text, timeZone) {
  if (!text) return "–";
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone }).format(new Date(text));
}

export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

const STANDS = {
  ACTIVE: "This license is active.",
  RESTRICTED: "This license is restricted: it works within limits until what is named below is settled.",
  SUSPENDED: "This license is suspended until what is named below is settled.",
  CANCELED: "This license has ended.",
  EXPIRED: "This license has expired.",
  REVOKED: "This license was revoked and is not valid any more.",
};

export function licenseStory(timeline, timeZone) {
  const story = [STANDS[timeline.state] || `Its state is ${timeline.state ?? "unknown"}.`, ...timeline.why];
  const remedies = timeline.would_change.map((remedy) => sentence(remedy.do));
  const { changes_by_itself_at: turn } = timeline;
  if (turn) remedies.push(`It changes by itself on ${when(turn, timeZone)}.`);
  if (!remedies.length && timeline.state !== "ACTIVE") remedies.push("Nothing lifts this: ask the vendor, or buy anew.");
  return { story, remedies };
}

export function causeStatus(cause, decidedBy, timeZone) {
  if (cause.superseded_by) return "Replaced by something later";
  if (cause.ended_at) return `Over since ${when(cause.ended_at, timeZone)}`;
  return cause.rule === decidedBy ? "This decides" : "Holds";
}

const FOUND = {
  NO_RECORDS: "no TXT record of that name",
  NO_NAME: "no such name",
  TIMEOUT: "no answer in time",
  FAILURE: "an error",
};

export function finding({ resolver, found, values }) {
  const what = found === "RECORDS" ? values.map((value) => `“${value}”`).join(", ") : FOUND[found] || found;
  return `${resolver} found ${what}.`;
}

const DOMAIN = {
  PENDING: "Not verified yet",
  VERIFIED: "Verified",
  STALE: "Verified once, and no more",
  DELETED: "Given up",
};
export const domainState = (state) => DOMAIN[state] || state;

const PROGRESS = {
  OPEN: "The payment is not confirmed yet.",
  PAID_PROCESSING: "Paid. The license is being generated.",
  LICENSED: "Paid and licensed.",
  EXPIRED: "This checkout expired before it was paid. Nothing was charged.",
};

export function progress({ state, failure, awaiting_payment: awaits }) {
  if (awaits) return "Your bank has been asked for the payment, which takes some days. The license is made when it arrives.";
  if (state === "EXPIRED" && failure) return `This checkout has ended without a license. ${sentence(failure)}`;
  return PROGRESS[state] || state;
}

const CAUTIONS = {
  TAX_EXCLUDED: "Taxes come on top.",
  COUPONS_EXCLUDED: "Coupons are taken off on the payment page.",
  PRORATION_EXCLUDED: "A change in the middle of a period is charged by the day.",
  METERED_ESTIMATE: "An estimate: what you use decides what is billed.",
  PRICE_CLIFF: "A larger quantity costs less.",
  BELOW_MINIMUM_CHARGE: "So small an amount is carried over to the next invoice.",
  AMOUNT_TOO_LARGE: "This is more than can be charged at once: ask the vendor.",
  AMOUNT_NOT_CHARGEABLE: "This amount cannot be charged: the currency has no such small unit.",
  INTERVAL_CHANGES: "The two prices are not due equally often.",
};
export const caution = (code) => CAUTIONS[code] || code;

export const isSettled = (state) => state === "LICENSED" || state === "EXPIRED";

function scaled(decimal, places) {
  const [whole, fraction = ""] = String(decimal).split(".");
  return BigInt(whole + fraction.padEnd(places, "0"));
}

export function percentUsed(quantity, limit) {
  const places = Math.max(...[quantity, limit].map((text) => (String(text).split(".")[1] || "").length));
  const whole = scaled(limit, places);
  return whole > 0n ? Number((scaled(quantity, places) * 100n) / whole) : null;
}

export function threshold({ quantity, limit, limit_kind: kind }) {
  if (limit === null) return "No limit";
  const percent = percentUsed(quantity, limit);
  const used = percent === null ? `limit ${limit}` : `${percent} % of ${limit}`;
  const hard = kind !== null && kind.toLowerCase() === "hard";
  if (percent !== null && percent < 80) return used;
  if (percent !== null && percent < 100) return `${used}: near the limit`;
  return `${used}: ${hard ? "at the limit, more is refused" : "over what is included"}`;
}

export function every(interval, count) {
  if (!interval) return "once";
  return count && count > 1 ? `every ${count} ${interval}s` : `per ${interval}`;
}

export function tierRows(price) {
  let from = 1;
  return price.tiers.map((tier) => {
    const range = tier.up_to === null ? `${from} and more` : `${from} to ${tier.up_to}`;
    from = (tier.up_to ?? 0) + 1;
    const amount = (text) => (text === null ? "–" : money(text, price.currency));
    return [range, amount(tier.unit_amount), amount(tier.flat_amount)];
  });
}

// The quantities worth showing: where each tier ends, where the next begins, and well into the last.
export function chartQuantities(price) {
  const ends = price.tiers.map((tier) => tier.up_to).filter((end) => end !== null);
  const wanted = ends.length ? [1, ...ends.flatMap((end) => [end, end + 1]), ends.at(-1) * 2] : [1, 10, 100, 1000];
  return [...new Set(wanted)].sort((a, b) => a - b).slice(0, 20);
}
