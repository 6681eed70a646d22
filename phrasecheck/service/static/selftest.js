// Sends an answer to be judged as a call would be, and shows what would be flagged and why.
import { send, toast } from "./api.js";

const words = document.getElementById("words").dataset;
const home = new URL("selftest/answer", location.href).pathname;

function element(tag, text = "", kind = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function line(name, text, kind = "") {
  const made = element("p", "", kind);
  made.append(element("b", `${name}：`), text);
  return made;
}

function flag(found) {
  const box = element("div", "", found.sure ? "flag" : "flag doubtful");
  box.append(line(found.sure ? words.flagged : words.doubtful, `“${found.quote}”`));
  box.append(element("p", `${found.phrase_id} ${found.text}`, "quiet"), line(words.reason, found.reason));
  box.append(line(words.why, found.why), line(words.instead, found.instead, "instead"));
  return box;
}

function show(into, judged) {
  into.replaceChildren(...judged.flags.map(flag));
  if (!judged.flags.length) {
    const box = element("div", "", "clear");
    box.append(element("p", words.clear));
    box.append(judged.courtesies.length ? line(words.courtesy.replace(/[：:]\s*$/, ""), judged.courtesies.join("；")) : element("p", words.hint, "quiet"));
    into.append(box);
  }
}

async function judge(question) {
  const own = question.querySelector(".own").value.trim();
  const answer = own || question.querySelector("input[type=radio]:checked")?.value;
  if (!answer) return toast(words.empty, "bad");
  const into = question.querySelector(".verdict");
  const button = question.querySelector(".try");
  into.hidden = false;
  into.replaceChildren(element("p", words.wait, "quiet"));
  button.disabled = true;
  try {
    show(into, await send(home, { answer, role: question.dataset.role }));
  } catch (error) {
    into.hidden = true;
    toast(error.message, "bad");
  } finally {
    button.disabled = false;
  }
}

for (const question of document.querySelectorAll(".question")) {
  question.querySelector(".try").addEventListener("click", () => judge(question));
  question.querySelector(".own").addEventListener("keydown", (event) => { if (event.key === "Enter") judge(question); });
  const speak = question.querySelector(".speak");
  if ("speechSynthesis" in window) {
    speak.hidden = false;
    speak.addEventListener("click", () => {
      speechSynthesis.cancel();
      const said = new SpeechSynthesisUtterance(question.querySelector("q").textContent);
      said.lang = "zh-CN";
      speechSynthesis.speak(said);
    });
  }
}
