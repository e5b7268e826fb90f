#!/usr/bin/env bash
# icalendar reads the times of one file by the time zone of another file that was read before in the same process.
#
# Versions: icalendar 7.3.2 (CPython 3.11), Linux. Tried on 2026-11-30.
# Behaviour: a zone that a file defines is kept for the process under its TZID; a later file that defines another zone under the
# same TZID gets the first one's offsets. Outlook calls every zone that is none of its own "Customized Time Zone".
# Output seen:
#   +0200 2026-01-05T09:00:00+02:00
#   -0500 2026-01-05T09:00:00+02:00
# Why it matters: a service that reads the calendars of many people takes 9:00 in one city for 9:00 in another, seven hours off, and which
# calendar is wrong depends on the order of reading.
# Source of what is right: RFC 5545, 3.2.19: a TZID names the VTIMEZONE of the same iCalendar object.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2
cat > "$folder/read.py" <<'PYTHON'
from icalendar import Calendar

ZONE = "Customized Time Zone"
for offset in ("+0200", "-0500"):
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "BEGIN:VTIMEZONE", f"TZID:{ZONE}", "BEGIN:STANDARD",
        "DTSTART:19700101T000000", f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE",
        "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", f"DTSTART;TZID={ZONE}:20260105T090000", "END:VEVENT",
        "END:VCALENDAR", "",
    ]
    print(offset, Calendar.from_ical("\r\n".join(lines)).events[0]["DTSTART"].dt.isoformat())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/read.py")
echo "$seen"
test "$seen" = '+0200 2026-01-05T09:00:00+02:00
-0500 2026-01-05T09:00:00+02:00'
