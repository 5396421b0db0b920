// The command keywright-verify: files in, a verdict out. It reads the clock and the files; every decision is the
// library's. Without a command's name, it judges a license.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { newNonce, verifyAnswer } from "./answer.mjs";
import { ChallengeInvalidError, fingerprint, loadOrCreateKey, newChallenge, readChallenge } from "./challenge.mjs";
import { HighWaterMark } from "./clock.mjs";
import { explain } from "./codes.mjs";
import { readTokenFile } from "./jws.mjs";
import { KeySet, KeySetInvalidError } from "./keys.mjs";
import { RevocationList, RevocationListInvalidError } from "./revocations.mjs";
import { verify } from "./verifier.mjs";

const [YES, NO, CANNOT_ASK] = [0, 1, 2];
const text = { type: "string" };
const flag = { type: "boolean", default: false };
const TRUST = { keys: text, "high-water-mark": text, at: text };
const LICENSE = { ...TRUST, domain: text, fingerprint: text, challenge: text, audience: text, issuer: text };

// Each command: its options, those without which it cannot be asked, how many files or facts it takes, what it does.
const COMMANDS = {
  verify: {
    options: { ...LICENSE, revocations: text, "require-revocations": flag },
    required: ["keys"],
    takes: "LICENSE",
    run: judgeLicense,
  },
  revocations: { options: { keys: text, at: text }, required: ["keys"], takes: "LIST", run: checkList },
  nonce: { options: {}, required: [], takes: "", run: drawNonce },
  answer: {
    options: { ...TRUST, nonce: text, "license-id": text },
    required: ["keys", "nonce"],
    takes: "ANSWER",
    run: judgeAnswer,
  },
  fingerprint: { options: {}, required: [], takes: "NAME=VALUE…", run: hashFacts },
  challenge: {
    options: { "usage-key": text, domain: text, fingerprint: text, out: text },
    required: ["usage-key"],
    takes: "",
    run: writeChallenge,
  },
};

class UsageError extends Error {}

// Gives the exit code: 0 yes, 1 no, 2 the question could not be asked.
export function main(argv) {
  const name = Object.hasOwn(COMMANDS, argv[0] ?? "") ? argv[0] : "verify";
  const command = COMMANDS[name];
  try {
    const { values, positionals } = parsed(command, name === argv[0] ? argv.slice(1) : argv);
    if (values.help) {
      process.stdout.write(usage(name));
      return YES;
    }
    requireComplete(command, values, positionals);
    const { said, document, yes = true } = command.run(values, positionals);
    process.stdout.write(`${values.json ? JSON.stringify(document, null, 2) : said}\n`);
    return yes ? YES : NO;
  } catch (error) {
    return cannotAsk(error, name);
  }
}

function cannotAsk(error, name) {
  const expected = [UsageError, KeySetInvalidError, RevocationListInvalidError, ChallengeInvalidError];
  const isExpected = expected.some((type) => error instanceof type);
  // Only the operating system's errors (a file that cannot be read) carry a syscall; anything else is a bug.
  if (!isExpected && error.syscall === undefined) throw error;
  process.stderr.write(`keywright-verify: ${error.message}\n${error instanceof UsageError ? usage(name) : ""}`);
  return CANNOT_ASK;
}

