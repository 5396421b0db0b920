// The signed revocation list: a file that travels with releases, also into an air gap. It only answers whether a
// license is on it; which list is too old to be believed is judged with the license.

import * as rules from "./claims.mjs";
import { Refused } from "./codes.mjs";
import { byCodePoint, sha256Text } from "./encoding.mjs";
import { openSigned, readTokenFile } from "./jws.mjs";

const MAX_BYTES = 4 * 1024 * 1024;
const RULES = {
  epoch: rules.isPositive,
  iat: rules.isTime,
  next_update: rules.isTime,
  min_seq: rules.isObjectOf(rules.isCount),
  revoked: rules.isListOf(rules.isExactly({ lid: rules.isName, reason: rules.isSymbol, at: rules.isTime })),
  prev_hash: rules.isNullOr(rules.isSha256),
};

// `code` says why, as for a license.
export class RevocationListInvalidError extends Error {
  constructor(code, detail) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

export class RevocationList {
  #revoked;

  constructor(claims, digest) {
    this.epoch = claims.epoch;
    this.issuedAt = claims.iat;
    this.nextUpdate = claims.next_update;
    this.minSeq = new Map(Object.entries(claims.min_seq));
    this.revoked = claims.revoked;
    this.prevHash = claims.prev_hash;
    this.digest = digest;
    this.#revoked = new Map(claims.revoked.map((entry) => [entry.lid, entry.reason]));
  }

  // Checks the signature and reads the list.
  static fromToken(token, keys) {
    try {
      const signed = openSigned(token, keys, { typ: "revocations+jwt", limit: MAX_BYTES });
      const claims = rules.readClaims(signed, RULES);
      check(claims);
      rules.requireKeyInUse(signed, claims.iat);
      return new RevocationList(claims, sha256Text(token));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new RevocationListInvalidError(error.code, error.message);
    }
  }

  // Reads a list that was carried in, as with a release.
  static fromFile(path, keys) {
    return RevocationList.fromToken(readTokenFile(path), keys);
  }

  // Says why the license no longer counts, or nothing.
  reasonAgainst({ lid, seq }) {
    if (this.#revoked.has(lid)) return this.#revoked.get(lid);
    return seq < (this.minSeq.get(lid) ?? 0) ? "SUPERSEDED" : undefined;
  }

  // Tells whether this is the list that the vendor made right after the other one.
  follows(previous) {
    return this.epoch === previous.epoch + 1 && this.prevHash === previous.digest;
  }
}

function check(claims) {
  if (claims.next_update <= claims.iat) throw new Refused("CLAIMS_INVALID", "next_update is not after iat");
  if ((claims.prev_hash === null) !== (claims.epoch === 1)) {
    throw new Refused("CLAIMS_INVALID", "prev_hash is null in the list of epoch 1, and only there");
  }
  const names = claims.revoked.map((entry) => entry.lid);
  // Sorted, so that the same revocations have one spelling; and so no license can stand there twice.
  if (!names.every((name, i) => i === 0 || byCodePoint(names[i - 1], name) < 0)) {
    throw new Refused("CLAIMS_INVALID", "revoked is not sorted by lid");
  }
}
