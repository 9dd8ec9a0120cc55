// The trip's form: sliders say their value, the ends can be swapped, the car is remembered.

const form = document.querySelector("[data-plan-form]");
const remembered = form.querySelectorAll("[data-remember]");
const key = (field) => `voltway.${field.dataset.remember}`;

function tellValue(slider) {
  const value = form.querySelector(`[data-value-of="${slider.name}"]`);
  if (value) value.textContent = slider.value;
}

function recall() {
  // What the address says comes first: a shared plan stays as it was sent.
  const asked = new URLSearchParams(location.search);
  for (const field of remembered) {
    const value = localStorage.getItem(key(field));
    if (value === null || asked.has(field.name)) continue;
    if (field.options && ![...field.options].some((option) => option.value === value)) continue;
    field.value = value;
    tellValue(field);
  }
}

form.addEventListener("input", (event) => tellValue(event.target));

form.addEventListener("submit", () => {
  for (const field of remembered) localStorage.setItem(key(field), field.value);
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
});

const swap = form.querySelector("[data-swap]");
swap.hidden = false;
swap.addEventListener("click", () => {
  const { origin, destination } = form.elements;
  [origin.value, destination.value] = [destination.value, origin.value];
});

recall();
