"""Mails as mail programs and servers write them; `{id}` stands for the delivery that they are about."""

from datetime import UTC, datetime

ANN = "ann@acme.example"
DELIVERY = "11111111-1111-4111-8111-111111111111"


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def gmail_reply(delivery_id: str, sender: str = ANN, message_id: str = "CAA1@mail.example") -> bytes:
    return crlf(f"""\
Received: by mx.vendor.example with SMTP id a1; Mon, 2 Mar 2026 04:10:00 -0800 (PST)
MIME-Version: 1.0
References: <{delivery_id}@vendor.example>
In-Reply-To: <{delivery_id}@vendor.example>
From: Ann Example <{sender}>
Date: Mon, 2 Mar 2026 13:09:58 +0100
Message-ID: <{message_id}>
Subject: Re: A tip
To: Carl <carl@vendor.example>
Content-Type: multipart/alternative; boundary="00000000000012ab"

--00000000000012ab
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

Thanks, that helped. Could we talk about the import on Thursday? =E2=9C=93

Ann

On Mon, Mar 2, 2026 at 1:00=E2=80=AFPM Example Company <drumbeat@vendor.example>
wrote:

> A tip
> Hello Ann,
--00000000000012ab
Content-Type: text/html; charset="UTF-8"

<div dir="ltr">Thanks, that helped.</div><div class="gmail_quote">A tip</div>
--00000000000012ab--
""")


def outlook_reply(delivery_id: str, sender: str = ANN) -> bytes:
    """German, in windows-1252, with the header block that Outlook writes above what it quotes."""
    text = f"""\
From: "Example, Ann" <{sender}>
To: Carl <carl@vendor.example>
Subject: AW: A tip
Thread-Topic: A tip
Date: Mon, 2 Mar 2026 12:09:58 +0000
Message-ID: <AM0PR01MB1@outlook.example>
References: <{delivery_id}@vendor.example>
In-Reply-To: <{delivery_id}@vendor.example>
Content-Language: de-DE
X-MS-Has-Attach:
Content-Type: text/plain; charset="Windows-1252"
Content-Transfer-Encoding: 8bit

Schöne Grüße — das machen wir.

________________________________
Von: Example Company <drumbeat@vendor.example>
Gesendet: Montag, 2. März 2026 13:00
An: Ann Example
Betreff: A tip

Hello Ann,
"""
    return text.replace("\n", "\r\n").encode("cp1252")


def apple_reply(delivery_id: str, sender: str = ANN) -> bytes:
    return crlf(f"""\
From: Ann Example <{sender}>
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit
Mime-Version: 1.0 (1.0)
Subject: Re: A tip
Date: Mon, 2 Mar 2026 13:09:58 +0100
Message-Id: <0F1E2D3C@acme.example>
References: <{delivery_id}@vendor.example>
In-Reply-To: <{delivery_id}@vendor.example>
To: Carl <carl@vendor.example>
X-Mailer: iPhone Mail (23A000)

Works for us.

Sent from my iPhone

> On 2. Mar 2026, at 13:00, Example Company <drumbeat@vendor.example> wrote:
>
> A tip
""")


def postfix_bounce(
    delivery_id: str, recipient: str = ANN, status: str = "5.1.1", action: str = "failed"
) -> bytes:
    return crlf(f"""\
Return-Path: <>
Date: Mon,  2 Mar 2026 12:00:05 +0000 (UTC)
From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: drumbeat@vendor.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="9B1C2.1772452805/mx.acme.example"
Message-Id: <20260302120005.9B1C2@mx.acme.example>

This is a MIME-encapsulated message.

--9B1C2.1772452805/mx.acme.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--9B1C2.1772452805/mx.acme.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example
X-Postfix-Queue-ID: 9B1C2
Arrival-Date: Mon,  2 Mar 2026 12:00:04 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.acme.example
Diagnostic-Code: smtp; 550 {status} <{recipient}>: Recipient address rejected

--9B1C2.1772452805/mx.acme.example
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <drumbeat@vendor.example>
From: Example Company <drumbeat@vendor.example>
To: {recipient}
Subject: A tip
Message-ID: <{delivery_id}@vendor.example>
X-Drumbeat-Delivery: {delivery_id}

--9B1C2.1772452805/mx.acme.example--
""")


