// Feeds the JavaScript verifier with vectors, one JSON object a line, and prints its answers likewise.
// Arguments: the module of the verifier and the key file.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modulePath, keysPath] = process.argv.slice(2);
const { verify, KeySet, RevocationList } = await import(pathToFileURL(modulePath));
const keys = KeySet.fromJwks(readFileSync(keysPath, "utf8"));
const answers = readFileSync(0, "utf8").trim().split("\n").map((line) => {
  const { token, at } = JSON.parse(line);
  const revocations = at.revocations && RevocationList.fromToken(at.revocations, keys);
  const { code, valid, notes } = verify(Buffer.from(token, "base64"), keys, { ...at, revocations });
  return JSON.stringify({ code, valid, notes });
});
process.stdout.write(answers.join("\n"));
