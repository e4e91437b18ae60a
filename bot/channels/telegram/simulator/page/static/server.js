// Talking to the simulator: JSON in and out, and a stream of changes.
export class Refusal extends Error {}

export async function ask(verb, path, body) {
  const options = { method: verb, headers: { Accept: "application/json" } };
  if (verb !== "GET") {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body ?? {});
  }
  const response = await fetch(`/simulator/${path}`, options);
  const answer = await response.json();
  if (!answer.ok) throw new Refusal(answer.description.replace(/^[A-Z][\w ]+: /, ""));
  return answer.result;
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);

export function follow(personId, { onEvent, onState }) {
  const source = new EventSource(`/simulator/users/${personId}/events`);
  source.onmessage = (message) => onEvent(JSON.parse(message.data));
  source.onopen = () => onState(true);
  source.onerror = () => onState(false);
  return () => source.close();
}

export function readAsBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => resolve(String(reader.result).split(",", 2)[1] ?? "");
    reader.readAsDataURL(file);
  });
}