def exchange_bounce(delivery_id: str, recipient: str = ANN) -> bytes:
    """With the whole mail attached, and a report type that is quoted."""
    return crlf(f"""\
From: <postmaster@acme.example>
To: drumbeat@vendor.example
Date: Mon, 2 Mar 2026 12:00:05 +0000
Content-Type: multipart/report; report-type="delivery-status";
\tboundary="_e1b2_"
Content-Language: en-US
Message-ID: <b1@acme.onmicrosoft.example>
In-Reply-To: <{delivery_id}@vendor.example>
References: <{delivery_id}@vendor.example>
Subject: Undeliverable: A tip
Auto-Submitted: auto-replied
X-MS-Exchange-Message-Is-Ndr:

--_e1b2_
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="_e1b3_"

--_e1b3_
Content-Type: text/plain; charset="us-ascii"

Your message to {recipient} couldn't be delivered.
--_e1b3_
Content-Type: text/html; charset="us-ascii"

<html><body>Your message couldn't be delivered.</body></html>
--_e1b3_--

--_e1b2_
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01.acme.example
Received-From-MTA: dns;mx.vendor.example

Final-Recipient: rfc822;{recipient.upper()}
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found

--_e1b2_
Content-Type: message/rfc822
Content-Disposition: attachment

From: Example Company <drumbeat@vendor.example>
To: {recipient}
Subject: A tip
Message-ID: <{delivery_id}@vendor.example>
Content-Type: text/plain

Hello Ann,
--_e1b2_--
""")


def yahoo_complaint(delivery_id: str, feedback: str = "abuse") -> bytes:
    return crlf(f"""\
From: feedback@feedback.mail.example
To: fbl@vendor.example
Subject: FW: A tip
Date: Mon, 2 Mar 2026 14:00:00 +0000
Message-ID: <fbl-1@feedback.mail.example>
MIME-Version: 1.0
Content-Type: multipart/report; boundary="----=_Part_1"; report-type=feedback-report

------=_Part_1
Content-Type: text/plain; charset="US-ASCII"
Content-Transfer-Encoding: 7bit

This is an email abuse report for an email message received on Mon, 2 Mar 2026.

------=_Part_1
Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: Mail-Feedback/2.0
Version: 0.1
Original-Mail-From: <drumbeat@vendor.example>
Original-Rcpt-To: redacted@mail.example
Reported-Domain: vendor.example

------=_Part_1
Content-Type: message/rfc822
Content-Disposition: inline

From: Example Company <drumbeat@vendor.example>
To: redacted
Subject: A tip
Message-ID: <{delivery_id}@vendor.example>

Hello Ann,
------=_Part_1--
""")


def google_answer(
    uid: str,
    partstat: str = "DECLINED",
    sequence: int = 1,
    sender: str = ANN,
    attendee: str = ANN,
    message_id: str = "calendar-1@google.example",
) -> bytes:
    """From the address of who answers, written by a program, with the calendar as an alternative and a file."""
    calendar = f"""\
BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REPLY
BEGIN:VEVENT
DTSTART:20260310T120000Z
DTEND:20260310T130000Z
DTSTAMP:20260302T121500Z
ORGANIZER;CN=Carl:mailto:carl@vendor.example
UID:{uid}
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={partstat};CN=Ann
 ;X-NUM-GUESTS=0;X-RESPONSE-COMMENT="On holiday":mailto:{attendee}
COMMENT:On holiday
SEQUENCE:{sequence}
STATUS:CONFIRMED
SUMMARY:Business review
END:VEVENT
END:VCALENDAR
"""
    return crlf(f"""\
MIME-Version: 1.0
Reply-To: Ann Example <{sender}>
Sender: Google Calendar <calendar-notification@google.example>
Auto-Submitted: auto-generated
Message-ID: <{message_id}>
Date: Mon, 2 Mar 2026 12:15:00 +0000
Subject: Declined: Business review
From: Ann Example <{sender}>
To: carl@vendor.example
Content-Type: multipart/mixed; boundary="g0"

--g0
Content-Type: multipart/alternative; boundary="g1"

--g1
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes

Ann has declined this invitation.
--g1
Content-Type: text/calendar; charset="UTF-8"; method=REPLY

{calendar}--g1--
--g0--
""")


