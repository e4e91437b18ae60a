const NEAR = 120;

/** Keeps the newest message in view while the reader is at the end, and tells of what was seen. */
export function createScrolling({ log, toEnd, unread, onTop, onSeen }) {
  let missed = 0;

  const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  const showMissed = () => {
    unread.hidden = missed === 0;
    unread.textContent = String(missed);
  };
  const settle = () => {
    toEnd.hidden = isAtEnd();
    if (isAtEnd()) missed = 0;
    showMissed();
    if (isAtEnd() && document.visibilityState === "visible" && log.clientHeight > 0) onSeen();
  };
  const goToEnd = (behavior = "auto") => log.scrollTo({ top: log.scrollHeight, behavior });

  log.addEventListener("scroll", () => {
    settle();
    if (log.scrollTop < NEAR) onTop();
  }, { passive: true });
  document.addEventListener("visibilitychange", settle);
  toEnd.addEventListener("click", () => goToEnd("smooth"));
  // A phone's keyboard changes the height; the reader stays at the end, and a picture that loads pushes down.
  let wasAtEnd = true;
  log.addEventListener("scroll", () => (wasAtEnd = isAtEnd()), { passive: true });
  const observer = new ResizeObserver(() => {
    if (wasAtEnd) goToEnd();
    settle();
  });
  observer.observe(log);
  observer.observe(log.querySelector("[data-messages]"));

  return {
    /** Runs `change`, then stays at the end or at the message that was in view. */
    around(change, { isNew = false, isOlder = false, mustFollow = false } = {}) {
      const follows = mustFollow || isAtEnd();
      const fromEnd = log.scrollHeight - log.scrollTop;
      change();
      if (isOlder) log.scrollTop = log.scrollHeight - fromEnd;
      else if (follows) goToEnd();
      else if (isNew) missed += 1;
      settle();
    },
  };
}
