// Why a touchpoint is planned, or not: a mouse that rests on a title or the focus of a key shows the card, a click keeps it.
// The card knows for which of the three it is shown (`shownFor`), and is closed when none is left.

import { morph } from "./morph.js";
import { browserZone } from "./times.js";

const REST = 300; // milliseconds
const RETRY = 2000; // milliseconds

export function startWhy() {
  document.addEventListener("pointerover", (event) => {
    const button = titleOf(event.target);
    if (!button || event.pointerType !== "mouse" || button.contains(event.relatedTarget)) return;
    rest(button);
  });
  document.addEventListener("pointerout", (event) => {
    const row = rowOf(event.target);
    if (row && event.pointerType === "mouse" && !row.contains(event.relatedTarget)) leave(row, "mouse");
  });
  document.addEventListener("focusin", (event) => {
    const button = titleOf(event.target);
    if (button?.matches(":focus-visible")) open(button, "focus");
  });
  document.addEventListener("focusout", (event) => {
    const row = rowOf(event.target);
    if (row && !row.contains(event.relatedTarget)) leave(row, "focus");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(rowOf(event.target));
  });
  document.addEventListener("click", (event) => {
    const button = titleOf(event.target);
    if (!button) return;
    event.preventDefault();
    if (cardOf(rowOf(button))?.shownFor.has("click")) close(rowOf(button));
    else open(button, "click");
  });
  document.addEventListener("drumbeat:updated", () => {
    document.querySelectorAll("[data-why] > .why-card").forEach((card) => load(card.parentElement));
  });
  // Where the focus and the mouse were before this script ran.
  const focused = titleOf(document.activeElement);
  if (focused?.matches(":focus-visible")) open(focused, "focus");
  const hovered = matchMedia("(hover: hover)").matches && document.querySelector(".why-button:hover");
  if (hovered) rest(hovered);
}

const titleOf = (target) => (target instanceof Element ? target.closest(".why-button") : null);
const rowOf = (target) => (target instanceof Element ? target.closest("[data-why]") : null);
const cardOf = (row) => row?.querySelector(":scope > .why-card");

function rest(button) {
  clearTimeout(button.resting);
  button.resting = setTimeout(() => open(button, "mouse"), REST);
  button.addEventListener("pointerleave", () => clearTimeout(button.resting), { once: true });
}

// `cause`: mouse, focus or click
function open(button, cause) {
  const row = rowOf(button);
  let card = cardOf(row);
  if (!card) {
    card = document.createElement("div");
    card.setAttribute("role", "status");
    card.dataset.own = "";
    card.className = "why-card";
    card.textContent = "Loading…";
    card.shownFor = new Set();
    row.append(card);
  }
  card.shownFor.add(cause);
  card.classList.toggle("peek", !card.shownFor.has("click"));
  button.setAttribute("aria-expanded", "true");
  load(row);
}

function leave(row, cause) {
  const card = cardOf(row);
  if (card?.shownFor.delete(cause) && card.shownFor.size === 0) close(row);
}

function close(row) {
  cardOf(row)?.remove();
  row?.querySelector(".why-button")?.setAttribute("aria-expanded", "false");
}

async function load(row) {
  const button = row.querySelector(".why-button"), card = cardOf(row);
  if (!button || !card) return;
  clearTimeout(card.retrying);
  const html = await read(button);
  if (html !== null) {
    const next = card.cloneNode(false);
    next.innerHTML = html;
    morph(card, next);
  }
  // The next update of the page may be a minute away.
  clearTimeout(card.retrying);
  if (html === null || card.querySelector(".error")) card.retrying = setTimeout(() => card.isConnected && load(row), RETRY);
}

// The answer as HTML, null when there is none.
async function read(button) {
  try {
    const query = new URLSearchParams(new FormData(button.form));
    query.set(button.name, button.value);
    const response = await fetch(`/why?${query}`, { headers: { "X-Live": "1", "X-Zone": browserZone } });
    return response.ok && !response.redirected ? await response.text() : null;
  } catch {
    return null;
  }
}
