"""SES. Called from jobs only, outside any transaction."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from functools import lru_cache
from typing import Any

from keywright.mail.models import Mail
from keywright.platform import log


def send(mail: Mail, *, sender: str, configuration_set: str) -> None:
    """
    Hand one mail to SES as MIME with a text and an HTML part; an exception means that it may not have left.

    By the configuration set SES knows whom to tell of a bounce or a complaint.
    """
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for file in mail.attachments:
        message.add_attachment(file.content, maintype="application", subtype=file.subtype, filename=file.name)
    answer = _client().send_email(
        FromEmailAddress=sender,
        ConfigurationSetName=configuration_set,
        Destination={"ToAddresses": [mail.to]},
        Content={"Raw": {"Data": message.as_bytes()}},
    )
    log.info("mail sent", message_id=answer["MessageId"])


@lru_cache
def _client() -> Any:
    import boto3  # noqa: PLC0415  (lazy: most invocations send no mail)

    return boto3.client("sesv2")
