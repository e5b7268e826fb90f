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


def test_links_with_which_the_recipient_acts_or_is_measured_are_shown_without_their_token() -> None:
    base, token = "https://drumbeat.example.com", "1-" + "Ab9_" * 12
    paths = ("p", "a", "c", "o", "v1/unsubscribe")
    email = EmailMessage()
    email.set_content("\n".join(f"{base}/{path}/{token}" for path in paths))
    email.add_alternative(f'<img src="{base}/o/{token}.gif">', subtype="html")

    message = parse_message(email.as_bytes())

    assert message.text.split() == [f"{base}/{path}/..." for path in paths]
    assert message.html.strip() == f'<img src="{base}/o/....gif">'
