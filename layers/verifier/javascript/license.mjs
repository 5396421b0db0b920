// The rules that the claims of a license must keep. No clock, no machine.

import * as rules from "./claims.mjs";
import { Refused } from "./codes.mjs";
import { openSigned } from "./jws.mjs";

const RULES = {
  iss: rules.isName,
  aud: rules.isName,
  sub: rules.isName,
  lid: rules.isName,
  seq: rules.isCount,
  domain: rules.isHostName,
  product_family: rules.isName,
  product: rules.isName,
  plan: rules.isText,
  kind: rules.isOneOf("UNLIMITED", "USAGE", "AIR_GAPPED"),
  entitlements: rules.isObjectOf(rules.isBoolean, rules.isInteger, rules.isText),
  limits: rules.isObjectOf(rules.isInteger),
  iat: rules.isTime,
  nbf: rules.isTime,
  exp: rules.isTime,
  grace_until: rules.isTime,
  enforcement: rules.isOneOf("advisory", "grace", "hard"),
  rev_epoch_min: rules.isCount,
  cause: rules.isObjectOf(rules.isInteger, rules.isText),
};
const OPTIONAL = { fingerprint: rules.isName, challenge: rules.isNonce, usage_key: rules.isSha256 };

// Checks all that no clock and no machine can change; gives the claims and the id of the key.
export function authenticate(token, keys) {
  const signed = openSigned(token, keys, { typ: "license+jwt" });
  const claims = rules.readClaims(signed, RULES, OPTIONAL);
  if (claims.aud !== claims.product_family) throw new Refused("CLAIMS_INVALID", "aud is not product_family");
  if (!(claims.nbf < claims.exp && claims.exp <= claims.grace_until)) {
    throw new Refused("CLAIMS_INVALID", "nbf, exp and grace_until are out of order");
  }
  rules.requireKeyInUse(signed, claims.iat);
  return { claims, kid: signed.key.kid };
}
