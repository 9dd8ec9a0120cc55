// The trip's form: sliders say their value, the ends can be swapped, the car is remembered.

const form = document.querySelector("[data-plan-form]");
const remembered = form.querySelectorAll("[data-remember]");
const key = (field) => `voltway.${field.dataset.remember}`;

// A browser may forbid the storage or have no room left; the form works without.
function load(field) {
  try {
    return localStorage.getItem(key(field));
  } catch {
    return null;
  }
}

function save(field) {
  try {
    localStorage.setItem(key(field), field.value);
  } catch {
    // Not remembered.
  }
}

function tellValue(slider) {
  const value = form.querySelector(`[data-value-of="${slider.name}"]`);
  if (value) value.textContent = slider.value;
}

function recall() {
  // What the address says comes first: a shared plan stays as it was sent.
  const asked = new URLSearchParams(location.search);
  for (const field of remembered) {
    const value = load(field);
    if (value === null || asked.has(field.name)) continue;
    if (field.options && ![...field.options].some((option) => option.value === value)) continue;
    field.value = value;
    tellValue(field);
  }
}

form.addEventListener("input", (event) => tellValue(event.target));

form.addEventListener("submit", () => {
  for (const field of remembered) save(field);
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
});

// The server marks the field at fault on a whole page; htmx brings only the sentence about it.
document.addEventListener("htmx:after:swap", () => {
  const problem = document.querySelector("#problem[data-field]");
  const input = problem && form.elements[problem.dataset.field];
  if (!input) return;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", problem.id);
});

const swap = form.querySelector("[data-swap]");
swap.hidden = false;
swap.addEventListener("click", () => {
  const { origin, destination } = form.elements;
  [origin.value, destination.value] = [destination.value, origin.value];
});

recall();
