// Moves the progress bar; when the work is over the page is loaded again.
import { get } from "./api.js";

const box = document.getElementById("progress");
const bar = box.querySelector("progress");
const done = box.querySelector(".done");

async function look() {
  try {
    const now = await get(box.dataset.address);
    if (!now.running) return location.reload();
    bar.value = now.done;
    done.textContent = now.done;
  } catch { /* the server is away; the next look may find it */ }
  setTimeout(look, 1500);
}
setTimeout(look, 1000);
