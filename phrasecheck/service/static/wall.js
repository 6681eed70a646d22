// The supervisor's wall: calls and alerts from one stream of events.
import { send, t, toast } from "./api.js";
import { follow } from "./stream.js";

const LINES = 6; // of text a call
const KEPT = 200; // alerts shown
const ENDED_STAYS = 20000; // ms that a call that is over stays to be seen

const place = document.querySelector(".wall");
const list = document.getElementById("calls");
const alerts = document.getElementById("alerts");
const filters = document.getElementById("filters");
const link = document.getElementById("link");
const overload = document.getElementById("overload");
const nobody = list.firstElementChild;
const roles = Object.fromEntries([...filters.role.options].map((option) => [option.value, option.textContent]));
const calls = new Map();
let caughtUp = false;

// --- making things -------------------------------------------------------------------------------------------------------------------

function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const grave = (severity) => ({ 严重: "severe", 较重: "major", 一般: "minor" })[severity] ?? "minor";

function callOf(message) {
  const id = message.event.call;
  if (!calls.has(id)) {
    const card = make("article", "card call");
    card.dataset.call = id;
    const title = make("a", "", message.agent ? `${t("坐席", "Agent")} ${message.agent}` : id);
    title.href = place.dataset.call.replace("CALL", encodeURIComponent(id));
    const head = make("h3", "spread");
    const about = make("span", "quiet small");
    head.append(title, about);
    const script = make("ol", "script");
    const partial = make("p", "partial quiet");
    card.append(head, script, partial);
    list.append(card);
    calls.set(id, { card, about, script, partial, team: message.team ?? "", role: "", title: title.textContent, alerts: new Map(), partials: new Map() });
    teams();
  }
  return calls.get(id);
}

function teams() {
  const names = [...new Set([...calls.values()].map((call) => call.team))].filter(Boolean).sort();
  document.getElementById("teams").replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
}

// --- events --------------------------------------------------------------------------------------------------------------------------

const ON = {
  started(call, event) {
    call.role = event.role;
    call.about.textContent = [roles[event.role] ?? event.role, call.team].filter(Boolean).join(" · ");
  },
  partial(call, event) {
    call.partials.set(event.channel, event.text);
    call.partial.textContent = `${event.text} …`;
  },
  utterance(call, event) {
    call.partials.delete(event.channel);
    call.partial.textContent = [...call.partials.values()].join("　");
    const line = make("li", event.speaker, event.text);
    line.prepend(make("span", "number quiet", clock(event.start)));
    if (event.alerts.length) line.classList.add("alerted");
    call.script.append(line);
    while (call.script.children.length > LINES) call.script.firstElementChild.remove();
    for (const seq of event.alerts) call.alerts.get(seq)?.classList.remove("early");
  },
  alert(call, event) {
    const item = alertItem(call, event);
    call.alerts.set(event.seq, item);
    alerts.prepend(item);
    while (alerts.children.length > KEPT) alerts.lastElementChild.remove();
    call.card.classList.add("alerted", grave(event.severity));
    list.prepend(call.card);
    if (caughtUp && !item.hidden) ring(event.severity);
  },
  retracted(call, event) {
    const item = call.alerts.get(event.alert);
    if (!item) return;
    item.classList.add("retracted");
    item.append(make("p", "small", `${t("已撤回", "Retracted")}：${event.text}`));
    const standing = [...call.alerts.values()].some((other) => !other.classList.contains("retracted"));
    if (!standing) call.card.classList.remove("alerted", "severe", "major", "minor");
  },
  overloaded(_, event) {
    overload.textContent = t(`机器忙不过来：提醒约晚 ${event.delay.toFixed(1)} 秒，话没说完时的提醒暂停。`, `The machine is behind by ${event.delay.toFixed(1)} s: no early alerts.`);
    overload.hidden = false;
  },
  resumed(call, event) {
    if (event.line) call.card.classList.remove("away"); else overload.hidden = true;
  },
  problem(call, event) {
    if (event.cause === "line") call.card.classList.add("away");
    call.partial.textContent = event.text;
  },
  ended(call, event) {
    call.card.classList.add("ended");
    call.partial.textContent = t("通话结束", "Ended");
    if (caughtUp) setTimeout(() => forget(event.call), ENDED_STAYS); else forget(event.call);
  },
};

