// Reads calendars with npm's ical.js and node-ical: the paths of files as arguments, a JSON array on the standard output.
import { readFile } from "node:fs/promises";
import ICAL from "ical.js";
import nodeIcal from "node-ical";

const byIcalJs = (text) => {
  const calendar = new ICAL.Component(ICAL.parse(text));
  // The zones of the file, and no others: the rules that other readers take are tested, not those of this package.
  const zones = calendar.getAllSubcomponents("vtimezone").map((zone) => new ICAL.Timezone(zone));
  const instant = (property) => {
    const time = property.getFirstValue();
    const zone = zones.find(({ tzid }) => tzid === property.getParameter("tzid")) ?? ICAL.Timezone.utcTimezone;
    return new Date(time.convertToZone ? zoned(time, zone) : time).toISOString();
  };
  const zoned = (time, zone) => {
    const local = time.clone();
    local.zone = zone;
    return local.toUnixTime() * 1000;
  };
  return calendar.getAllSubcomponents("vevent").map((event) => ({
    uid: event.getFirstPropertyValue("uid"),
    starts: instant(event.getFirstProperty("dtstart")),
    ends: instant(event.getFirstProperty("dtend")),
    summary: event.getFirstPropertyValue("summary"),
    description: event.getFirstPropertyValue("description"),
    url: event.getFirstPropertyValue("url"),
    sequence: event.getFirstPropertyValue("sequence"),
    status: event.getFirstPropertyValue("status"),
    people: event.getAllProperties("attendee").map((one) => [
      one.getParameter("cn") ?? "",
      one.getFirstValue().replace("mailto:", ""),
      one.getParameter("partstat"),
    ]),
  }));
};

const people = (attendees) =>
  [attendees ?? []].flat().map(({ params, val }) => [params.CN ?? "", val.replace("mailto:", ""), params.PARTSTAT]);

const byNodeIcal = (text) =>
  Object.values(nodeIcal.sync.parseICS(text))
    .filter(({ type }) => type === "VEVENT")
    .map((event) => ({
      uid: event.uid,
      starts: event.start.toISOString(),
      ends: event.end.toISOString(),
      summary: event.summary,
      description: event.description ?? null,
      url: event.url ?? null,
      sequence: Number(event.sequence),
      status: event.status,
      people: people(event.attendee),
    }));

const read = async (path) => {
  const text = await readFile(path, "utf-8");
  return { "ical.js": byIcalJs(text), "node-ical": byNodeIcal(text) };
};

console.log(JSON.stringify(await Promise.all(process.argv.slice(2).map(read))));
