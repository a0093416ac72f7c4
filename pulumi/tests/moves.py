"""What the tests on the real engine move, and what from."""

import world

EVERYTHING: dict[str, str | None] = {
    "certificateArn": "arn:aws:acm:us-west-2:123456789012:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "legacyVpcId": "vpc-0a1b2c3d4e5f60718",
    "legacyVpcCidr": "10.0.0.0/16",
    "legacyRouteTableIds": "rtb-0a1b2c3d4e5f60718,rtb-1a1b2c3d4e5f60718",
    "legacyDbSecurityGroupId": "sg-0a1b2c3d4e5f60718",
    "dmsAccountRoles": "create",
    "startReplication": "true",
    "writer": "aurora",
    "sourceDbSecretKmsKeyArn": "arn:aws:kms:us-west-2:123456789012:key/1b2c3d4e-5f60-4718-92a3-b4c5d6e7f809",
    "sourceDbCaCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "auroraCaCertificate": "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
    "legacyAppSecretArn": world.APP_SECRET,
    "legacyTapctlSecretArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:legacy-tapctl-a1B2c3",
    "loopbackPrevention": "true",
    "lobMode": "limited",
    "lobMaxSizeKb": "512",
    "dmsMultiAz": "true",
    "containerUser": "1000:1000",
    "containerReadOnly": "true",
    "flowLogs": "true",
}
"""A configuration with everything that can be switched on."""

FORWARD, REVERSE = "migration-dms-task-prod", "migration-dms-reverse-task-prod"
LEGACY, NEW = "migration-legacy-prod", "migration-new-prod"
CA, OTHER_CA = (f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----" for text in ("MIIB", "MIIC"))
CERTIFICATE = str(EVERYTHING["certificateArn"])
PEERING = {
    "legacyVpcId": "vpc-0a1b2c3d4e5f60718",
    "legacyVpcCidr": "10.0.0.0/16",
    "legacyRouteTableIds": "rtb-0a1b2c3d4e5f60718,rtb-1a1b2c3d4e5f60718",
    "legacyDbSecurityGroupId": "sg-0a1b2c3d4e5f60718",
}
MAPPINGS = (
    '{"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"orders","rule-action":"include",'
    '"object-locator":{"schema-name":"shop","table-name":"orders"}}]}'
)
REPLACED = {"create-replacement", "replace", "delete-replaced"}
UPDATED = {"update"}
