"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const root = document.documentElement;
  const call = document.getElementById("call");
  const drawing = document.getElementById("drawing");
  const head = document.getElementById("head");
  const seconds = Number(drawing.dataset.seconds);
  const cards = all(".card");
  const lines = all(".say");
  let current = call; // the sound that the space key starts and stops
  let chosen = -1;

  // What only works with this script is shown only with it.
  all(".switch, .keys, .play, .download").forEach((element) => { element.hidden = false; });
  all(".clip").forEach((audio) => { audio.controls = false; audio.hidden = true; });
  document.getElementById("timeline").classList.add("sticks");
  if (call) document.body.classList.add("playable");

  all(".switch button").forEach((button) => button.addEventListener("click", () => {
    root.dataset.ui = button.dataset.to;
    root.lang = button.dataset.to === "en" ? "en" : "zh-CN";
    all(".switch button").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    measure();
  }));

  function measure() {
    const timeline = document.getElementById("timeline");
    const sticks = getComputedStyle(timeline).position === "sticky";
    root.style.setProperty("--sticky", `${(sticks ? timeline.offsetHeight : 0) + 14}px`);
  }

  function playFrom(at) {
    if (!call) return;
    call.currentTime = Math.min(Math.max(at, 0), call.duration || at);
    call.play();
  }

  function follow() {
    head.classList.add("seen");
    const at = current.currentTime + Number(current.dataset.start || 0);
    const place = `${Math.min(100, 100 * at / seconds)}%`;
    head.setAttribute("x1", place);
    head.setAttribute("x2", place);
    lines.forEach((line) => line.classList.toggle("now", Number(line.dataset.start) <= at && at < Number(line.dataset.end)));
    if (!current.paused) requestAnimationFrame(follow);
  }

  function choose(number) {
    if (number < 0 || number >= cards.length) return;
    chosen = number;
    cards.forEach((card, index) => card.classList.toggle("chosen", index === number));
    all(".pin").forEach((pin) => pin.classList.toggle("chosen", pin.dataset.hit === cards[number].dataset.hit));
    const clip = cards[number].querySelector(".clip");
    if (clip && current && current.paused) current = clip;
  }

  function visit(number) {
    choose(number);
    if (chosen !== number) return;
    if (current && !current.paused) current.pause();
    current = cards[number].querySelector(".clip") || current;
    cards[number].focus({ preventScroll: true });
    cards[number].scrollIntoView({ block: "start" });
  }

  all("audio").forEach((audio) => {
    const button = audio.parentElement.querySelector(".play");
    audio.addEventListener("play", () => {
      all("audio").forEach((other) => { if (other !== audio) other.pause(); });
      current = audio;
      if (button) button.classList.add("on");
      follow();
    });
    audio.addEventListener("pause", () => { if (button) button.classList.remove("on"); });
    audio.addEventListener("seeked", () => { if (audio === current) follow(); });
  });

  const toggle = (audio) => { if (audio.paused) audio.play(); else audio.pause(); };

  cards.forEach((card, index) => {
    const clip = card.querySelector(".clip");
    if (!clip) return;
    card.querySelector(".download").href = clip.src;
    card.querySelector(".play").addEventListener("click", () => { choose(index); toggle(clip); });
  });

  all(".pin, .to-hit").forEach((link) => link.addEventListener("click", (event) => {
    event.stopPropagation();
    choose(Number(link.dataset.hit) - 1);
    if (!link.matches(".pin")) return;
    const clip = cards[chosen].querySelector(".clip");
    if (call) playFrom(Number(link.dataset.start));
    else if (clip) { clip.currentTime = 0; clip.play(); }
  }));

  drawing.addEventListener("click", (event) => {
    const bar = event.target.closest(".bar");
    const box = drawing.getBoundingClientRect();
    playFrom(bar ? Number(bar.dataset.start) : seconds * (event.clientX - box.left) / box.width);
  });

  lines.forEach((line) => line.addEventListener("click", (event) => {
    if (event.target.closest("a") || !getSelection().isCollapsed) return;
    if (event.target.closest(".at, .words")) playFrom(Number(line.dataset.start));
  }));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") visit(Math.min(chosen + 1, cards.length - 1));
    else if (event.key === "k") visit(Math.max(chosen - 1, 0));
    else if (event.key === " " && current && !event.target.closest("button, summary, audio")) {
      event.preventDefault();
      toggle(current);
    }
  });

  addEventListener("resize", measure);
  measure();
})();
