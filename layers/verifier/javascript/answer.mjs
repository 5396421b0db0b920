// The signed answer of an online validation. An answer counts for the one question whose nonce it carries, so an
// old one cannot be played again. Asking is the caller's: nothing here knows a network.

import { randomBytes } from "node:crypto";
import * as rules from "./claims.mjs";
import { TOLERANCE_S } from "./clock.mjs";
import { Refused } from "./codes.mjs";
import { openSigned } from "./jws.mjs";

const RULES = {
  nonce: rules.isNonce,
  lid: rules.isName,
  seq: rules.isCount,
  code: rules.isSymbol,
  valid: rules.isBoolean,
  iat: rules.isTime,
  exp: rules.isTime,
};

export const newNonce = () => randomBytes(24).toString("base64url");

// `question` is {nonce, now, licenseId?, highWaterMark?}. The verdict is {code, valid, detail, answer}; `answer`
// holds the claims when it is authentic and answers this very question. `valid` decides, not the code's name: a
// new service may give codes that this verifier does not know.
export function verifyAnswer(token, keys, question) {
  if (!Number.isSafeInteger(question.now)) throw new TypeError("now is seconds since 1970, as a whole number.");
  try {
    const answer = authentic(token, keys);
    checkQuestion(answer, question);
    checkClock(answer, question);
    return { code: answer.code, valid: answer.valid, detail: `answered at ${answer.iat}`, answer };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { code: error.code, valid: false, detail: error.message, answer: null };
  }
}

function authentic(token, keys) {
  const signed = openSigned(token, keys, { typ: "validation+jwt" });
  const claims = rules.readClaims(signed, RULES);
  if (claims.exp <= claims.iat) throw new Refused("CLAIMS_INVALID", "exp is not after iat");
  rules.requireKeyInUse(signed, claims.iat);
  return claims;
}

function checkQuestion(answer, { nonce, licenseId }) {
  if (answer.nonce !== nonce) throw new Refused("NONCE_MISMATCH", "it answers another question");
  if (licenseId !== undefined && answer.lid !== licenseId) {
    throw new Refused("LICENSE_MISMATCH", `it is about license ${answer.lid}`);
  }
}

function checkClock(answer, { now, highWaterMark }) {
  const latest = Math.max(answer.iat, highWaterMark?.read().time ?? 0);
  highWaterMark?.advance({ time: Math.max(now, latest) });
  if (now < latest - TOLERANCE_S) {
    throw new Refused("CLOCK_ROLLBACK", `the clock says ${now}, but ${latest} has been seen`);
  }
  if (Math.max(now, latest) >= answer.exp) throw new Refused("ANSWER_EXPIRED", `it counted until ${answer.exp}`);
}
