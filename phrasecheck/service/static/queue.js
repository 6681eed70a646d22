// The queue as it is now: the page is fetched again and its middle put in place, so that the server alone knows how it looks.
const place = document.getElementById("queue");
const every = Number(place.dataset.refresh) * 1000;

async function refresh() {
  const busy = document.hidden || place.contains(document.activeElement) || place.querySelector("form[data-sent]");
  if (!busy) {
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      const found = response.ok && new DOMParser().parseFromString(await response.text(), "text/html").getElementById("queue");
      if (found) place.innerHTML = found.innerHTML;
    } catch { /* the server is away: the next time */ }
  }
  setTimeout(refresh, every);
}
setTimeout(refresh, every);
