// Shows the field that belongs to what the report is about, and sends only that one.
const form = document.getElementById("ask");
const fields = [...form.querySelectorAll("[data-for]")];

function show() {
  const kind = form.elements.kind.value ?? form.querySelector('[name="kind"]').value;
  for (const field of fields) {
    const on = field.dataset.for === kind;
    field.hidden = !on;
    field.querySelector("input, select").disabled = !on;
  }
}

for (const radio of form.querySelectorAll('[name="kind"]')) radio.addEventListener("change", show);
show();
