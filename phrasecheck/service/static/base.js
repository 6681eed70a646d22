// What every page does. Not to be imported (its listeners would be there twice): api.js is.
import { toast, t } from "./api.js";

// <button class="menu" aria-controls="nav"> opens the navigation on a narrow screen.
const menu = document.querySelector("button.menu");
menu?.addEventListener("click", () => {
  const open = menu.getAttribute("aria-expanded") !== "true";
  menu.setAttribute("aria-expanded", String(open));
});

document.addEventListener("click", async (event) => {
  // <button data-opens="dialog-id"> shows a <dialog>, <button data-closes> inside it closes it.
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  // <button data-copies="element-id"> puts that element's text or value on the clipboard.
  const copier = event.target.closest("[data-copies]");
  if (copier) {
    const from = document.getElementById(copier.dataset.copies);
    await copy(from);
    toast(t("已复制", "Copied"));
  }
  for (const open of document.querySelectorAll("details.account[open]")) if (!open.contains(event.target)) open.open = false;
});

// navigator.clipboard is only there over TLS and on localhost; desks in an intranet have neither.
async function copy(from) {
  const text = from.value ?? from.textContent;
  if (navigator.clipboard) return navigator.clipboard.writeText(text.trim());
  from.select ? from.select() : getSelection().selectAllChildren(from);
  document.execCommand("copy");
}

// <form data-confirm="question?"> asks before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) return event.preventDefault();
  // A form is sent once, however often its button is pressed.
  if (event.target.method === "post") {
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "yes";
  }
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// <select data-submits> or <input data-submits> sends its form when it changes.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
