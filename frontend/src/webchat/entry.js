import { w } from "./words.js";

const LONGEST = 4096;

/** The line at the bottom: text, sharing, the menu of the bot. */
export function createEntry({ form, onText, onNote }) {
  const input = form.querySelector("[data-input]");
  const send = form.querySelector("[data-send]");
  const more = form.querySelector("[data-more]");
  const grow = () => {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 140)}px`;
    send.disabled = !input.value.trim();
  };
  const submit = () => {
    const text = input.value.trim();
    if (!text) return;
    if (text.length > LONGEST) return onNote(w("tooLong"));
    onText(text);
    input.value = "";
    grow();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    input.focus();
  });
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  refusePictures(input, onNote);
  startSharing(form, more, { input, grow, onText, onNote });
  return {
    rename() {
      input.placeholder = w("write");
      input.setAttribute("aria-label", w("write"));
      send.setAttribute("aria-label", w("send"));
      more.querySelector("summary").setAttribute("aria-label", w("more"));
      form.querySelector("[data-share-phone] span").textContent = w("sharePhone");
      form.querySelector("[data-share-location] span").textContent = w("shareLocation");
    },
  };
}

function refusePictures(input, onNote) {
  const judge = (event, data) => {
    if (![...(data?.items || [])].some((item) => item.kind === "file")) return;
    event.preventDefault();
    onNote(w("noPhoto"));
  };
  input.addEventListener("paste", (event) => judge(event, event.clipboardData));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => judge(event, event.dataTransfer));
}

function mayShareLocation() {
  const policy = document.permissionsPolicy || document.featurePolicy;
  const isAllowed = policy ? policy.allowsFeature("geolocation") : true;
  return Boolean(navigator.geolocation) && isSecureContext && isAllowed;
}

// Web chat has no contact or location messages: both become text, which every question accepts.
function startSharing(form, more, { input, grow, onText, onNote }) {
  const phone = form.querySelector("[data-share-phone]");
  const place = form.querySelector("[data-share-location]");
  phone.addEventListener("click", () => {
    more.open = false;
    input.value = "+";
    grow();
    input.focus();
  });
  place.hidden = !mayShareLocation();
  place.addEventListener("click", () => {
    more.open = false;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => onText(`${coords.latitude.toFixed(5)}, ${coords.longitude.toFixed(5)}`),
      () => onNote(w("noLocation")),
      { timeout: 10_000, maximumAge: 60_000 },
    );
  });
  document.addEventListener("click", (event) => !more.contains(event.target) && (more.open = false));
  more.addEventListener("keydown", (event) => event.key === "Escape" && (more.open = false));
}
