// What the browser keeps for the visitor. Storage may be forbidden in a frame: then it lasts as long as the page.

const kept = new Map();

export function recall(key) {
  try {
    return localStorage.getItem(`siyu-chat-${key}`) ?? kept.get(key) ?? null;
  } catch {
    return kept.get(key) ?? null;
  }
}

export function remember(key, value) {
  kept.set(key, value);
  try {
    if (value === null) localStorage.removeItem(`siyu-chat-${key}`);
    else localStorage.setItem(`siyu-chat-${key}`, value);
  } catch {
    // kept in the page only
  }
}
