// The public keys that a product trusts: read once from a JWKS document, never from a license.

import { createPublicKey, verify as verifySignature } from "node:crypto";
import { decodeBase64url, member } from "./encoding.mjs";

export const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;

const FIELD = 2n ** 255n - 19n;
const Y_OF_ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
// The points of order 1, 2, 4 and 8, by their y: whoever "holds" such a key can sign anything.
const SMALL_ORDER_Y = new Set([0n, 1n, FIELD - 1n, Y_OF_ORDER_8, FIELD - Y_OF_ORDER_8]);

export class KeySetInvalidError extends Error {}

export class KeySet {
  #keys = new Map();

  // `document` is the text of a JWKS file or the parsed object; keys of other types are passed over.
  static fromJwks(document) {
    const set = new KeySet();
    for (const entry of entriesOf(document)) {
      if (entry.kty !== "OKP" || entry.crv !== "Ed25519") continue;
      const key = keyOf(entry);
      if (set.#keys.has(key.kid)) throw new KeySetInvalidError(`Two keys are called ${key.kid}.`);
      set.#keys.set(key.kid, key);
    }
    if (set.#keys.size === 0) throw new KeySetInvalidError("There is no Ed25519 key in the key set.");
    return set;
  }

  find(kid) {
    return this.#keys.get(kid);
  }
}

// OpenSSL refuses a second spelling of a signature (S + L).
export const isSignedBy = (key, message, signature) => verifySignature(null, message, key.publicKey, signature);

export const wasInUse = (key, at) =>
  (key.notBefore === undefined || at >= key.notBefore) && (key.retiredAt === undefined || at < key.retiredAt);

export const isOfSmallOrder = (raw) => {
  const y = BigInt(`0x${Buffer.from(raw).reverse().toString("hex")}`) & (2n ** 255n - 1n);
  return SMALL_ORDER_Y.has(y % FIELD);
};

function entriesOf(document) {
  let parsed = document;
  if (typeof document === "string") {
    try {
      parsed = JSON.parse(document);
    } catch {
      throw new KeySetInvalidError("The key set is not JSON.");
    }
  }
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isObject(parsed) || !Array.isArray(parsed.keys) || !parsed.keys.every(isObject)) {
    throw new KeySetInvalidError('The key set is not {"keys": […]}.');
  }
  return parsed.keys;
}

function keyOf(entry) {
  const { kid } = entry;
  if (typeof kid !== "string" || !KEY_ID.test(kid)) throw new KeySetInvalidError("A key has no usable id.");
  if (member(entry, "d") !== undefined) {
    throw new KeySetInvalidError(`Key ${kid} is a private key: it must never leave the issuer.`);
  }
  if (![undefined, "EdDSA"].includes(member(entry, "alg")) || ![undefined, "sig"].includes(member(entry, "use"))) {
    throw new KeySetInvalidError(`Key ${kid} is not for EdDSA signatures.`);
  }
  return { kid, publicKey: publicKeyOf(entry), notBefore: timeOf(entry, "nbf"), retiredAt: timeOf(entry, "exp") };
}

function publicKeyOf({ kid, x }) {
  let raw;
  try {
    raw = decodeBase64url(typeof x === "string" ? x : "");
  } catch {
    throw new KeySetInvalidError(`Key ${kid} is not base64url.`);
  }
  if (raw.length !== 32) throw new KeySetInvalidError(`Key ${kid} is not 32 bytes long.`);
  if (isOfSmallOrder(raw)) throw new KeySetInvalidError(`Key ${kid} is a point of small order.`);
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

function timeOf(entry, name) {
  const value = member(entry, name) ?? undefined;
  if (value !== undefined && !Number.isSafeInteger(value)) {
    throw new KeySetInvalidError(`${name} of key ${entry.kid} is not a whole number.`);
  }
  return value;
}
