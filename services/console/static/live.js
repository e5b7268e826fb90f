// Pages follow what happens: their live parts are read again every two seconds, forms act without a new page.

import { morph } from "./morph.js";
import { browserZone, localize, zone } from "./times.js";

const SECONDS = 2;
let tag = "", busy = false, again = false;

export function startLive() {
  if (!document.querySelector("[data-live]")) return;
  if (zone === browserZone && zone !== "UTC") refresh(); // the page was written before its zone was known
  setInterval(() => document.hidden || refresh(), SECONDS * 1000);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}

export async function refresh(isNewAddress = false) {
  if (isNewAddress) tag = "";
  if (busy) { again = true; return; }
  busy = true;
  try {
    const response = await fetch(location.href, {
      headers: { "X-Live": "1", "X-Zone": browserZone, ...(tag ? { "If-None-Match": tag } : {}) }, cache: "no-store",
    });
    if (leaves(response)) return;
    if (response.ok) { tag = response.headers.get("ETag") ?? ""; show(await response.text()); }
    connection(response.ok || response.status === 304);
    if (response.ok) document.dispatchEvent(new Event("drumbeat:updated"));
  } catch {
    connection(false);
  } finally {
    busy = false;
    if (again) { again = false; refresh(); }
  }
}

function leaves(response) {
  const isSignIn = response.redirected && new URL(response.url).pathname === "/sign-in";
  if (isSignIn) location.assign(response.url);
  return isSignIn;
}

function connection(isUp) {
  document.getElementById("connection").hidden = isUp;
}

// Show the live parts of a page, and with `withToast` its notice.
function show(html, withToast = false) {
  const page = new DOMParser().parseFromString(html, "text/html");
  localize(page);
  const parts = withToast ? "[data-live], [data-form-part], #toasts" : "[data-live]";
  for (const part of document.querySelectorAll(parts)) {
    const next = page.getElementById(part.id);
    if (!next) continue;
    if (part.hasAttribute("data-form-part")) replace(part, next);
    else morph(part, next);
  }
}

// A form that was sent is shown as the server answers it, with the focus where it was.
function replace(part, next) {
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const same = (element) =>
    element.id ? element.id === active.id : element.name === active.name && element.value === active.value;
  part.replaceWith(document.adoptNode(next));
  if (active) [...next.querySelectorAll("button, input, textarea")].find(same)?.focus();
}

function report(text) {
  const toast = document.createElement("div");
  toast.className = "toast bad";
  toast.dataset.toast = "";
  const line = document.createElement("p");
  line.textContent = text;
  toast.append(line);
  document.getElementById("toasts").replaceChildren(toast);
}

// A form with data-enhance is sent by script; the page it leads to is shown in place.
export async function sendForm(form, submitter) {
  const data = new FormData(form, submitter);
  const isFile = form.enctype === "multipart/form-data";
  const buttons = form.querySelectorAll("button");
  form.setAttribute("aria-busy", "true");
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  try {
    const action = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
    const response = await fetch(action, { method: "POST", headers: { "X-Zone": browserZone }, body: isFile ? data : new URLSearchParams(data) });
    if (leaves(response)) return;
    const text = await response.text();
    if (!response.headers.get("Content-Type")?.startsWith("text/html")) {
      report(JSON.parse(text).detail ?? `The console answered ${response.status}.`);
      return;
    }
    tag = "";
    for (const open of form.querySelectorAll("details.action[open]")) open.open = false;
    form.closest("dialog")?.hasAttribute("data-stay") || form.closest("dialog")?.close();
    show(text, true);
    document.dispatchEvent(new Event("drumbeat:updated"));
  } catch {
    connection(false);
  } finally {
    form.removeAttribute("aria-busy");
    buttons.forEach((button) => button.removeAttribute("aria-disabled"));
  }
}
