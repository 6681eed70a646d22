// A second opinion: the time of a hit plays it.
import { t, toast } from "./api.js";

const LEAD_IN = 1.5; // seconds before the hit
const sound = document.querySelector("audio");

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-at]");
  if (!button || !sound) return;
  const begin = () => {
    sound.currentTime = Math.max(0, Number(button.dataset.at) - LEAD_IN);
    sound.play().catch((error) => { if (error.name !== "AbortError") toast(t("录音放不出来：", "Cannot play: ") + error.message, "bad"); });
  };
  if (sound.readyState > 0) return begin();
  sound.addEventListener("loadedmetadata", begin, { once: true });
  sound.load();
});
