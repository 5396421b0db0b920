"""Our answers to the judges, each with its reason. A finding that is not here fails the check; so does an idle one."""

from __future__ import annotations

from infra.judges.opinions import Answer

_AWS_KEYS = (
    "Encrypted with AWS's own keys. A key of ours would cost a dollar a month each and guard against nobody else."
)
_HELPER = "A helper of the CDK's, which runs during deployments only and on what it is given."
_LOGGED = "Static files that are public anyway; every request to the API has its line in the API's own log."
_STATELESS = "Translates addresses and keeps nothing: EC2 restarts it, and the stack can make another."
_POLICY = "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{}]"

NAG = (
    Answer(
        "AwsSolutions-APIG4",
        r"/Api/HttpApi/",
        "Handlers verify the token and ask the database: revocation works at once.",
    ),
    Answer(
        "AwsSolutions-L1",
        r"",
        "The code runs on the stated runtime and is tested on it; a newer one is a change of its own.",
    ),
    Answer(
        _POLICY.format("AWSLambdaENIManagementAccess"),
        r"/Functions/",
        "Network interfaces have no ARN before they exist; AWS's policy says no more than that.",
    ),
    Answer(
        _POLICY.format("AWSBackupServiceRolePolicyForBackup"),
        r"/Copies/Plan/",
        "AWS's own policy for taking and copying backups, and no more; the selection names one cluster.",
    ),
    Answer(
        _POLICY.format("AWSCodeDeployRoleForLambdaLimited"),
        r"/Deployments/Role",
        "AWS's own narrow policy for shifting aliases.",
    ),
    Answer(
        _POLICY.format("AWSLambdaBasicExecutionRole"),
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Action::s3:GetObject*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Action::s3:GetBucket*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Action::s3:List*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Action::s3:DeleteObject*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Action::s3:Abort*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-us-east-1/*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Resource::<PortalFilesA1E38FB9.Arn>/*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Resource::*]",
        r"/Custom::CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:us-east-1:<AWS::AccountId>:key/*]",
        r"/Functions/(job_worker|license_worker|licenses|usage)-role/",
        "A condition narrows it to the keys that the operator has tagged for it; none of them is ours to name.",
    ),
    Answer(
        "AwsSolutions-SMG4",
        r"/Secrets/",
        "Keys are rolled by a person, with an overlap that AWS's rotation does not know; the runbook says how.",
    ),
    Answer(
        "AwsSolutions-SMG4",
        r"large.*/Database/(Application|Pooled)Secret",
        "The pool reads one and the functions the other, and a rotation knows of one only; the runbook says how"
        " both are written.",
    ),
    Answer(
        "AwsSolutions-SQS3",
        r"_DEAD/",
        "It is a dead-letter queue itself, of a schedule, a rule or a function.",
    ),
    Answer(
        "AwsSolutions-VPC7",
        r"/Network/Vpc",
        "Nothing in the network listens but the database; what a flow log would cost is more than the rest at rest.",
    ),
    Answer(
        "AwsSolutions-EC28",
        r"/NatInstance/",
        _STATELESS,
    ),
    Answer(
        "AwsSolutions-EC29",
        r"/NatInstance/",
        _STATELESS,
    ),
    Answer(
        "AwsSolutions-RDS6",
        r"/Database/Cluster",
        "Passwords are rotated and TLS is required; tokens would add a call of AWS to each connection.",
    ),
    Answer(
        "AwsSolutions-RDS11",
        r"/Database/Cluster",
        "The port is reached by one security group; another number hides nothing.",
    ),
    Answer(
        "AwsSolutions-RDS14",
        r"/Database/Cluster",
        "Restores go to a new cluster, beside the old one; and what is lost is folded again.",
    ),
    Answer(
        "AwsSolutions-S1",
        r"/Portal/Files",
        _LOGGED,
    ),
    Answer(
        "AwsSolutions-CFR3",
        r"/Edge/Distribution",
        _LOGGED,
    ),
    Answer(
        "AwsSolutions-CFR4",
        r"small.*/Edge/Distribution",
        "Without a host of the vendor's it answers under CloudFront's own name, whose TLS CloudFront chooses.",
    ),
)

CHECKOV = (
    Answer(
        "CKV_AWS_111",
        r"CDKBucketDeployment",
        _HELPER,
    ),
    Answer(
        "CKV_AWS_115",
        r"AWS::Lambda::Function",
        "Workers are bounded by their mappings, the API by its rate; a reservation takes from the account.",
    ),
    Answer(
        "CKV_AWS_116",
        r"AWS::Lambda::Function",
        "Where nobody waits for the answer there is a destination for failures; the rule looks for the older form.",
    ),
    Answer(
        "CKV_AWS_117",
        r"CustomResource|CDKBucketDeployment|CustomCross",
        _HELPER,
    ),
    Answer(
        "CKV_AWS_118",
        r"AWS::RDS::DBInstance",
        "CloudWatch's figures of the minute are what alarms watch.",
    ),
    Answer(
        "CKV_AWS_149",
        r"AWS::SecretsManager::Secret",
        _AWS_KEYS,
    ),
    Answer(
        "CKV_AWS_158",
        r"AWS::Logs::LogGroup",
        _AWS_KEYS,
    ),
    Answer(
        "CKV_AWS_162",
        r"AWS::RDS::DBCluster",
        "Passwords are rotated and TLS is required.",
    ),
    Answer(
        "CKV_AWS_166",
        r"AWS::Backup::BackupVault",
        _AWS_KEYS,
    ),
    Answer(
        "CKV_AWS_173",
        r"AWS::Lambda::Function",
        "Variables hold names and addresses; secrets stay in Secrets Manager.",
    ),
    Answer(
        "CKV_AWS_174",
        r"small.*AWS::CloudFront::Distribution",
        "Without a host of the vendor's CloudFront chooses the TLS of its own name.",
    ),
    Answer(
        "CKV_AWS_18",
        r"PortalFiles",
        _LOGGED,
    ),
    Answer(
        "CKV_AWS_192",
        r"FirewallAcl",
        "Looks for the rule against Log4j, which is Java's; nothing here is Java.",
    ),
    Answer(
        "CKV_AWS_26",
        r"AlarmsTopic",
        "Holds names of alarms and figures; alarms may not publish to a topic under AWS's own key.",
    ),
    Answer(
        "CKV_AWS_27",
        r"AWS::SQS::Queue",
        "Encrypted by SQS itself, which the rule does not know; messages hold ids only.",
    ),
    Answer(
        "CKV_AWS_68",
        r"small.*AWS::CloudFront::Distribution",
        "The firewall costs seven dollars a month at rest; a deployment states whether it wants it.",
    ),
    Answer(
        "CKV_AWS_86",
        r"AWS::CloudFront::Distribution",
        _LOGGED,
    ),
    Answer(
        "CKV_AWS_88",
        r"NatInstance",
        "It is the way out: only functions may speak to it.",
    ),
)
