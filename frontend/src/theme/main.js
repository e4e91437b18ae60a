// Runs before the first paint, so that a dark console never flashes white.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("siyu-theme");
    } catch {
      return null; // storage may be forbidden inside a frame
    }
  };
  const apply = () => {
    document.documentElement.dataset.bsTheme = chosen() || (system.matches ? "dark" : "light");
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
})();
