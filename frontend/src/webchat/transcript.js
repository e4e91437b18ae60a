import { dayHeading, drawMessage } from "./bubbles.js";

/** The messages on the page, ordered by time, each once; pending ones stand at the end. */
export function createTranscript(holder, onTap) {
  let messages = [];

  // The visitor's clock may be wrong: what was typed here stands after what was there when it was typed.
  const timeOf = (message) => message.after ?? (Date.parse(message.at) || 0);
  const place = (message) => [message.pending ? 1 : 0, timeOf(message)];
  const byTime = (left, right) => {
    const [a, b] = [place(left), place(right)];
    return a[0] - b[0] || a[1] - b[1];
  };

  function draw() {
    const nodes = [];
    messages.forEach((message, index) => {
      const heading = dayHeading(message, messages[index - 1]);
      if (heading) nodes.push(heading);
      message.node ||= drawMessage(message, (button, key) => onTap(message, button, key));
      nodes.push(message.node);
    });
    reconcile(holder, nodes);
  }

  function put(message) {
    const known = messages.findIndex((item) => item.id === message.id);
    if (known >= 0) messages[known] = message;
    else messages.push(message);
  }

  return {
    merge(found) {
      found.forEach((message) => put({ ...message }));
      messages.sort(byTime);
      draw();
    },
    addPending(id, text) {
      const after = Math.max(0, ...messages.map(timeOf));
      messages.push({ id, text, direction: "in", at: new Date().toISOString(), after, pending: true });
      draw();
    },
    /** The server's id takes the place of ours; when its copy is here already, ours goes. */
    settle(id, messageId) {
      const mine = messages.find((message) => message.id === id);
      if (!mine) return;
      const isKnown = messages.some((message) => message.id === messageId);
      if (isKnown) messages = messages.filter((message) => message !== mine);
      else Object.assign(mine, { id: messageId || id, pending: false, node: null });
      messages.sort(byTime);
      draw();
    },
    edit(message) {
      if (messages.some((item) => item.id === message.id)) this.merge([message]);
    },
    redraw() {
      messages.forEach((message) => (message.node = null));
      draw();
    },
    oldestId: () => messages.find((message) => !message.pending)?.id ?? null,
    has: (id) => messages.some((message) => message.id === id),
  };
}

// Moves as little as possible, so that the screen reader does not read the whole log again.
function reconcile(holder, nodes) {
  const wanted = new Set(nodes);
  for (const node of [...holder.children]) if (!wanted.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (holder.children[index] !== node) holder.insertBefore(node, holder.children[index] || null);
  });
}
