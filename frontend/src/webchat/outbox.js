import { recall, remember } from "./memory.js";

const LIMIT = 50;

/** Frames that the server has not acknowledged; they survive a reload and are sent again after a reconnect. */
export function createOutbox() {
  let waiting = read();
  const save = () => remember("outbox", waiting.length ? JSON.stringify(waiting) : null);
  return {
    all: () => [...waiting],
    add(frame) {
      waiting = [...waiting, frame].slice(-LIMIT);
      save();
    },
    settle(id) {
      waiting = waiting.filter((frame) => frame.id !== id);
      save();
    },
  };
}

function read() {
  try {
    const found = JSON.parse(recall("outbox") || "[]");
    return Array.isArray(found) ? found.filter((frame) => typeof frame?.id === "string") : [];
  } catch {
    return [];
  }
}

/** A random identifier; randomUUID exists only on https and localhost. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
