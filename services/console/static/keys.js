// Keys for a list of items: j and k go through it, letters press the button of the item that has the focus.

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "j" || event.key === "k") {
      move(event.key === "j" ? 1 : -1);
      event.preventDefault();
      return;
    }
    const name = `[data-key="${CSS.escape(event.key)}"]`;
    const item = document.activeElement?.closest("[data-item]");
    const button = item?.querySelector(name) ?? document.querySelector(`#toasts ${name}, .page-head ${name}`);
    if (!button) return;
    event.preventDefault();
    button.click();
    button.closest("details.action[open]")?.querySelector("input, select, textarea, button")?.focus();
  });
}

function isTyping(target) {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

function move(step) {
  const items = [...document.querySelectorAll("[data-item]")];
  if (items.length === 0) return;
  const at = items.indexOf(document.activeElement?.closest("[data-item]"));
  const next = items[at < 0 ? (step > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
