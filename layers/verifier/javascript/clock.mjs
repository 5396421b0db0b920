// The high-water mark: the latest time, and the newest revocation list, that this machine has seen.
// Its file is the same as the Python verifier's; both may share one.

import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export const TOLERANCE_S = 300;
const SAVE_EVERY_S = 60;
const MAX_FILE_CHARACTERS = 200;
const NONE = Object.freeze({ time: 0, epoch: 0 });

const highest = (one, other) => ({ time: Math.max(one.time, other.time), epoch: Math.max(one.epoch, other.epoch) });

export class HighWaterMark {
  #path;
  #seen = { time: 0, epoch: 0 };

  constructor(path) {
    this.#path = path;
  }

  // A missing or damaged file counts as none: a power cut must not stop a paying customer.
  read() {
    return highest(this.#seen, this.#stored().mark);
  }

  // Tells whether the file is missing or damaged, which is as good as a clock that nobody watched.
  state() {
    return this.#stored().wrong;
  }

  // Raises the mark, never lowers it; tells whether the file holds it.
  advance({ time, epoch = 0 }) {
    const { mark, wrong } = this.#stored();
    this.#seen = highest(highest(this.#seen, mark), { time, epoch });
    const isRecent = this.#seen.time < mark.time + SAVE_EVERY_S && this.#seen.epoch === mark.epoch;
    return (wrong === undefined && isRecent) || this.#save(this.#seen);
  }

  #stored() {
    let text;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      return { mark: NONE, wrong: error.code === "ENOENT" ? "clock-mark-new" : "clock-mark-damaged" };
    }
    try {
      const { time, epoch } = JSON.parse(text.slice(0, MAX_FILE_CHARACTERS));
      if (Number.isSafeInteger(time) && Number.isSafeInteger(epoch)) return { mark: { time, epoch } };
    } catch {
      // Falls through to a damaged mark.
    }
    return { mark: NONE, wrong: "clock-mark-damaged" };
  }

  #save({ time, epoch }) {
    const draft = join(dirname(this.#path), `.${basename(this.#path)}.${randomBytes(8).toString("hex")}`);
    try {
      const file = openSync(draft, "wx");
      try {
        writeSync(file, JSON.stringify({ epoch, time }));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(draft, this.#path);
      return true;
    } catch {
      rmSync(draft, { force: true });
      return false;
    }
  }
}
