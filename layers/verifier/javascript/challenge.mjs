// The challenge: what a machine without a network asks a license with. It holds a hash of what identifies the
// machine, never the identity itself, and the public half of the machine's key.

import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isExactly, isHostName, isName, isNonce, isPublicJwk } from "./claims.mjs";
import { canonicalJson, decodeBase64url, parseCanonicalObject, sha256Text } from "./encoding.mjs";

const VERSION = 1;
const MAX_BYTES = 4096;
const PROOF_CONTEXT = "keywright-challenge.v1.";
const FINGERPRINT_CONTEXT = "keywright-fingerprint.v1.";
const RULES = { v: (value) => value === VERSION, nonce: isNonce, usage_key: isPublicJwk, proof: isName };
const PLACE = { domain: isHostName, fingerprint: isName };

export class ChallengeInvalidError extends Error {}

// Hashes what identifies a machine, such as {"machine-id": …}. Which facts those are is the product's to choose.
export function fingerprint(identity) {
  const facts = Object.values(identity);
  if (facts.length === 0 || !facts.every(isName)) throw new Error("A fingerprint needs facts, and none of them empty.");
  return `fp1_${sha256Text(FINGERPRINT_CONTEXT + canonicalJson(identity))}`;
}

// Writes a challenge, proven with the machine's key.
export function newChallenge(key, { domain, fingerprint: print, nonce = randomBytes(24).toString("base64url") }) {
  const { crv, kty, x } = createPublicKey(key).export({ format: "jwk" });
  const document = { v: VERSION, nonce, usage_key: { crv, kty, x } };
  if (domain !== undefined) document.domain = domain;
  if (print !== undefined) document.fingerprint = print;
  const proof = sign(null, Buffer.from(PROOF_CONTEXT + canonicalJson(document)), key).toString("base64url");
  const text = canonicalJson({ ...document, proof });
  readChallenge(text);
  return text;
}

// Reads a challenge and checks that its sender holds the key in it.
export function readChallenge(text) {
  const raw = Buffer.from(text);
  if (raw.length > MAX_BYTES) throw new ChallengeInvalidError(`It is longer than ${MAX_BYTES} bytes.`);
  let document;
  try {
    document = parseCanonicalObject(Buffer.from(raw.toString("latin1").replace(/^[\r\n]+|[\r\n]+$/g, ""), "latin1"));
  } catch (error) {
    throw new ChallengeInvalidError(`It is ${error.message}.`);
  }
  const place = Object.fromEntries(Object.entries(PLACE).filter(([name]) => Object.hasOwn(document, name)));
  if (Object.keys(place).length === 0 || !isExactly({ ...RULES, ...place })(document)) {
    throw new ChallengeInvalidError("A member is missing, not allowed or not specified.");
  }
  const { proof, ...told } = document;
  if (!isProof(proof, told)) throw new ChallengeInvalidError("proof is not a signature of usage_key over the rest.");
  return told;
}

// Reads the machine's key, or makes one that only the owner of the file may read.
export function loadOrCreateKey(path) {
  try {
    return loadKey(path);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  // Written aside and linked in one step: another process sees a whole key or none, and the first one stays.
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}`);
  const file = openSync(draft, "wx", 0o600);
  try {
    writeSync(file, privateKey.export({ format: "pem", type: "pkcs8" }));
    fsyncSync(file);
    linkSync(draft, path);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    closeSync(file);
    rmSync(draft, { force: true });
  }
  return loadKey(path);
}

function loadKey(path) {
  const pem = readFileSync(path);
  let key;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new ChallengeInvalidError(`${path} is not a private key in PEM.`);
  }
  if (key.asymmetricKeyType !== "ed25519") throw new ChallengeInvalidError(`${path} is not an Ed25519 key.`);
  return key;
}

function isProof(proof, told) {
  try {
    const key = createPublicKey({ key: told.usage_key, format: "jwk" });
    return verify(null, Buffer.from(PROOF_CONTEXT + canonicalJson(told)), key, decodeBase64url(proof));
  } catch {
    return false;
  }
}