def outlook_answer(uid: str, partstat: str = "ACCEPTED", sequence: int = 1, sender: str = ANN) -> bytes:
    """The calendar in base64, the only attendee with its address in capitals."""
    return crlf(f"""\
From: "Example, Ann" <{sender}>
To: Carl <carl@vendor.example>
Subject: Accepted: Business review
Date: Mon, 2 Mar 2026 12:15:00 +0000
Message-ID: <AM0PR01MB2@outlook.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="_o1_"

--_o1_
Content-Type: text/plain; charset="us-ascii"


--_o1_
Content-Type: text/calendar; charset="utf-8"; method=REPLY

BEGIN:VCALENDAR
METHOD:REPLY
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT={partstat};CN="Example, Ann":MAILTO:{sender.upper()}
COMMENT;LANGUAGE=en-US:\\n
UID:{uid}
SUMMARY;LANGUAGE=en-US:Accepted: Business review
DTSTART;TZID=W. Europe Standard Time:20260310T130000
DTEND;TZID=W. Europe Standard Time:20260310T140000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20260302T121500Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:{sequence}
X-MICROSOFT-CDO-APPT-SEQUENCE:{sequence}
END:VEVENT
END:VCALENDAR
--_o1_--
""")


def apple_counter(uid: str, to: datetime = datetime(2026, 3, 11, 9, tzinfo=UTC), sequence: int = 1) -> bytes:
    """Another time is proposed."""
    return crlf(f"""\
From: Ann Example <{ANN}>
To: carl@vendor.example
Subject: New time proposed: Business review
Date: Mon, 2 Mar 2026 12:20:00 +0000
Message-Id: <7A7B@acme.example>
Content-Type: multipart/alternative; boundary="Apple-Mail=_1"

--Apple-Mail=_1
Content-Type: text/plain; charset=utf-8

Ann proposes another time.
--Apple-Mail=_1
Content-Type: text/calendar; charset=utf-8; method=COUNTER

BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Apple Inc.//macOS 26.0//EN
METHOD:COUNTER
CALSCALE:GREGORIAN
BEGIN:VEVENT
UID:{uid}
SEQUENCE:{sequence}
DTSTAMP:20260302T122000Z
DTSTART:{to:%Y%m%dT%H%M%SZ}
DTEND:20260311T100000Z
ORGANIZER;CN=Carl:mailto:carl@vendor.example
ATTENDEE;CN=Ben;PARTSTAT=NEEDS-ACTION:mailto:ben@acme.example
ATTENDEE;CN=Ann;PARTSTAT=TENTATIVE:mailto:{ANN}
END:VEVENT
END:VCALENDAR
--Apple-Mail=_1--
""")


def absence_notice(delivery_id: str) -> bytes:
    return crlf(f"""\
From: Ann Example <{ANN}>
To: carl@vendor.example
Subject: Automatic reply: A tip
Message-ID: <oof-1@outlook.example>
In-Reply-To: <{delivery_id}@vendor.example>
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: All
Content-Type: text/plain

I am away until Monday.
""")


def returned_mail(delivery_id: str) -> bytes:
    """A mail of ours that came back to us, for instance to a mailbox that is among its recipients."""
    return crlf(f"""\
From: Example Company <drumbeat@vendor.example>
To: {ANN}
Subject: A tip
Message-ID: <{delivery_id}@vendor.example>
X-Drumbeat-Delivery: {delivery_id}
In-Reply-To: <{delivery_id}@vendor.example>
Content-Type: text/plain

Hello Ann,
""")
