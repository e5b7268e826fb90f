// Make one element equal to another and keep what belongs to the reader: focus, scroll position, what is typed and
// what is open. Elements with the same id, or the same data-id below one parent, are the same element.

const KEPT = new Set(["open", "aria-expanded"]); // attributes that the reader changes

export function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (to.dataset?.version && from.dataset.version === to.dataset.version) return; // the same, but for what the reader did
  copyAttributes(from, to);
  if (from.hasAttribute("data-keep")) return;
  if (from.localName === "textarea" || (from.localName === "select" && from === document.activeElement)) return;
  copyChildren(from, to);
}

function copyAttributes(from, to) {
  for (const { name, value } of [...to.attributes]) {
    if (!KEPT.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!KEPT.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset?.id || "" : "";
}

function copyChildren(from, to) {
  const wanted = new Set([...to.children].map(keyOf).filter(Boolean));
  const known = new Map();
  for (const child of [...from.childNodes]) {
    const key = keyOf(child);
    if (!key) continue;
    if (wanted.has(key)) known.set(key, child);
    else if (!child.hasAttribute("data-own")) child.remove();
  }
  let place = from.firstChild;
  for (const next of [...to.childNodes]) {
    const same = known.get(keyOf(next)) ?? unkeyed(place, next);
    if (same === undefined) {
      from.insertBefore(document.importNode(next, true), place);
    } else {
      if (same !== place) move(from, same, place);
      else place = place.nextSibling;
      if (same.nodeType === Node.ELEMENT_NODE) morph(same, next);
      else if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
    }
  }
  while (place) {
    const after = place.nextSibling;
    if (!(place.nodeType === Node.ELEMENT_NODE && place.hasAttribute("data-own"))) place.remove();
    place = after;
  }
}

// An element that is removed and inserted again loses the focus, unless the browser can move it.
function move(parent, node, place) {
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  if (parent.moveBefore) parent.moveBefore(node, place);
  else parent.insertBefore(node, place);
  if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

// The next sibling of the same kind that has no key of its own.
function unkeyed(place, like) {
  if (keyOf(like)) return undefined;
  for (let node = place; node; node = node.nextSibling) {
    if (!keyOf(node) && node.nodeName === like.nodeName && !(node.dataset && "own" in node.dataset)) return node;
  }
  return undefined;
}
