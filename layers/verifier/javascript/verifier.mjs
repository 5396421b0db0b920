// Judges a license: first whether it is authentic, which never changes, then whether it counts here and now.
// The caller passes the time. No token makes it throw.

import { permits, Refused } from "./codes.mjs";
import { TOLERANCE_S } from "./clock.mjs";
import { authenticate } from "./license.mjs";

// `at` is {now, domain?, fingerprint?, audience?, issuer?, highWaterMark?, revocations?, revocationMode?, challenge?};
// what is absent is not checked. `revocationMode` is "warn" (the default) or "require". The answer is {code, valid, detail, notes, license}; `license` holds the claims once the
// license is authentic, also when it is not valid.
export function verify(token, keys, at) {
  if (![undefined, "warn", "require"].includes(at.revocationMode)) {
    throw new TypeError('revocationMode is "warn" or "require".');
  }
  if (!Number.isSafeInteger(at.now)) throw new TypeError("now is seconds since 1970, as a whole number.");
  let authentic = null;
  const notes = [];
  try {
    authentic = authenticate(token, keys);
    const [code, detail] = judge(authentic.claims, at, notes);
    return verdict(code, detail, notes, authentic);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return verdict(error.code, error.message, notes, authentic);
  }
}

const verdict = (code, detail, notes, authentic) => ({
  code,
  valid: permits(code),
  detail,
  notes,
  license: authentic?.claims ?? null,
});

function judge(claims, at, notes) {
  if (at.domain === undefined) notes.push("domain-unchecked");
  if (claims.fingerprint !== undefined && at.fingerprint === undefined) notes.push("fingerprint-unchecked");
  if (claims.challenge !== undefined && at.challenge === undefined) notes.push("challenge-unchecked");
  if (claims.rev_epoch_min > 0 && at.revocations === undefined) notes.push("revocations-unchecked");
  checkProduct(claims, at);
  const now = checkedTime(claims, at, notes);
  checkRevocation(claims, at, now, notes);
  const [code, detail] = period(claims, now);
  if (!permits(code)) throw new Refused(code, detail);
  checkPlace(claims, at);
  return [code, detail];
}

function checkProduct(claims, at) {
  if (at.issuer !== undefined && claims.iss !== at.issuer) {
    throw new Refused("ISSUER_MISMATCH", `the license comes from ${claims.iss}`);
  }
  if (at.audience !== undefined && claims.aud !== at.audience) {
    throw new Refused("AUDIENCE_MISMATCH", `the license is for ${claims.aud}`);
  }
}

// Gives the latest time there is evidence for: a clock that is a little behind does not bring back what has expired.
function checkedTime(claims, { now, highWaterMark, revocations }, notes) {
  if (highWaterMark === undefined) return now;
  const wrong = highWaterMark.state();
  if (wrong !== undefined) notes.push(wrong);
  // What the vendor signed was signed in the past, so it is a sighting of the time too.
  const signedAt = Math.max(claims.iat, revocations?.issuedAt ?? 0);
  const latest = Math.max(highWaterMark.read().time, signedAt);
  if (!highWaterMark.advance({ time: Math.max(now, signedAt) })) notes.push("clock-mark-unsaved");
  if (now < latest - TOLERANCE_S) {
    throw new Refused("CLOCK_ROLLBACK", `the clock says ${now}, but ${latest} has been seen`);
  }
  return Math.max(now, latest);
}

function checkRevocation(claims, at, now, notes) {
  const { revocations, revocationMode = "warn" } = at;
  if (revocations === undefined) {
    if (revocationMode === "require") throw new Refused("REVOCATION_LIST_MISSING", "no list was given");
    return;
  }
  checkEpoch(claims, at, notes);
  const reason = revocations.reasonAgainst(claims);
  if (reason !== undefined) throw new Refused("REVOKED", reason);
  if (now < revocations.nextUpdate) return;
  // Worth a word, not an outage, unless the product wants it so: who carries files in may be late.
  if (revocationMode === "require") {
    throw new Refused("REVOCATION_LIST_EXPIRED", `the next list was due at ${revocations.nextUpdate}`);
  }
  notes.push("revocations-overdue");
}

function checkEpoch(claims, { revocations: { epoch }, highWaterMark }, notes) {
  const seen = highWaterMark?.read() ?? { time: 0, epoch: 0 };
  if (epoch < seen.epoch) {
    throw new Refused("REVOCATION_LIST_ROLLBACK", `the list has epoch ${epoch}, but ${seen.epoch} has been seen`);
  }
  if (epoch < claims.rev_epoch_min) {
    const detail = `the list has epoch ${epoch}, at least ${claims.rev_epoch_min} is needed`;
    throw new Refused("REVOCATION_LIST_TOO_OLD", detail);
  }
  const isSaved = !highWaterMark || epoch === seen.epoch || highWaterMark.advance({ time: seen.time, epoch });
  if (!isSaved && !notes.includes("clock-mark-unsaved")) notes.push("clock-mark-unsaved");
}

// A fresh license must work where the clock is some minutes slow. A late end needs no such allowance: the
// issuer puts its margin into exp.
function period(claims, now) {
  if (now < claims.nbf - TOLERANCE_S) return ["NOT_YET_VALID", `it starts at ${claims.nbf}`];
  if (now < claims.exp) return ["VALID", `until ${claims.exp}`];
  if (claims.enforcement === "advisory") return ["EXPIRED_ADVISORY", `it expired at ${claims.exp}`];
  if (claims.enforcement === "grace" && now < claims.grace_until) {
    return ["GRACE", `it expired at ${claims.exp}; grace until ${claims.grace_until}`];
  }
  return ["EXPIRED", `it expired at ${claims.exp}`];
}

function checkPlace(claims, at) {
  if (at.domain !== undefined && hostName(at.domain) !== claims.domain) {
    throw new Refused("DOMAIN_MISMATCH", `the license is for ${claims.domain}`);
  }
  const bound = claims.fingerprint !== undefined && at.fingerprint !== undefined;
  if (bound && claims.fingerprint !== at.fingerprint) {
    throw new Refused("FINGERPRINT_MISMATCH", "the license is bound to another fingerprint");
  }
  if (claims.challenge !== undefined && at.challenge !== undefined && claims.challenge !== at.challenge) {
    throw new Refused("CHALLENGE_MISMATCH", "the license answers another challenge");
  }
}

// ASCII only, on purpose: the Kelvin sign becomes a plain k when text is lowered.
const hostName = (domain) => (/^[\0-\x7f]*$/.test(domain) ? domain.toLowerCase().replace(/\.$/, "") : domain);
