// Strict base64url and canonical JSON: each value has exactly one spelling, and only that one is read.

import { createHash } from "node:crypto";

const MAX_DEPTH = 8;

// Gives the SHA-256 of text or bytes in base64url: 43 characters.
export const sha256Text = (content) => createHash("sha256").update(content).digest("base64url");

// Bytes, not JavaScript's own order: that sorts by UTF-16 units, which differs beyond U+FFFF.
export const byCodePoint = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));

// Throws unless the text is base64url without padding in its one canonical spelling.
export function decodeBase64url(text) {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new Error("not base64url without padding");
  const raw = Buffer.from(text, "base64url");
  if (raw.toString("base64url") !== text) throw new Error("base64url with stray bits at its end");
  return raw;
}

// Writes UTF-8 JSON with members sorted by code point and no white space. Throws for anything but null,
// booleans, whole numbers that are exact, well-formed text, lists and objects.
export function canonicalJson(value, depth = MAX_DEPTH) {
  if (depth === 0) throw new Error("nested too deeply");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new Error("text with half a character");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Error("not a whole number, or too large");
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((child) => canonicalJson(child, depth - 1)).join(",")}]`;
  if (typeof value !== "object") throw new Error("not a JSON value");
  const names = Object.keys(value).sort(byCodePoint);
  return `{${names.map((name) => `${canonicalJson(name, depth)}:${canonicalJson(value[name], depth - 1)}`).join(",")}}`;
}

// Reads a JSON object, and only from its canonical spelling. So no member can occur twice and no number can
// be rounded: both would be written back differently.
export function parseCanonicalObject(raw) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  const value = JSON.parse(text);
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("not a JSON object");
  if (canonicalJson(value) !== text) throw new Error("not canonical JSON");
  return value;
}

// Reads a member of an untrusted object without seeing what every object inherits.
export const member = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);
