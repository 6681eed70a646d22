// The call page: the player, the time line and the conversation that follow one another, and reviewing by keyboard.
import { playFrom, t, toast, whenLoaded } from "./api.js";

const LEAD_IN = 1.0; // seconds played before and after a hit
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const sound = document.getElementById("sound");
const drawing = document.getElementById("drawing");
const head = document.getElementById("head");
const talk = document.getElementById("talk");
const player = document.getElementById("player");
const seconds = Number(drawing.dataset.seconds);
const lines = all(".say");
let chosen = null; // id of a hit
let stopAt = null; // a hit is played to its end, the rest of the call goes on

const moments = () => all(".moment");
const card = () => (chosen ? document.getElementById(chosen) : null);

// --- sound ---------------------------------------------------------------------------------------------------------------------------

function play(from, to = null) {
  stopAt = to;
  playFrom(sound, from);
}

function playCard(element) {
  play(Number(element.dataset.start) - LEAD_IN, Number(element.dataset.end) + LEAD_IN);
}

function follow() {
  const at = sound.currentTime;
  if (stopAt !== null && at >= stopAt) { stopAt = null; sound.pause(); }
  const place = `${Math.min(100, (100 * at) / seconds)}%`;
  head.classList.add("seen");
  head.setAttribute("x1", place);
  head.setAttribute("x2", place);
  const now = lines.find((line) => Number(line.dataset.start) <= at && at < Number(line.dataset.end));
  if (now && !now.classList.contains("now")) show(now);
  lines.forEach((line) => line.classList.toggle("now", line === now));
  moments().forEach((each) => each.classList.toggle("playing", !sound.paused && Number(each.dataset.start) <= at && at <= Number(each.dataset.end)));
  if (!sound.paused) requestAnimationFrame(follow);
}

// The conversation scrolls by itself where it has a scroll bar of its own; a page that jumps about while one reads helps nobody.
function show(line) {
  if (talk.scrollHeight <= talk.clientHeight) return;
  talk.scrollTop += line.getBoundingClientRect().top - talk.getBoundingClientRect().top - talk.clientHeight / 3;
}

for (const event of ["play", "pause", "seeked", "ended"]) sound.addEventListener(event, follow);
sound.addEventListener("error", () => toast(t("录音读不出来，可能已按保留期限删除。", "The recording cannot be read; it may have been deleted."), "bad"));
drawing.addEventListener("click", (event) => {
  if (event.target.closest(".pin")) return;
  const box = drawing.getBoundingClientRect();
  play((seconds * (event.clientX - box.left)) / box.width);
});
all(".channels button").forEach((button) => button.addEventListener("click", () => {
  const at = sound.currentTime, running = !sound.paused, speed = sound.playbackRate;
  press(button);
  sound.src = button.dataset.src;
  sound.load();
  whenLoaded(sound, () => { sound.currentTime = at; sound.playbackRate = speed; if (running) sound.play(); });
}));
all(".speeds button").forEach((button) => button.addEventListener("click", () => { press(button); sound.playbackRate = Number(button.dataset.speed); }));
const press = (button) => all("button", button.parentElement).forEach((other) => other.setAttribute("aria-pressed", String(other === button)));

// --- choosing ------------------------------------------------------------------------------------------------------------------------

function choose(element, { scroll = true, focus = true } = {}) {
  if (!element) return;
  chosen = element.id;
  moments().forEach((each) => each.classList.toggle("chosen", each === element));
  all(".pin").forEach((pin) => pin.classList.toggle("chosen", pin.getAttribute("href") === `#${chosen}`));
  if (focus) element.focus({ preventScroll: true });
  if (scroll) element.scrollIntoView({ block: "start" });
  const line = document.getElementById(`say-${element.dataset.utterance}`);
  if (line) show(line);
}

function step(by) {
  const each = moments(), place = each.findIndex((one) => one.id === chosen);
  const next = each[place < 0 ? (by > 0 ? 0 : each.length - 1) : place + by];
  if (next) { choose(next); playCard(next); }
}

