const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const GREETING_TIME = 10_000;

/**
 * A WebSocket that comes back. `greet()` gives the first frame of each connection; `onFrame` gets what arrives;
 * `onState` gets "connecting" | "online" | "offline". Frames are accepted once `welcomed()` was called.
 */
export function connect({ url, greet, onFrame, onState }) {
  let socket = null;
  let attempts = 0;
  let isReady = false;
  let retry = 0;
  let patience = 0;

  function open() {
    clearTimeout(retry);
    onState(attempts ? "offline" : "connecting");
    const mine = new WebSocket(url);
    socket = mine;
    patience = setTimeout(() => mine.close(), GREETING_TIME);
    mine.addEventListener("open", () => mine.send(JSON.stringify(greet())));
    mine.addEventListener("message", (event) => mine === socket && receive(event.data));
    mine.addEventListener("close", () => mine === socket && lost());
  }

  function receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame && typeof frame.type === "string") onFrame(frame);
  }

  function lost() {
    clearTimeout(patience);
    isReady = false;
    onState("offline");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempts);
    attempts += 1;
    // Half of the wait is by chance, so that a restarted server is not met by everyone at once.
    retry = setTimeout(open, wait / 2 + (Math.random() * wait) / 2);
  }

  function reopen() {
    attempts = 0;
    isReady = false;
    const old = socket;
    socket = null;
    old?.close();
    clearTimeout(patience);
    open();
  }

  const comeBack = () => !isReady && document.visibilityState === "visible" && reopen();
  addEventListener("online", comeBack);
  document.addEventListener("visibilitychange", comeBack);
  open();

  return {
    reopen,
    welcomed() {
      clearTimeout(patience);
      attempts = 0;
      isReady = true;
      onState("online");
    },
    /** True when the frame was handed to the network. */
    send(frame) {
      if (!isReady || socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
  };
}
