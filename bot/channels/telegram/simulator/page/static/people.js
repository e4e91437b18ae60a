// Choosing or making the pretend user whose chats are shown.
import { byId, button, dressAvatar, element, toast } from "./elements.js";
import { label } from "./labels.js";
import { get, post } from "./server.js";

const KEPT = "siyu.simulator.person";

export async function firstPerson() {
  const people = await get("users");
  const asked = new URLSearchParams(location.search).get("user");
  const kept = people.find((person) => String(person.id) === (asked ?? localStorage.getItem(KEPT)));
  if (kept ?? people[0]) return kept ?? people[0];
  const isChinese = document.documentElement.lang === "zh-CN";
  return post("users", {
    first_name: isChinese ? "小满" : "Robin",
    language_code: isChinese ? "zh-hans" : "en",
    phone: "+8613800138000",
  });
}

export function choosePerson() {
  const dialog = byId("people");
  const form = byId("new-person");
  return new Promise((resolve) => {
    const finish = (person) => { resolve(person); dialog.close(); };
    dialog.onclose = () => resolve(null);
    dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
    form.onsubmit = (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      values.phone = values.phone.replace(/[^+\d]/g, "");
      post("users", values).then((person) => { form.reset(); finish(person); }, (error) => toast(label("failed") + error.message));
    };
    void draw(finish).then(() => dialog.showModal());
  });
}

async function draw(finish) {
  const people = await get("users");
  byId("people-list").replaceChildren(...people.map((person) => {
    const name = [person.first_name, person.last_name].filter(Boolean).join(" ");
    const details = [person.language_code, person.phone].filter(Boolean).join(" · ");
    const row = button("", "", () => finish(person));
    row.append(
      dressAvatar(element("span", "avatar small"), name, person.id),
      element("span", "", element("span", "", name), element("br"), element("small", "", details)),
    );
    return element("li", "", row);
  }));
}
