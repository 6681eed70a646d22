// A second opinion: the time of a hit plays it.
import { playFrom } from "./api.js";

const LEAD_IN = 1.5; // seconds before the hit
const sound = document.querySelector("audio");

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-at]");
  if (button && sound) playFrom(sound, Number(button.dataset.at) - LEAD_IN);
});
