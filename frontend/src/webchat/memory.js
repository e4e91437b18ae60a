// What the browser keeps for the visitor. Storage may be forbidden in a frame: then it lasts as long as the page.

const kept = new Map();
const bot = document.body.dataset.bot;
const place = (key) => `siyu-chat-${bot ? `${bot}-` : ""}${key}`;

export function recall(key) {
  try {
    return localStorage.getItem(place(key)) ?? kept.get(key) ?? null;
  } catch {
    return kept.get(key) ?? null;
  }
}

export function remember(key, value) {
  kept.set(key, value);
  try {
    if (value === null) localStorage.removeItem(place(key));
    else localStorage.setItem(place(key), value);
  } catch {
    // kept in the page only
  }
}