function forget(id) {
  calls.get(id)?.card.remove();
  calls.delete(id);
  show();
}

function alertItem(call, event) {
  const item = make("li", `card alert ${grave(event.severity)}`);
  if (event.partial) item.classList.add("early");
  const head = make("p", "spread");
  head.append(make("strong", "", `${event.severity} ${event.phrase}`), make("span", "quiet small", `${call.title} ${clock(event.start)}`));
  item.append(head, make("p", "quote", `「${event.quote}」`), make("p", "small quiet", event.title));
  if (!event.sure) item.append(make("p", "small", t("说话人未确定", "It is not certain who spoke")));
  const actions = make("p", "actions");
  const seen = make("button", "small seen", t("已看到", "Seen"));
  const note = make("button", "small", t("记一笔", "Note"));
  seen.type = note.type = "button";
  seen.onclick = () => write(event, "");
  note.onclick = () => {
    const text = prompt(t("辅导备注", "Note for coaching"));
    if (text?.trim()) write(event, text);
  };
  actions.append(seen, note);
  item.append(actions);
  item.dataset.team = call.team;
  item.dataset.role = call.role;
  return item;
}

async function write(event, text) {
  const form = new FormData();
  form.set("text", text);
  try {
    await send(place.dataset.note.replace("CALL", encodeURIComponent(event.call)).replace(/0$/, event.seq), form);
  } catch (error) {
    toast(error.message, "bad");
  }
}

function noted(note) {
  const item = calls.get(note.call)?.alerts.get(note.seq);
  if (!item) return;
  item.classList.add("acknowledged");
  item.querySelector(".seen").hidden = true;
  item.append(make("p", "small", `${note.name}：${note.text || t("已看到", "seen")}`));
}

// --- filter and sound ----------------------------------------------------------------------------------------------------------------

function fits(team, role) {
  return (!filters.team.value || team === filters.team.value.trim()) && (!filters.role.value || role === filters.role.value);
}

function show() {
  let shown = 0;
  for (const call of calls.values()) {
    call.card.hidden = !fits(call.team, call.role) || (filters.only.value === "alerts" && !call.alerts.size);
    shown += call.card.hidden ? 0 : 1;
  }
  for (const item of alerts.children) item.hidden = !fits(item.dataset.team, item.dataset.role);
  document.getElementById("count").textContent = shown;
  nobody.hidden = shown > 0;
}

const sound = document.getElementById("sound");
let audio = null;
sound.onclick = () => {
  audio ??= new AudioContext();
  audio.resume();
  const on = sound.getAttribute("aria-pressed") !== "true";
  sound.setAttribute("aria-pressed", String(on));
  if (on) ring("一般");
};

// One tone for a minor alert, two for a major, three for a severe one.
function ring(severity) {
  if (!audio || sound.getAttribute("aria-pressed") !== "true") return;
  const times = { severe: 3, major: 2, minor: 1 }[grave(severity)];
  for (let i = 0; i < times; i++) {
    const at = audio.currentTime + i * 0.22;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = 880;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.18);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  }
}

filters.addEventListener("input", show);
filters.addEventListener("submit", (event) => event.preventDefault());

function take(message) {
  if (message.reset) {
    caughtUp = false;
    calls.clear();
    alerts.replaceChildren();
    list.replaceChildren(nobody);
  }
  if (message.ready) caughtUp = true;
  if (message.note) noted(message.note);
  if (message.event) {
    const over = message.event.type === "ended" && !calls.has(message.event.call);
    if (!over) ON[message.event.type]?.(callOf(message), message.event);
  }
  show();
}

const stream = follow("/wall/events", take, (state) => {
  link.textContent = state === "on" ? t("已连接", "connected") : t("连接断了，正在重连", "reconnecting");
  link.className = `badge ${state === "on" ? "good" : "warn"}`;
});
window.phrasecheckWall = stream; // for tests: drop() and back()
