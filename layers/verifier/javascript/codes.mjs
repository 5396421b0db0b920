// The verdict codes, in the order of the checks. The Python verifier has the same list, and so has
// docs/license-format.md: a name is never changed or reused.

const EXPLANATIONS = {
  MALFORMED: "This is not a license file, or it was damaged on the way.",
  ALGORITHM_REFUSED: "The license names a signature algorithm other than EdDSA.",
  VERSION_UNSUPPORTED: "The license has a format that this version of the product does not know.",
  KEY_UNKNOWN: "The license was signed with a key that this product does not trust.",
  SIGNATURE_INVALID: "The license was altered, or the vendor did not sign it.",
  CLAIMS_INVALID: "The license is signed, but its content breaks the format.",
  KEY_NOT_VALID_AT_ISSUE: "The license was signed with a key outside that key's period of use.",
  ISSUER_MISMATCH: "The license comes from another issuer.",
  AUDIENCE_MISMATCH: "The license is for another product.",
  NONCE_MISMATCH: "The service's answer belongs to another question.",
  LICENSE_MISMATCH: "The service's answer is about another license.",
  CLOCK_ROLLBACK: "This machine's clock is behind a time that it has already seen.",
  REVOCATION_LIST_MISSING: "This product needs the vendor's revocation list, and there is none.",
  REVOCATION_LIST_ROLLBACK: "The revocation list is older than one that this machine has already seen.",
  REVOCATION_LIST_TOO_OLD: "The revocation list is older than the license accepts.",
  REVOKED: "The vendor has revoked or replaced this license.",
  REVOCATION_LIST_EXPIRED: "The revocation list is overdue, and this product needs a current one.",
  NOT_YET_VALID: "The license starts later.",
  EXPIRED: "The license has expired.",
  ANSWER_EXPIRED: "The service's answer no longer counts: ask again.",
  DOMAIN_MISMATCH: "The license is for another domain.",
  FINGERPRINT_MISMATCH: "The license is for another machine.",
  CHALLENGE_MISMATCH: "The license answers another challenge.",
  EXPIRED_ADVISORY: "The license has expired; the product keeps running.",
  GRACE: "The license has expired and its grace period is running.",
  VALID: "The license is valid.",
};

const PERMITTING = new Set(["EXPIRED_ADVISORY", "GRACE", "VALID"]);

export const CODES = Object.freeze(Object.keys(EXPLANATIONS));

export const permits = (code) => PERMITTING.has(code);

export const explain = (code) => EXPLANATIONS[code];

// Ends a check with a code; verify() turns it into a verdict.
export class Refused extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}
