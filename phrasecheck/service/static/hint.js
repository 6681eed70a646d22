// The agent's own page: a quiet hint, what to say instead.
import { t } from "./api.js";
import { follow } from "./stream.js";

const hints = document.getElementById("hints");
const state = document.getElementById("state");
const link = document.getElementById("link");
const KEPT = 5;
const shown = new Map(); // call/seq -> item

function line(className, text) {
  const node = document.createElement("p");
  node.className = className;
  node.textContent = text;
  return node;
}

const ON = {
  started() {
    hints.replaceChildren();
    shown.clear();
    state.textContent = t("通话进行中。", "A call is in progress.");
  },
  alert(event) {
    const item = document.createElement("li");
    item.className = "card hint";
    item.append(line("small quiet", t("换个说法：", "Say instead:")), line("instead", event.instead), line("small quiet", `「${event.quote}」`));
    hints.prepend(item);
    shown.set(`${event.call}/${event.seq}`, item);
    while (hints.children.length > KEPT) hints.lastElementChild.remove();
  },
  retracted(event) {
    const item = shown.get(`${event.call}/${event.alert}`);
    item?.classList.add("retracted");
    item?.append(line("small", t("这条提示已撤回，请忽略。", "Retracted: never mind.")));
  },
  ended() {
    state.textContent = t("通话已结束。", "The call is over.");
  },
};

function take(message) {
  if (message.reset) {
    hints.replaceChildren();
    shown.clear();
    state.textContent = t("没有进行中的通话。", "No call in progress.");
  }
  if (message.event) ON[message.event.type]?.(message.event);
}

const stream = follow("/hint/events", take, (now) => {
  link.textContent = now === "on" ? t("已连接", "connected") : t("正在重连", "reconnecting");
  link.className = `badge ${now === "on" ? "good" : "warn"}`;
});
window.phrasecheckHint = stream; // for tests: drop() and back()
