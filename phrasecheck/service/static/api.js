// What pages' own modules import: import { get, send, toast, playFrom } from "./api.js"

const csrf = () => document.querySelector('meta[name="csrf"]').content;

// JSON from the API. Throws an Error with the server's message (and .status, .code).
export async function get(path) {
  return read(await fetch(path, { headers: { Accept: "application/json" } }));
}

// POST (or another method) with the CSRF header: an object goes as JSON, FormData and Blobs as they are. Answers and throws like get.
export async function send(path, body = undefined, { method = "POST", headers = {} } = {}) {
  const raw = body instanceof FormData || body instanceof Blob || body instanceof ArrayBuffer || body === undefined;
  const kind = raw ? {} : { "Content-Type": "application/json" };
  return read(await fetch(path, {
    method,
    body: raw ? body : JSON.stringify(body),
    headers: { Accept: "application/json", "X-CSRF-Token": csrf(), ...kind, ...headers },
  }));
}

async function read(response) {
  const text = await response.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* not JSON: an error page of a proxy */ }
  if (response.ok) return value;
  const error = new Error(value?.error?.message ?? `${response.status} ${response.statusText}`);
  throw Object.assign(error, { status: response.status, code: value?.error?.code });
}

// The header that an XMLHttpRequest (upload progress) has to set by itself.
export const csrfHeader = () => ({ "X-CSRF-Token": csrf() });

// A short message at the edge of the page, read out by screen readers. kind: good, bad.
export function toast(message, kind = "good") {
  const line = document.createElement("p");
  line.className = `flash ${kind}`;
  line.textContent = message;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), kind === "bad" ? 12000 : 4000);
}

// Does something with an <audio> once its length is known: at once where it already is (a page's script may come after it), else when it comes.
export function whenLoaded(sound, act) {
  if (sound.readyState > 0) return act();
  sound.addEventListener("loadedmetadata", act, { once: true });
}

// Plays an <audio> from a second on; it is loaded first where it is not yet.
export function playFrom(sound, from) {
  if (sound.readyState === 0) sound.load();
  whenLoaded(sound, () => {
    sound.currentTime = Math.max(0, from);
    sound.play().catch((error) => { if (error.name !== "AbortError") toast(t("录音放不出来：", "Cannot play: ") + error.message, "bad"); });
  });
}

// The page's language: t("中文", "English").
export const t = (zh, en) => (document.documentElement.lang === "en" ? en : zh);
