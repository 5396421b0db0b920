"""The database and the AWS of one measurement, in this process's environment, without functions or a gateway."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from infra.local.database import DatabaseServer, private_database
from infra.local.database.throwaway import UNPACKED
from infra.manifest import Queue
from keywright.platform import db, migrations
from tests.conftest import Database


@contextmanager
def deployed_database(*, durable: bool = False) -> Iterator[Database]:
    """
    Run a private server with the schema, and moto with the queues and the application's credentials.

    ``durable``: every commit reaches the disk, as it would in earnest.
    """
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    for queue in Queue:
        url = boto3.client("sqs").create_queue(QueueName=f"bench-{queue.lower()}")["QueueUrl"]
        os.environ[f"KEYWRIGHT_{queue}_QUEUE_URL"] = url
    try:
        with _durable_database() if durable else private_database() as server:
            endpoint = server.endpoint
            application = endpoint.secret(endpoint.app)
            migrations.migrate(endpoint.secret(endpoint.owner), application)
            boto3.client("secretsmanager").create_secret(Name="bench/DATABASE", SecretString=json.dumps(application))
            os.environ["KEYWRIGHT_DATABASE_SECRET"] = "bench/DATABASE"
            yield Database(endpoint)
            db.discard()
    finally:
        aws.stop()


@contextmanager
def _durable_database() -> Iterator[DatabaseServer]:
    folder = Path(tempfile.mkdtemp(prefix="keywright-"))
    folder.chmod(0o755)
    server = DatabaseServer(folder / "db", unpacked=UNPACKED)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
