// Files dropped or chosen, sent in parts that can be gone on with (tus 1.0), three at a time; afterwards what became of each.
import { csrfHeader, get, send, t, toast } from "./api.js";

const root = document.getElementById("uploader");
const { uploads: endpoint, calls, call: callPage, most } = root.dataset;
const MB = 1 << 20, SMALLEST = MB, LARGEST = 8 * MB, AT_ONCE = 3, PATIENCE = 12;
const batch = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const jobs = [];
let running = 0;

// --- what is dropped or chosen ---

for (const button of root.querySelectorAll("[data-picks]")) {
  const input = document.getElementById(button.dataset.picks);
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add([...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name })));
    input.value = "";
  });
}

const drop = document.getElementById("drop");
for (const kind of ["dragenter", "dragover"]) addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // gone once we wait
  const plain = [...event.dataTransfer.files].map((file) => ({ file, name: file.name }));
  add(entries.length ? (await Promise.all(entries.map((entry) => walk(entry, "")))).flat() : plain);
});

async function walk(entry, folder) {
  if (entry.isFile) return [{ file: await new Promise((done, fail) => entry.file(done, fail)), name: folder + entry.name }];
  const reader = entry.createReader(), found = [];
  for (;;) { // at most a hundred at a time
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map((inner) => walk(inner, `${folder}${entry.name}/`)))).flat();
}

const LITTER = /(^|\/)(\.|Thumbs\.db$|desktop\.ini$)/i;

function add(files) {
  for (const { file, name } of files.filter(({ name }) => !LITTER.test(name))) {
    const job = { file, name, sent: 0, state: "waiting", row: line(name, file.size), facts: facts() };
    jobs.push(job);
    if (file.size > Number(most)) refuse(job, t(`应不超过 ${Math.floor(most / MB)} MB，这个文件有 ${Math.ceil(file.size / MB)} MB`, `larger than ${Math.floor(most / MB)} MB`));
    else if (!file.size) refuse(job, t("文件是空的，请重新导出", "the file is empty"));
  }
  document.getElementById("batch").hidden = false;
  next();
}

function facts() {
  const form = new FormData(document.getElementById("facts"));
  const known = Object.fromEntries([...form].filter(([, value]) => value.trim()));
  for (const wish of ["wait", "again"]) known[wish] = form.has(wish) ? "true" : "";
  return { ...known, batch };
}

// --- sending ---

const isOpen = (job) => ["waiting", "sending"].includes(job.state);
const isTable = (job) => /\.(csv|xlsx)$/i.test(job.name);

// Tables first, and recordings once they are taken: what a table says must be there when its recordings come, also over a line that breaks.
function next() {
  while (running < AT_ONCE) {
    const tables = jobs.some((job) => isTable(job) && isOpen(job));
    const job = jobs.find((job) => job.state === "waiting" && (!tables || isTable(job)));
    if (!job) break;
    running += 1;
    job.state = "sending";
    run(job).catch((error) => refuse(job, error.message)).finally(() => { running -= 1; next(); });
  }
  summary();
}

async function run(job) {
  if (!(await resume(job))) await begin(job);
  let size = SMALLEST;
  while (job.sent < job.file.size) size = await steady(() => part(job, size), () => sync(job), job);
  localStorage.removeItem(remembered(job));
  show(job, t("处理中", "taking in"));
  await outcome(job);
}

// What is being uploaded is remembered, so that the same file goes on where it was after the page was closed.
const remembered = (job) => `phrasecheck-upload ${job.name} ${job.file.size} ${job.file.lastModified}`;

async function resume(job) {
  job.url = localStorage.getItem(remembered(job));
  if (!job.url) return false;
  try { await sync(job); return true; } catch (error) {
    if (!error.status) throw error;
    localStorage.removeItem(remembered(job));
    return false;
  }
}

