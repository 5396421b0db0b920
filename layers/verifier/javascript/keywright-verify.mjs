#!/usr/bin/env node
// The license verifier for Node: a library and a command (cli.mjs). It needs no package and no network, and answers
// with the same codes as the Python verifier. Only the usage log is Python's alone.

import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "./cli.mjs";

export { newNonce, verifyAnswer } from "./answer.mjs";
export { ChallengeInvalidError, fingerprint, loadOrCreateKey, newChallenge, readChallenge } from "./challenge.mjs";
export { HighWaterMark } from "./clock.mjs";
export { CODES, explain } from "./codes.mjs";
export { KeySet, KeySetInvalidError } from "./keys.mjs";
export { RevocationList, RevocationListInvalidError } from "./revocations.mjs";
export { verify } from "./verifier.mjs";

const isCommand = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isCommand) process.exitCode = main(process.argv.slice(2));
