// Why a touchpoint is planned, or not: a mouse that rests on a title or the focus of a key shows the card, a click keeps it.

import { morph } from "./morph.js";
import { browserZone } from "./times.js";

const REST = 300; // milliseconds

export function startWhy() {
  document.addEventListener("pointerover", (event) => {
    const button = titleOf(event.target);
    if (!button || event.pointerType !== "mouse" || button.contains(event.relatedTarget)) return;
    button.resting = setTimeout(() => open(button, false), REST);
    button.addEventListener("pointerleave", () => clearTimeout(button.resting), { once: true });
  });
  document.addEventListener("pointerout", (event) => {
    const row = rowOf(event.target);
    if (row && event.pointerType === "mouse" && !row.contains(event.relatedTarget)) stopPeeking(row);
  });
  document.addEventListener("focusin", (event) => {
    const button = titleOf(event.target);
    if (button?.matches(":focus-visible")) open(button, false);
  });
  document.addEventListener("focusout", (event) => {
    const row = rowOf(event.target);
    if (row && !row.contains(event.relatedTarget)) stopPeeking(row);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(rowOf(event.target));
  });
  document.addEventListener("click", (event) => {
    const button = titleOf(event.target);
    if (!button) return;
    event.preventDefault();
    const card = cardOf(rowOf(button));
    if (card && !card.classList.contains("peek")) close(rowOf(button));
    else open(button, true);
  });
  document.addEventListener("drumbeat:updated", () => {
    document.querySelectorAll("[data-why] > .why-card").forEach((card) => load(card.parentElement));
  });
}

const titleOf = (target) => (target instanceof Element ? target.closest(".why-button") : null);
const rowOf = (target) => (target instanceof Element ? target.closest("[data-why]") : null);
const cardOf = (row) => row?.querySelector(":scope > .why-card");

function open(button, keep) {
  const row = rowOf(button);
  let card = cardOf(row);
  if (!card) {
    card = document.createElement("div");
    card.setAttribute("role", "status");
    card.dataset.own = "";
    card.className = "why-card peek";
    card.textContent = "Loading…";
    row.append(card);
  }
  if (keep) card.classList.remove("peek");
  button.setAttribute("aria-expanded", "true");
  load(row);
}

function stopPeeking(row) {
  if (cardOf(row)?.classList.contains("peek")) close(row);
}

function close(row) {
  cardOf(row)?.remove();
  row?.querySelector(".why-button")?.setAttribute("aria-expanded", "false");
}

async function load(row) {
  const button = row.querySelector(".why-button"), card = cardOf(row);
  if (!button || !card) return;
  const query = new URLSearchParams(new FormData(button.form));
  query.set(button.name, button.value);
  try {
    const response = await fetch(`/why?${query}`, { headers: { "X-Live": "1", "X-Zone": browserZone } });
    if (!response.ok || response.redirected) return;
    const next = card.cloneNode(false);
    next.innerHTML = await response.text();
    morph(card, next);
  } catch {
    // The next update reads it again.
  }
}