function parsed({ options }, argv) {
  const common = { json: flag, help: { ...flag, short: "h" } };
  try {
    return parseArgs({ args: argv, options: { ...options, ...common }, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function requireComplete({ required, takes }, values, positionals) {
  const missing = required.filter((name) => values[name] === undefined);
  if (missing.length > 0) throw new UsageError(`--${missing.join(" and --")} must be given.`);
  const isCounted = takes.endsWith("…") ? positionals.length > 0 : positionals.length === (takes === "" ? 0 : 1);
  if (!isCounted) throw new UsageError(takes === "" ? "It takes options only." : `${takes} must be given.`);
  const isTime = values.at === undefined || /^-?\d{1,15}$/.test(values.at);
  if (!isTime) throw new UsageError("--at is a whole number of seconds.");
}

function usage(name) {
  const { options, required, takes } = COMMANDS[name];
  const words = Object.entries(options).map(([option, { type }]) => {
    const word = type === "string" ? `--${option} ${option === "at" ? "UNIX" : "TEXT"}` : `--${option}`;
    return required.includes(option) ? word : `[${word}]`;
  });
  const line = ["usage: keywright-verify", name, takes, ...words, "[--json]"].filter(Boolean).join(" ");
  return `${line}\ncommands: ${Object.keys(COMMANDS).join(", ")}\n`;
}

const timeOf = ({ at }) => (at === undefined ? Math.floor(Date.now() / 1000) : Number(at));
const keysOf = ({ keys }) => KeySet.fromJwks(readFileSync(keys, "utf8"));
const markOf = (values) => values["high-water-mark"] && new HighWaterMark(values["high-water-mark"]);
const date = (at) => new Date(at * 1000).toISOString().replace(".000", "");
const withNotes = (lines, notes) => [...lines, ...notes.map((note) => `  note      ${note}`)].join("\n");

function judgeLicense(values, [path]) {
  const keys = keysOf(values);
  const verdict = verify(readTokenFile(path), keys, {
    now: timeOf(values),
    domain: values.domain,
    fingerprint: values.fingerprint,
    audience: values.audience,
    issuer: values.issuer,
    revocations: values.revocations && RevocationList.fromFile(values.revocations, keys),
    revocationMode: values["require-revocations"] ? "require" : "warn",
    highWaterMark: markOf(values),
    challenge: values.challenge && readChallenge(readFileSync(values.challenge)).nonce,
  });
  return { said: verdictText(verdict), document: verdict, yes: verdict.valid };
}

function verdictText({ code, detail, notes, license }) {
  const lines = [`${code}: ${explain(code)}`, `  ${detail}`];
  if (license !== null) {
    lines.push(
      `  license   ${license.lid} (no. ${license.seq})`,
      `  product   ${license.product_family}, ${license.plan} (${license.kind})`,
      `  domain    ${license.domain}`,
      `  period    ${date(license.nbf)} to ${date(license.exp)} (${license.enforcement})`,
    );
  }
  return withNotes(lines, notes);
}

function checkList(values, [path]) {
  let list;
  try {
    list = RevocationList.fromFile(path, keysOf(values));
  } catch (error) {
    if (!(error instanceof RevocationListInvalidError)) throw error;
    const document = { code: error.code, valid: false, detail: error.detail, notes: [] };
    return { said: error.message, document, yes: false };
  }
  const notes = timeOf(values) >= list.nextUpdate ? ["revocations-overdue"] : [];
  const { epoch, nextUpdate, revoked, minSeq, digest } = list;
  const counts = { revoked: revoked.length, superseded: minSeq.size };
  const document = { code: "VALID", valid: true, notes, epoch, next_update: nextUpdate, ...counts, digest };
  const said = `VALID: list ${epoch}, ${revoked.length} revoked, next one due ${date(nextUpdate)}`;
  return { said: withNotes([said], notes), document };
}

function drawNonce() {
  const nonce = newNonce();
  return { said: nonce, document: { nonce } };
}

function judgeAnswer(values, [path]) {
  const verdict = verifyAnswer(readTokenFile(path), keysOf(values), {
    nonce: values.nonce,
    now: timeOf(values),
    licenseId: values["license-id"],
    highWaterMark: markOf(values),
  });
  return { said: `${verdict.code}: ${verdict.detail}`, document: verdict, yes: verdict.valid };
}

function hashFacts(_, given) {
  const facts = given.map((each) => {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(each) ?? [];
    if (name === undefined) throw new UsageError(`${each} is not NAME=VALUE.`);
    return [name, value.startsWith("@") ? readFileSync(value.slice(1), "utf8").trim() : value];
  });
  const found = Object.fromEntries(facts);
  if (Object.keys(found).length < facts.length) throw new UsageError("Two facts have one name.");
  const print = fingerprint(found);
  return { said: print, document: { fingerprint: print } };
}

function writeChallenge(values) {
  const challenge = newChallenge(loadOrCreateKey(values["usage-key"]), values);
  if (values.out !== undefined) writeFileSync(values.out, `${challenge}\n`);
  const said = values.out === undefined ? challenge : `written to ${values.out}`;
  return { said, document: JSON.parse(challenge) };
}
