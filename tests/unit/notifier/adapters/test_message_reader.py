"""A stored mail is read back with its decoded headers and both bodies."""

from email.message import EmailMessage

from services.notifier.adapters.message_reader import parse_message


def test_headers_are_decoded_and_both_bodies_are_read() -> None:
    email = EmailMessage()
    email["Subject"] = "Grüße von Kim"
    email["To"] = "kit@acme.example"
    email.set_content("Guten Tag")
    email.add_alternative("<p>Guten Tag</p>", subtype="html")

    message = parse_message(email.as_bytes())

    assert message.subject == "Grüße von Kim"
    assert message.text.strip() == "Guten Tag"
    assert message.html.strip() == "<p>Guten Tag</p>"
    assert message.headers["To"] == "kit@acme.example"
    assert not any(name.startswith("Content-") for name in message.headers)


def test_a_mail_without_html_has_an_empty_one() -> None:
    email = EmailMessage()
    email["Subject"] = "Hello"
    email.set_content("Hello")
    assert parse_message(email.as_bytes()).html == ""
