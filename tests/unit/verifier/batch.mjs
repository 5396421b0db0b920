// Feeds the JavaScript verifier with vectors, one JSON object a line, and prints its answers likewise.
// Arguments: the module of the verifier, the key file, and a file for the high-water mark.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modulePath, keysPath, markPath] = process.argv.slice(2);
const verifier = await import(pathToFileURL(modulePath));
const { HighWaterMark, KeySet, RevocationList, RevocationListInvalidError, verify, verifyAnswer } = verifier;
const keys = KeySet.fromJwks(readFileSync(keysPath, "utf8"));

function markOf({ mark }) {
  if (mark === undefined) return undefined;
  writeFileSync(markPath, JSON.stringify(mark));
  return new HighWaterMark(markPath);
}

const judges = {
  license(token, at) {
    const revocations = at.revocations && RevocationList.fromToken(at.revocations, keys);
    const more = { revocations, revocationMode: at.revocation_mode, highWaterMark: markOf(at) };
    return verify(token, keys, { ...at, ...more });
  },
  list(token) {
    try {
      RevocationList.fromToken(token, keys);
      return { code: "VALID", valid: true };
    } catch (error) {
      if (!(error instanceof RevocationListInvalidError)) throw error;
      return { code: error.code, valid: false };
    }
  },
  answer(token, { now, nonce, license_sid: licenseId, ...at }) {
    return verifyAnswer(token, keys, { now, nonce, licenseId, highWaterMark: markOf(at) });
  },
};

const answers = readFileSync(0, "utf8").trim().split("\n").map((line) => {
  const { token, at, kind } = JSON.parse(line);
  const { code, valid, notes = [] } = judges[kind](Buffer.from(token, "base64"), at);
  return JSON.stringify({ code, valid, notes });
});
process.stdout.write(answers.join("\n"));
