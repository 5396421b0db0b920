// The rules that the claims of a license and of a revocation list must keep. No clock, no machine.

import { Refused } from "./codes.mjs";
import { member, parseCanonicalObject } from "./encoding.mjs";
import { openSigned } from "./jws.mjs";
import { wasInUse } from "./keys.mjs";

// The last second of the year 9999, the last that every date library can show.
const MAX_TIME = 253402300799;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

const isText = (value) => typeof value === "string";
const isName = (value) => isText(value) && value !== "";
const isInteger = (value) => Number.isSafeInteger(value);
const isCount = (value) => isInteger(value) && value >= 0;
const isTime = (value) => isCount(value) && value <= MAX_TIME;
const isOneOf = (...values) => (value) => values.includes(value);
const isObjectOf = (...rules) => (value) =>
  value !== null &&
  typeof value === "object" &&
  !Array.isArray(value) &&
  Object.values(value).every((child) => rules.some((rule) => rule(child)));
const isBoolean = (value) => typeof value === "boolean";

const LICENSE_RULES = {
  iss: isName,
  aud: isName,
  sub: isName,
  lid: isName,
  seq: isCount,
  domain: (value) => isText(value) && HOST_NAME.test(value),
  product_family: isName,
  product: isName,
  plan: isText,
  kind: isOneOf("UNLIMITED", "USAGE", "AIR_GAPPED"),
  entitlements: isObjectOf(isBoolean, isInteger, isText),
  limits: isObjectOf(isInteger),
  iat: isTime,
  nbf: isTime,
  exp: isTime,
  grace_until: isTime,
  enforcement: isOneOf("advisory", "grace", "hard"),
  rev_epoch_min: isCount,
  cause: isObjectOf(isInteger, isText),
};

const REVOCATION_RULES = {
  epoch: isCount,
  iat: isCount,
  next_update: isCount,
  min_seq: isObjectOf(isInteger),
  revoked: isObjectOf(isText),
};

// Checks all that no clock and no machine can change; gives the claims and the id of the key.
export function authenticate(token, keys) {
  const { payload, key } = openSigned(token, keys, "license+jwt");
  const claims = readClaims(payload, LICENSE_RULES);
  if (claims.aud !== claims.product_family) throw new Refused("CLAIMS_INVALID", "aud is not product_family");
  if (!(claims.nbf < claims.exp && claims.exp <= claims.grace_until)) {
    throw new Refused("CLAIMS_INVALID", "nbf, exp and grace_until are out of order");
  }
  if (Object.hasOwn(claims, "fingerprint") && !isName(claims.fingerprint)) {
    throw new Refused("CLAIMS_INVALID", "fingerprint is not allowed");
  }
  requireKeyInUse(key, claims.iat);
  return { claims, kid: key.kid };
}

export class RevocationListInvalidError extends Error {}

export function readRevocationList(token, keys) {
  try {
    const { payload, key } = openSigned(token, keys, "license-revocations+jwt");
    const claims = readClaims(payload, REVOCATION_RULES);
    requireKeyInUse(key, claims.iat);
    return claims;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new RevocationListInvalidError(`${error.code}: ${error.message}`);
  }
}

function readClaims(payload, rules) {
  let claims;
  try {
    claims = parseCanonicalObject(payload);
  } catch (error) {
    throw new Refused("CLAIMS_INVALID", error.message);
  }
  for (const [name, isAllowed] of Object.entries(rules)) {
    if (!isAllowed(member(claims, name))) throw new Refused("CLAIMS_INVALID", `${name} is missing or not allowed`);
  }
  return claims;
}

function requireKeyInUse(key, at) {
  if (!wasInUse(key, at)) {
    throw new Refused("KEY_NOT_VALID_AT_ISSUE", `key ${key.kid} was not in use when it was signed`);
  }
}
