// The high-water mark: the latest time, and the newest revocation list, that this machine has seen.
// Its file is the same as the Python verifier's; both may share one.

import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export const TOLERANCE_S = 300;
const SAVE_EVERY_S = 60;

const highest = (one, other) => ({ time: Math.max(one.time, other.time), epoch: Math.max(one.epoch, other.epoch) });

export class HighWaterMark {
  #path;
  #seen = { time: 0, epoch: 0 };

  constructor(path) {
    this.#path = path;
  }

  // A missing or damaged file counts as none: a power cut must not stop a paying customer.
  read() {
    return highest(this.#seen, this.#stored());
  }

  // Raises the mark, never lowers it; tells whether the file holds it.
  advance({ time, epoch = 0 }) {
    const stored = this.#stored();
    this.#seen = highest(highest(this.#seen, stored), { time, epoch });
    if (this.#seen.time < stored.time + SAVE_EVERY_S && this.#seen.epoch === stored.epoch) return true;
    return this.#save(this.#seen);
  }

  #stored() {
    try {
      const { time, epoch } = JSON.parse(readFileSync(this.#path, "utf8"));
      if (Number.isSafeInteger(time) && Number.isSafeInteger(epoch)) return { time, epoch };
    } catch {
      // Falls through to no mark, as said above.
    }
    return { time: 0, epoch: 0 };
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
