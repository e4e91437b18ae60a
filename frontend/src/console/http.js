// Calls to our own server, with the token that proves that they come from our own page.

export function csrfToken(node) {
  const own = node?.dataset?.csrf;
  return own || document.querySelector('meta[name="csrf-token"]')?.content || "";
}

/** POSTs JSON; resolves to the Response, or rejects with an Error that carries the server's own words. */
export async function postJson(url, body, { token, signal, accept = "application/json" }) {
  const answer = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: accept, "X-CSRF-Token": token },
    body: JSON.stringify(body),
    signal,
  });
  if (!answer.ok) throw await toError(answer);
  return answer;
}

/** POSTs a form with files; resolves and rejects as postJson does. */
export async function postForm(url, form, { token }) {
  const headers = { Accept: "application/json", "X-CSRF-Token": token };
  const answer = await fetch(url, { method: "POST", credentials: "same-origin", headers, body: form });
  if (!answer.ok) throw await toError(answer);
  return answer;
}

async function toError(answer) {
  const kind = answer.headers.get("content-type") || "";
  const problem = kind.includes("json") ? await answer.json().catch(() => ({})) : {};
  const detail = typeof problem.detail === "string" ? problem.detail : problem.title;
  return Object.assign(new Error(detail || ""), { status: answer.status });
}
