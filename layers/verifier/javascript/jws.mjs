// Opens a compact JWS: pins its shape, algorithm, type, version and key, and checks the signature.
// It never looks at the payload; only signed bytes leave it.

import { readFileSync } from "node:fs";
import { Refused } from "./codes.mjs";
import { decodeBase64url, member, parseCanonicalObject } from "./encoding.mjs";
import { isSignedBy, KEY_ID } from "./keys.mjs";

const MAX_TOKEN_BYTES = 16 * 1024;
const VERSION = 1;
const SIGNATURE_BYTES = 64;
const HEADER_MEMBERS = "alg,kid,typ,v";
const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export function openSigned(token, keys, { typ, limit = MAX_TOKEN_BYTES }) {
  const text = tokenText(token, limit);
  if (!SHAPE.test(text)) throw new Refused("MALFORMED", "not three base64url parts");
  const [headerText, payloadText, signatureText] = text.split(".");
  let header, payload, signature;
  try {
    header = parseCanonicalObject(decodeBase64url(headerText));
    payload = decodeBase64url(payloadText);
    signature = decodeBase64url(signatureText);
  } catch (error) {
    throw new Refused("MALFORMED", error.message);
  }
  const kid = pinnedKeyId(header, typ);
  if (signature.length !== SIGNATURE_BYTES) {
    throw new Refused("MALFORMED", `the signature is not ${SIGNATURE_BYTES} bytes long`);
  }
  const key = keys.find(kid);
  if (key === undefined) throw new Refused("KEY_UNKNOWN", `key ${kid} is not in the key set`);
  if (!isSignedBy(key, Buffer.from(`${headerText}.${payloadText}`), signature)) {
    throw new Refused("SIGNATURE_INVALID", `the signature is not of key ${kid}`);
  }
  return { payload, key };
}

// Reads a token from a file, without the line ends that editors add.
export const readTokenFile = (path) => readFileSync(path, "latin1").replace(/[\r\n]+$/, "");

function tokenText(token, limit) {
  const isToken = typeof token === "string" || token instanceof Uint8Array;
  if (!isToken || token.length > limit) {
    throw new Refused("MALFORMED", `not a token of at most ${limit} bytes`);
  }
  // Latin-1 keeps every byte apart, so that none is folded into the alphabet.
  return typeof token === "string" ? token : Buffer.from(token).toString("latin1");
}

function pinnedKeyId(header, typ) {
  if (member(header, "alg") !== "EdDSA") throw new Refused("ALGORITHM_REFUSED", "the algorithm is not EdDSA");
  if (member(header, "typ") !== typ) throw new Refused("MALFORMED", `the type is not ${typ}`);
  const version = member(header, "v");
  if (typeof version !== "number") throw new Refused("MALFORMED", "there is no version");
  if (version !== VERSION) throw new Refused("VERSION_UNSUPPORTED", `version ${version} is not ${VERSION}`);
  // Members such as jwk, jku, x5u and crit would ask the verifier to trust or do what the token says.
  if (Object.keys(header).sort().join() !== HEADER_MEMBERS) {
    throw new Refused("MALFORMED", "the header has other members than alg, kid, typ and v");
  }
  const { kid } = header;
  if (typeof kid !== "string" || !KEY_ID.test(kid)) throw new Refused("MALFORMED", "the key id is not one");
  return kid;
}
