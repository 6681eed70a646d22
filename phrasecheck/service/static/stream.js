// A stream of events that comes back by itself and misses nothing. import { follow } from "./stream.js"
//
// follow(path, take, state): take(message) for every message; state("on"|"off") when the link is made or lost. The server numbers messages (n); after a loss the last number
// is sent along, and the server replays what came behind it, or sends {reset: true} and how things stand now.
const SLOWEST = 10000;

export function follow(path, take, state) {
  let last = null;
  let wait = 300;
  let socket = null;
  let away = false;

  function open() {
    const address = new URL(path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (last !== null) address.searchParams.set("after", last);
    socket = new WebSocket(address);
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.ready) { wait = 300; state("on"); }
      take(message);
      if (message.n !== undefined && !message.reset) last = Math.max(last ?? 0, message.n);
    };
    socket.onclose = () => {
      state("off");
      if (!away) setTimeout(open, wait);
      wait = Math.min(2 * wait, SLOWEST);
    };
  }
  addEventListener("online", () => { wait = 300; });
  open();
  return {
    drop() { away = true; socket.close(); }, // loses the connection until back() is called
    back() { away = false; open(); },
  };
}
