// Place fields: suggestions while typing (a combobox after the ARIA pattern), own position.

const WAIT_MS = 160;

class PlaceField {
  constructor(root, index) {
    this.input = root.querySelector("input");
    this.list = document.createElement("ul");
    this.list.className = "options";
    this.list.id = `places-${index}`;
    this.list.role = "listbox";
    this.list.hidden = true;
    root.append(this.list);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.list.id,
    })) this.input.setAttribute(name, value);
    this.list.ariaLabel = this.input.labels[0]?.textContent.trim() ?? "";
    this.chosen = -1;
    this.input.addEventListener("input", () => this.schedule());
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.input.addEventListener("blur", () => this.close());
    // The answer is on its way: a list that opens now would cover it.
    this.input.form?.addEventListener("submit", () => this.dismiss());
    // Before the blur: a click would come too late.
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest(".option");
      if (option) this.pick([...this.list.children].indexOf(option));
    });
  }

  schedule() {
    clearTimeout(this.timer);
    this.request?.abort();
    const query = this.input.value.trim();
    if (query.length < 2) return this.close();
    this.timer = setTimeout(() => this.fetch(query), WAIT_MS);
  }

  async fetch(query) {
    this.request = new AbortController();
    try {
      const answer = await fetch(`/api/v1/places?limit=6&q=${encodeURIComponent(query)}`, {
        signal: this.request.signal,
        headers: { Accept: "application/json" },
      });
      // A name that is not understood yet has no suggestions; sending the form explains it.
      if (!answer.ok) return this.close();
      this.show(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") this.close();
    }
  }

  show(places) {
    if (!places.length || document.activeElement !== this.input) return this.close();
    this.places = places;
    this.list.replaceChildren(...places.map((place, index) => {
      const option = document.createElement("li");
      option.className = "option";
      option.role = "option";
      option.id = `${this.list.id}-${index}`;
      const name = document.createElement("span");
      name.className = "strong";
      name.textContent = place.name;
      const country = document.createElement("span");
      country.className = "muted";
      country.textContent = countryName(place.country);
      option.append(name, country);
      return option;
    }));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.choose(-1);
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.chosen = -1;
  }

  dismiss() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.close();
  }

  choose(index) {
    this.chosen = index;
    [...this.list.children].forEach((option, at) => {
      option.ariaSelected = String(at === index);
      if (at === index) option.scrollIntoView({ block: "nearest" });
    });
    if (index >= 0) this.input.setAttribute("aria-activedescendant", this.list.children[index].id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  pick(index) {
    const place = this.places[index];
    this.input.value = `${place.name}, ${place.country}`;
    this.dismiss();
    if ("submitOnPick" in this.input.dataset) this.input.form.requestSubmit();
  }

  press(event) {
    if (this.list.hidden) return;
    const last = this.list.children.length - 1;
    if (event.key === "ArrowDown") this.choose(this.chosen >= last ? 0 : this.chosen + 1);
    else if (event.key === "ArrowUp") this.choose(this.chosen <= 0 ? last : this.chosen - 1);
    else if (event.key === "Enter" && this.chosen >= 0) this.pick(this.chosen);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }
}

const names = new Intl.DisplayNames([document.documentElement.lang], { type: "region" });

function countryName(code) {
  try {
    return names.of(code);
  } catch {
    return code;
  }
}

function offerPosition(button) {
  if (!navigator.geolocation) return;
  button.hidden = false;
  const input = button.form.elements.q;
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        input.value = `(${coords.longitude.toFixed(5)}, ${coords.latitude.toFixed(5)})`;
        button.form.requestSubmit();
      },
      () => input.focus(),
      { timeout: 10_000 },
    );
  });
}

document.querySelectorAll("[data-place-field]").forEach((root, index) => new PlaceField(root, index));
document.querySelectorAll("[data-locate]").forEach(offerPosition);
