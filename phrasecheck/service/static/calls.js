// The lists by keyboard: j and k move, Enter opens, / searches.
const lines = [...document.querySelectorAll("#calls tbody tr, ol.lines > li")];
let chosen = -1;

function choose(number) {
  if (number < 0 || number >= lines.length) return;
  lines[chosen]?.classList.remove("chosen");
  chosen = number;
  lines[number].classList.add("chosen");
  lines[number].querySelector("a.go").focus({ preventScroll: true });
  lines[number].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  if (event.key === "j") choose(chosen + 1);
  else if (event.key === "k") choose(chosen - 1);
  else if (event.key === "/") document.getElementById("text").focus();
  else return;
  event.preventDefault();
});

// Empty fields stay out of the address.
document.getElementById("filter")?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