async function begin(job) {
  const known = { filename: job.name, ...job.facts };
  const metadata = Object.entries(known).filter(([, value]) => value).map(([key, value]) => `${key} ${base64(value)}`).join(",");
  const response = await steady(() => request("POST", endpoint, { "Upload-Length": job.file.size, "Upload-Metadata": metadata }), () => {}, job);
  job.url = response.getResponseHeader("Location");
  job.sent = 0;
  localStorage.setItem(remembered(job), job.url);
}

async function part(job, size) {
  const began = performance.now(), from = job.sent;
  const headers = { "Upload-Offset": from, "Content-Type": "application/offset+octet-stream" };
  const response = await request("PATCH", job.url, headers, job.file.slice(from, from + size), (loaded) => { job.sent = from + loaded; show(job); });
  job.sent = Number(response.getResponseHeader("Upload-Offset"));
  show(job);
  return performance.now() - began < 1000 ? Math.min(size * 2, LARGEST) : size;
}

async function sync(job) {
  const response = await request("HEAD", job.url, {});
  job.sent = Number(response.getResponseHeader("Upload-Offset"));
}

// Again and again while the network is away; what the server refuses is not repeated (409: it has another number of bytes than we thought).
async function steady(step, mend, job) {
  for (let tried = 0; ; tried += 1) {
    try {
      if (tried) await mend();
      return (await step()) ?? SMALLEST;
    } catch (error) {
      const passing = !error.status || error.status === 409 || error.status === 429 || error.status >= 500;
      if (!passing || tried >= PATIENCE) throw error;
      show(job, t("网络断开，等待续传", "connection lost, waiting"));
      await pause(Math.min(500 * 2 ** tried, 30_000));
    }
  }
}

const pause = (ms) => new Promise((done) => { const timer = setTimeout(done, ms); addEventListener("online", () => { clearTimeout(timer); done(); }, { once: true }); });

function request(method, url, headers, body = null, progress = null) {
  return new Promise((done, fail) => {
    const sent = new XMLHttpRequest();
    sent.open(method, url);
    for (const [name, value] of Object.entries({ Accept: "application/json", "Tus-Resumable": "1.0.0", ...csrfHeader(), ...headers })) sent.setRequestHeader(name, value);
    if (progress) sent.upload.addEventListener("progress", (event) => progress(event.loaded));
    sent.addEventListener("load", () => (sent.status < 400 ? done(sent) : fail(refusal(sent))));
    sent.addEventListener("error", () => fail(new Error(t("连不上服务器", "the server cannot be reached"))));
    sent.send(body);
  });
}

