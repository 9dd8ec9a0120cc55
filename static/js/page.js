// Every page: share buttons, and what happens when htmx has swapped a part in.

const canShare = Boolean(navigator.share || navigator.clipboard);

function revealShareButtons() {
  for (const button of document.querySelectorAll("[data-share]")) button.hidden = !canShare;
}

async function share(button) {
  const data = { title: document.title, url: location.href };
  try {
    if (navigator.share) await navigator.share(data);
    else {
      await navigator.clipboard.writeText(data.url);
      button.classList.add("done");
    }
  } catch (error) {
    // Closing the share sheet is no failure.
    if (error.name !== "AbortError") throw error;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-share]");
  if (button) share(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("htmx:before:request", () => {
  for (const part of document.querySelectorAll("[data-busy]")) part.classList.add("busy");
});

document.addEventListener("htmx:finally:request", () => {
  for (const part of document.querySelectorAll("[data-busy]")) part.classList.remove("busy");
  revealShareButtons();
});

// The new part's heading takes the focus, so that a screen reader reads it and phones show it.
document.addEventListener("htmx:after:swap", (event) => {
  const heading = document.querySelector("[data-busy] [data-heading]");
  const asked = event.detail?.ctx?.sourceElement;
  if (!heading || asked?.matches("[role=search]")) return;
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "start", behavior: "smooth" });
});

revealShareButtons();
