#!/usr/bin/env node
// The license verifier for Node: a library (verify, KeySet, HighWaterMark, readRevocationList) and a command.
// It needs no package and no network, and answers with the same codes as the Python verifier.

import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HighWaterMark } from "./clock.mjs";
import { explain } from "./codes.mjs";
import { KeySet, KeySetInvalidError } from "./keys.mjs";
import { readRevocationList, RevocationListInvalidError } from "./license.mjs";
import { verify } from "./verifier.mjs";

export { CODES, explain } from "./codes.mjs";
export { HighWaterMark, KeySet, KeySetInvalidError, readRevocationList, RevocationListInvalidError, verify };

const [VALID, NOT_VALID, USAGE] = [0, 1, 2];
const USAGE_TEXT = `usage: keywright-verify LICENSE --keys FILE [--domain NAME] [--fingerprint TEXT]
       [--audience FAMILY] [--issuer NAME] [--revocations FILE] [--high-water-mark FILE] [--at UNIX] [--json]
`;
const text = { type: "string" };
const OPTIONS = {
  keys: text,
  domain: text,
  fingerprint: text,
  audience: text,
  issuer: text,
  revocations: text,
  "high-water-mark": text,
  at: text,
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
};

class UsageError extends Error {}

// Editors end a file with a new line; the token itself has none.
const readToken = (path) => readFileSync(path, "latin1").replace(/[\r\n]+$/, "");

function readCommand(argv) {
  const { values, positionals } = parsed(argv);
  const isComplete = positionals.length === 1 && values.keys !== undefined;
  if (!values.help && !isComplete) throw new UsageError("A license file and --keys are needed.");
  const isTime = values.at === undefined || /^-?\d{1,15}$/.test(values.at);
  if (!isTime) throw new UsageError("--at is a whole number of seconds.");
  return { values, path: positionals[0] };
}

function parsed(argv) {
  try {
    return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function verdictOf({ values, path }) {
  const keys = KeySet.fromJwks(readFileSync(values.keys, "utf8"));
  return verify(readToken(path), keys, {
    now: values.at === undefined ? Math.floor(Date.now() / 1000) : Number(values.at),
    domain: values.domain,
    fingerprint: values.fingerprint,
    audience: values.audience,
    issuer: values.issuer,
    revocations: values.revocations && readRevocationList(readToken(values.revocations), keys),
    highWaterMark: values["high-water-mark"] && new HighWaterMark(values["high-water-mark"]),
  });
}

function asText({ code, detail, notes, license }) {
  const lines = [`${code}: ${explain(code)}`, `  ${detail}`];
  if (license !== null) {
    const date = (at) => new Date(at * 1000).toISOString().replace(".000", "");
    lines.push(
      `  license   ${license.lid} (no. ${license.seq})`,
      `  product   ${license.product_family}, ${license.plan} (${license.kind})`,
      `  domain    ${license.domain}`,
      `  period    ${date(license.nbf)} to ${date(license.exp)} (${license.enforcement})`,
    );
  }
  return [...lines, ...notes.map((note) => `  note      ${note}`)].join("\n");
}

// Gives the exit code: 0 valid, 1 not valid, 2 the question could not be asked.
export function main(argv) {
  let command, verdict;
  try {
    command = readCommand(argv);
    if (command.values.help) {
      process.stdout.write(USAGE_TEXT);
      return VALID;
    }
    verdict = verdictOf(command);
  } catch (error) {
    const expected = [UsageError, KeySetInvalidError, RevocationListInvalidError];
    const isExpected = expected.some((type) => error instanceof type);
    // Only the operating system's errors (a file that cannot be read) carry a syscall; anything else is a bug.
    if (!isExpected && error.syscall === undefined) throw error;
    process.stderr.write(`keywright-verify: ${error.message}\n${command ? "" : USAGE_TEXT}`);
    return USAGE;
  }
  process.stdout.write(`${command.values.json ? JSON.stringify(verdict, null, 2) : asText(verdict)}\n`);
  return verdict.valid ? VALID : NOT_VALID;
}

const isCommand = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isCommand) process.exitCode = main(process.argv.slice(2));