function refusal(sent) {
  let message = `${sent.status} ${sent.statusText}`;
  try { message = JSON.parse(sent.responseText).error.message; } catch { /* a proxy's page, or no body */ }
  return Object.assign(new Error(message), { status: sent.status });
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// --- what became of it ---

async function outcome(job) {
  for (let wait = 200; ; wait = Math.min(wait * 1.5, 3000)) {
    const told = await steady(() => get(job.url), () => {}, job);
    if (told.items.length > 1) show(job, t(`已展开 ${told.items.length} 个`, `${told.items.length} unpacked`));
    if (told.state === "taken") return settle(job, told.items);
    await pause(wait);
  }
}

function settle(job, items) {
  const of = (outcome) => items.filter((item) => item.outcome === outcome).length;
  job.accepted = of("accepted") + of("again");
  job.known = of("known");
  job.refused = of("refused");
  job.state = "done";
  const [only] = items;
  const words = { accepted: t("已排队", "queued"), again: t("重新排队", "queued again"), known: t("已有，跳过", "known, skipped"), table: t("元数据已收下", "metadata taken"), refused: t("未收下", "refused") };
  if (items.length === 1) show(job, words[only.outcome], only.outcome === "refused" ? "bad" : "good");
  else show(job, [job.accepted && t(`${job.accepted} 段已排队`, `${job.accepted} queued`), job.known && t(`${job.known} 段已有`, `${job.known} known`), job.refused && t(`${job.refused} 个未收下`, `${job.refused} refused`)].filter(Boolean).join(t("，", ", ")), job.accepted ? "good" : "bad");
  const told = job.row.querySelector(".told");
  told.replaceChildren();
  for (const item of items.filter((item) => item.message)) told.append(said(item, items.length > 1));
  summary();
}

function said(item, oneOfMany) {
  const line = document.createElement("div"), name = item.name.split("/").pop();
  line.append(oneOfMany && !item.message.startsWith(name) ? `${name}：${item.message}` : item.message);
  if (item.call) {
    const link = document.createElement("a");
    link.href = callPage.replace("CALL", item.call);
    link.textContent = t("查看", "open");
    line.append(" ", link);
  }
  if (item.outcome === "known") {
    const again = document.createElement("button");
    again.type = "button";
    again.className = "small";
    again.textContent = t("重新检查", "Check again");
    again.addEventListener("click", async () => {
      try {
        await send(`${calls}/${item.call}/run-again`);
        again.replaceWith(t("（已重新排队）", "(queued again)"));
      } catch (error) { toast(error.message, "bad"); }
    });
    line.append(again);
  }
  return line;
}

function refuse(job, message) {
  job.state = "failed";
  show(job, t("未收下", "refused"), "bad");
  job.row.querySelector(".told").textContent = message;
  summary();
}

// --- how it looks ---

function line(name, size) {
  const row = document.createElement("li");
  row.innerHTML = '<span class="name"></span><progress max="1" value="0"></progress><span class="state number"></span><div class="told"></div>';
  row.querySelector(".name").textContent = `${name}　${size < MB ? `${Math.ceil(size / 1024)} KB` : `${(size / MB).toFixed(1)} MB`}`;
  row.querySelector("progress").setAttribute("aria-label", name);
  row.querySelector(".state").textContent = t("等待", "waiting");
  document.getElementById("list").append(row);
  return row;
}

function show(job, words = null, kind = "") {
  const share = job.file.size ? job.sent / job.file.size : 0;
  job.row.querySelector("progress").value = share;
  job.row.querySelector(".state").textContent = words ?? `${Math.floor(share * 100)}%`;
  job.row.className = kind;
  total();
}

function total() {
  const sum = (count) => jobs.reduce((all, job) => all + count(job), 0);
  const size = sum((job) => job.file.size);
  document.getElementById("total").value = size ? sum((job) => (["done", "failed"].includes(job.state) ? job.file.size : job.sent)) / size : 0;
}

function summary() {
  total();
  const count = (state) => jobs.filter((job) => job.state === state).length;
  const sum = (what) => jobs.reduce((all, job) => all + (job[what] ?? 0), 0);
  const open = count("waiting") + count("sending");
  const zh = `${jobs.length} 个文件，${open ? `还有 ${open} 个在传` : "全部传完"}：${sum("accepted")} 段录音已排队${sum("known") ? `，${sum("known")} 段以前上传过` : ""}${count("failed") + sum("refused") ? `，${count("failed") + sum("refused")} 个未收下` : ""}`;
  const en = `${jobs.length} files, ${open ? `${open} to go` : "all sent"}: ${sum("accepted")} recordings queued, ${sum("known")} known, ${count("failed") + sum("refused")} refused`;
  document.getElementById("summary").textContent = t(zh, en);
  document.getElementById("retry").hidden = !count("failed");
  document.getElementById("clear").hidden = !count("done");
}

document.getElementById("retry").addEventListener("click", () => {
  for (const job of jobs.filter((job) => job.state === "failed" && job.file.size && job.file.size <= Number(most))) {
    job.state = "waiting";
    job.row.querySelector(".told").textContent = "";
  }
  next();
});

document.getElementById("clear").addEventListener("click", () => {
  for (const job of jobs.filter((job) => job.state === "done")) {
    job.row.remove();
    jobs.splice(jobs.indexOf(job), 1);
  }
  summary();
});

addEventListener("beforeunload", (event) => { if (jobs.some(isOpen)) event.preventDefault(); });