document.addEventListener("click", (event) => {
  const to = event.target.closest(".pin, .to-hit");
  if (to) {
    event.preventDefault();
    const element = document.getElementById(to.getAttribute("href").slice(1));
    choose(element);
    return playCard(element);
  }
  const element = event.target.closest(".moment");
  if (element && element.id !== chosen) choose(element, { scroll: false, focus: false });
  if (event.target.closest(".play")) return playCard(element);
  const said = event.target.closest(".at, .words");
  if (said) play(Number(said.closest(".say").dataset.start));
});

// --- reviewing -----------------------------------------------------------------------------------------------------------------------

function open(panel, field) {
  if (!panel) return toast(t("这一处现在不能这样做", "Not possible here now"), "bad");
  if (panel.matches("details")) panel.open = true;
  panel.querySelector(field).focus();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form.review")) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // base.js would let it be sent once only
  const id = form.closest(".moment").id;
  const body = new FormData(form, event.submitter);
  try {
    const answered = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const text = await answered.text();
    if (!answered.ok) {
      toast(JSON.parse(text).error.message, "bad");
      return swap(await (await fetch(location.pathname + location.search)).text(), id);
    }
    swap(text, id);
    toast(t("已记录", "Recorded"));
    next(id);
  } catch (error) {
    toast(t("没有保存：", "Not saved: ") + error.message, "bad");
  }
}, true);

// The server has drawn the page anew; what a verdict changes is taken over, the sound goes on.
function swap(text, id) {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const each of ["cards", "drawing", id]) {
    const [old, fresh] = [document.getElementById(each), page.getElementById(each)];
    if (!old || !fresh) continue;
    if (each === "drawing") all(".pin", old).forEach((pin, place) => { pin.setAttribute("class", all(".pin", fresh)[place]?.getAttribute("class") ?? "pin"); });
    else old.replaceWith(document.importNode(fresh, true));
  }
  choose(document.getElementById(id), { scroll: false });
}

// On to the next hit that waits for somebody.
function next(id) {
  const each = moments(), place = each.findIndex((one) => one.id === id);
  const waiting = [...each.slice(place + 1), ...each.slice(0, place)].find((one) => one.querySelector("form.review") && one.dataset.review === "new");
  if (waiting && all("form[data-verb=confirm]", waiting).length) { choose(waiting); playCard(waiting); }
}

const KEYS = {
  " ": () => { stopAt = null; sound.paused ? play(sound.currentTime) : sound.pause(); },
  j: () => step(1),
  k: () => step(-1),
  p: () => card() && playCard(card()),
  y: () => { const form = card()?.querySelector("form[data-verb=confirm]"); form ? form.requestSubmit() : open(null); },
  n: () => open(card()?.querySelector(".reject"), "input[type=radio]"),
  a: () => open(card()?.querySelector(".appeal"), "textarea"),
  c: () => open(card()?.querySelector("form.review"), card()?.querySelector("details[open] textarea") ? "details[open] textarea" : "[name=comment]"),
  ArrowLeft: () => { sound.currentTime -= 5; },
  ArrowRight: () => { sound.currentTime += 5; },
  "?": () => document.getElementById("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const panel = event.target.closest?.(".reject");
  const typing = event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
  if (event.key === "Escape") { event.target.blur(); if (panel) panel.open = false; card()?.focus({ preventScroll: true }); return; }
  if (panel && !typing && /^[1-5]$/.test(event.key)) { panel.querySelectorAll("[type=radio]")[Number(event.key) - 1].click(); return event.preventDefault(); }
  if (typing || (panel && [" ", "ArrowLeft", "ArrowRight"].includes(event.key)) || (event.key === " " && event.target.matches("button, summary, a, audio"))) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// --- at the beginning ----------------------------------------------------------------------------------------------------------------

function measure() {
  const sticks = getComputedStyle(player).position === "sticky";
  const bar = document.querySelector("header.site").offsetHeight;
  document.documentElement.style.setProperty("--stick", `${bar + (sticks ? player.offsetHeight : 0)}px`);
}
new ResizeObserver(measure).observe(player);
measure();
const wanted = new URLSearchParams(location.search).get("t");
if (wanted !== null) whenLoaded(sound, () => { sound.currentTime = Number(wanted); });
if (location.hash.startsWith("#hit-")) choose(document.getElementById(location.hash.slice(1)));
