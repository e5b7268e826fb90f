// Instants in the time zone of the person whom the reader chose to be, else of the browser; and the service clock.

const FORMS = {
  time: { hour: "2-digit", minute: "2-digit" },
  stamp: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" },
};

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const zone = document.documentElement.dataset.zone ?? browserZone;

export function localize(root) {
  for (const element of root.querySelectorAll("time[data-local]")) {
    const text = new Intl.DateTimeFormat("en-GB", { ...FORMS[element.dataset.local], timeZone: zone }).format(new Date(element.dateTime));
    if (element.textContent !== text) element.textContent = text;
  }
  for (const element of root.querySelectorAll("[data-zone-name]")) element.textContent = zone.replaceAll("_", " ");
  for (const input of root.querySelectorAll("input[data-zone]")) input.setAttribute("value", zone);
}

export function startClock(element) {
  const began = Date.now(), service = Date.parse(element.dateTime), rate = Number(element.dataset.rate);
  const form = new Intl.DateTimeFormat("en-GB", {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
    second: "2-digit", timeZone: "UTC",
  });
  setInterval(() => {
    const now = new Date(service + (Date.now() - began) * rate);
    element.dateTime = now.toISOString();
    const part = Object.fromEntries(form.formatToParts(now).map(({ type, value }) => [type, value]));
    element.textContent =
      `${part.weekday} ${part.day} ${part.month} ${part.year}, ${part.hour}:${part.minute}:${part.second} UTC`;
  }, 1000);
}
