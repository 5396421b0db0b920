"""SQS on this machine: standard queues in memory, the endpoint boto3 talks to, the Lambda event source."""
