// What every page of the console does beyond its forms and links. Each page works without this script.

import { startKeys } from "./keys.js";
import { refresh, sendForm, startLive } from "./live.js";
import { localize, startClock } from "./times.js";
import { startWhy } from "./why.js";

localize(document);
document.querySelectorAll("[data-clock]").forEach(startClock);
startKeys();
startLive();
startWhy();

// On a narrow screen the account stands below the calendar; its heading is announced.
const heading = document.getElementById("account-name");
if (heading && location.hash === "") {
  if (innerWidth < 1100) document.getElementById("account").scrollIntoView();
  if (document.activeElement === document.body) heading.focus({ preventScroll: true });
}

// The notice of an act belongs to one visit: a reload or a bookmark does not repeat it.
const address = new URL(location.href);
for (const name of ["did", "failed", "undo", "version"]) address.searchParams.delete(name);
if (address.href !== location.href) history.replaceState(history.state, "", address);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-enhance")) return;
  event.preventDefault();
  if (!form.hasAttribute("aria-busy")) sendForm(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-dismiss]")) {
    event.preventDefault();
    target.closest("[data-toast]").remove();
  }
  target?.closest("[data-close]")?.closest("dialog").close();
  const opener = target?.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
});

// A link to a line opens the file that contains it and marks the line.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#line-"]');
  const line = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!line) return;
  event.preventDefault();
  document.querySelectorAll(".target-line").forEach((other) => other.classList.remove("target-line"));
  line.closest("details").open = true;
  line.classList.add("target-line");
  line.tabIndex = -1;
  line.scrollIntoView({ block: "center" });
  line.focus({ preventScroll: true });
});

// A choice that acts at once, such as who I am.
document.addEventListener("change", (event) => {
  const button = document.getElementById(event.target.dataset?.submit ?? "");
  if (button) button.form.requestSubmit(button);
  const form = event.target.closest?.("form[data-submit-on-change]");
  if (form) form.requestSubmit();
});

// A search is read as it is typed.
let waiting = 0;
document.addEventListener("input", (event) => search(event.target.closest?.("form[data-search]")));

// What the reader entered before this script ran.
document.querySelectorAll("form[data-search] input").forEach((input) => {
  if (input.value !== input.defaultValue) search(input.form);
});
document.querySelectorAll("form[data-submit-on-change] select").forEach((select) => {
  const options = [...select.options];
  if (select.value !== (options.find((option) => option.defaultSelected) ?? options[0])?.value) select.form.requestSubmit();
});
document.querySelectorAll("input[type=file][data-submit]").forEach((input) => {
  const button = document.getElementById(input.dataset.submit);
  if (input.files.length > 0) button.form.requestSubmit(button);
});

function search(form) {
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const query = new URLSearchParams(new FormData(form));
    history.replaceState(history.state, "", `${form.getAttribute("action")}?${query}`);
    refresh(true);
  }, 200);
}
