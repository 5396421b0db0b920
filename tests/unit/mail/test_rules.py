"""What a mail looks like, and that nobody can write into one."""

from __future__ import annotations

from keywright.mail.rules import compose


def test_a_mail_says_the_same_as_text_and_as_html():
    mail = compose(
        to="ada@example.com",
        subject="Your license",
        greeting="Hello Ada,",
        paragraphs=["It is ready."],
        link=("Download it", "https://portal.example/licenses/1?a=1&b=2"),
    )

    assert mail.text == "Hello Ada,\n\nIt is ready.\n\nDownload it: https://portal.example/licenses/1?a=1&b=2\n"
    assert '<a href="https://portal.example/licenses/1?a=1&amp;b=2">Download it</a>' in mail.html
    assert "<p>Hello Ada,</p>\n<p>It is ready.</p>" in mail.html


def test_what_people_call_themselves_does_not_become_markup():
    mail = compose(
        to="eve@example.com",
        subject="Hello",
        greeting='Hello <script>alert("1")</script>,',
        paragraphs=["{parts}", "<img src=x>"],
        link=('">', 'javascript:"><b>'),
    )

    assert "<script>" not in mail.html
    assert "<img" not in mail.html
    assert "<b>" not in mail.html
    assert "{parts}" in mail.html


def test_a_mail_without_a_link_has_none():
    mail = compose(to="ada@example.com", subject="Hello", greeting="Hello,", paragraphs=[])

    assert "href" not in mail.html
