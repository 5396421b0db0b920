// The rules that single claims must keep, shared by everything that is signed. A rule sees one value and says
// yes or no; it knows no clock, no machine and no other claim.

import { Refused } from "./codes.mjs";
import { decodeBase64url, member, parseCanonicalObject } from "./encoding.mjs";
import { isOfSmallOrder, wasInUse } from "./keys.mjs";

// The last second of the year 9999, the last that every date library can show.
const MAX_TIME = 253402300799;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const matches = (pattern) => (value) => isText(value) && pattern.test(value);

export const isText = (value) => typeof value === "string";
export const isName = (value) => isText(value) && value !== "";
export const isBoolean = (value) => typeof value === "boolean";
export const isInteger = (value) => Number.isSafeInteger(value);
export const isCount = (value) => isInteger(value) && value >= 0;
export const isPositive = (value) => isInteger(value) && value > 0;
export const isTime = (value) => isCount(value) && value <= MAX_TIME;
export const isHostName = matches(HOST_NAME);
export const isNonce = matches(/^[A-Za-z0-9_-]{22,86}$/);
export const isSha256 = matches(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
export const isSymbol = matches(/^[A-Z][A-Z0-9_]{0,63}$/);
export const isOneOf = (...values) => (value) => values.includes(value);
export const isNullOr = (rule) => (value) => value === null || rule(value);
export const isListOf = (rule) => (value) => Array.isArray(value) && value.every(rule);
export const isObjectOf = (...rules) => (value) =>
  isObject(value) && Object.values(value).every((child) => rules.some((rule) => rule(child)));

// Makes the rule for an object with these members and no other.
export const isExactly = (rules) => (value) =>
  isObject(value) &&
  Object.keys(value).length === Object.keys(rules).length &&
  Object.entries(rules).every(([name, rule]) => Object.hasOwn(value, name) && rule(value[name]));

// Reads the claims of a token whose signature is good.
export function readClaims({ payload }, rules, optional = {}) {
  let claims;
  try {
    claims = parseCanonicalObject(payload);
  } catch (error) {
    throw new Refused("CLAIMS_INVALID", error.message);
  }
  for (const [name, isAllowed] of Object.entries(rules)) {
    if (!isAllowed(member(claims, name))) throw new Refused("CLAIMS_INVALID", `${name} is missing or not allowed`);
  }
  for (const [name, isAllowed] of Object.entries(optional)) {
    if (Object.hasOwn(claims, name) && !isAllowed(claims[name])) {
      throw new Refused("CLAIMS_INVALID", `${name} is not allowed`);
    }
  }
  return claims;
}

// Refuses what a key signed before or after its period of use.
export function requireKeyInUse({ key }, at) {
  if (!wasInUse(key, at)) {
    throw new Refused("KEY_NOT_VALID_AT_ISSUE", `key ${key.kid} was not in use when it was signed`);
  }
}

// Tells whether it is a public Ed25519 key as challenges carry it, with the members that identify it and no other.
export const isPublicJwk = isExactly({
  crv: isOneOf("Ed25519"),
  kty: isOneOf("OKP"),
  x: (value) => isSha256(value) && !isOfSmallOrder(decodeBase64url(value)),
});
