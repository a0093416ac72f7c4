"""An AWS account on loopback: a moto server, what lies in it before the stack, and the calls that are sent to it.

Whatever the mocks called a thing is put into the server's own words on the way, as the answers taught them.
"""

import itertools
import logging
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

# Read when moto's IAM is made: without them it knows no policy that AWS manages.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

import botocore.config
import botocore.session
import jmespath
from botocore.exceptions import ClientError, ParamValidationError
from moto.backends import get_backend
from moto.moto_server.threaded_moto_server import (  # pyright: ignore[reportMissingTypeStubs] -- typed, with a mark
    ThreadedMotoServer,
)

from calls import Call, Json, Look
from configurations import CERTIFICATE, PEERING, ZONE, Configuration

NOT_SERVED = {
    "dms:ImportCertificate": "moto 5.2.5 has no DMS certificates",
    "dms:DescribeCertificates": "moto 5.2.5 has no DMS certificates",
    "dms:DeleteCertificate": "moto 5.2.5 has no DMS certificates",
}
"""Operations that moto does not have. Their calls are held against the model like all others, and not sent."""

GONE = re.compile(r"NotFound|NoSuch|DoesNotExist|ResourceNotFound|InvalidRequestException|ClusterNotFound")
"""Error codes that say that a thing is not there."""

DRAWN = re.compile(r"[0-9a-f]{16}|[0-9A-F]{26}")
"""What the mocks draw for load balancers, target groups, listeners, and everything of DMS."""

EVERYWHERE = "us-east-1"
"""Where IAM and Route 53, which have no regions, are signed for."""

MOCKED_ACCOUNT = "123456789012"
NUMBERS = itertools.count(100_000_000_001)
"""A new account is emptier than one that was reset, and sooner made."""


class RefusedError(Exception):
    """The account did not take a call, or does not hold what it should."""


class Account:
    """A server, and the words of one stack for what is in it."""

    def __init__(self, endpoint: str, number: str, known: dict[str, str] | None = None) -> None:
        """Speaks with the server at `endpoint`."""
        self.endpoint = endpoint
        self.number = number
        self.known = known or {MOCKED_ACCOUNT: number}
        self._clients: dict[tuple[str, str], Any] = {}
        self._pattern: re.Pattern[str] | None = None

    def beside(self) -> "Account":
        """The same account, in the words of another stack."""
        return Account(self.endpoint, self.number, dict(self.known))

    def tidy(self) -> None:
        """Takes away the automated snapshots of clusters that are gone: AWS deletes them with the cluster, moto not."""
        for regions in get_backend("rds").values():
            for backend in regions.values():
                kept = backend.cluster_snapshots
                gone = [key for key, each in kept.items() if each.cluster.db_cluster_identifier not in backend.clusters]
                for key in gone:
                    del kept[key]

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 -- botocore makes the class at run time
        """A client that asks once."""
        if (service, region) not in self._clients:
            options = botocore.config.Config(retries={"total_max_attempts": 1}, proxies={})
            made = _session().create_client(
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                aws_access_key_id="any",
                aws_secret_access_key="any",  # noqa: S106 -- no secret: moto takes any
                config=options,
            )
            made.meta.events.register("before-call", self._addressed)
            self._clients[service, region] = made
        return self._clients[service, region]

    def send(self, call: Call) -> Json:
        """Makes a call and learns from its answer; raises `RefusedError` where the server says no."""
        if str(call) in NOT_SERVED:
            return {}
        try:
            answer = self.ask(call)
        except (ClientError, ParamValidationError) as error:
            if isinstance(error, ClientError) and call.tolerates and _code(error) == call.tolerates:
                return {}
            msg = f"{call} was refused: {error}; sent {self.translated(call.parameters)}{_advice(error)}"
            raise RefusedError(msg) from error
        for word, where in call.learns.items():
            self._learn(call, word, jmespath.search(where, answer))
        return answer

    def holds(self, look: Look) -> bool:
        """Whether what is looked for is there."""
        try:
            answer = self.ask(look.call)
        except ClientError as error:
            if GONE.search(_code(error)):
                return False
            msg = f"{look.call} failed: {error}"
            raise RefusedError(msg) from error
        return bool(jmespath.search(str(self.translated(look.present)), answer))

    def translated(self, value: Any) -> Any:  # noqa: ANN401 -- parameters of any shape
        """A value with the mocks' words replaced by the server's."""
        if isinstance(value, dict):
            return {key: self.translated(each) for key, each in cast("Json", value).items()}
        if isinstance(value, list):
            return [self.translated(each) for each in cast("list[Any]", value)]
        if isinstance(value, str) and self.known:
            if self._pattern is None:
                longest = sorted(self.known, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest)))
            return self._pattern.sub(lambda found: self.known[found[0]], value)
        return value

    def ask(self, call: Call) -> Json:
        """Makes a call, in the server's own words."""
        client = self.client(call.service, call.region)
        return cast("Json", client._make_api_call(call.operation, self.translated(call.parameters)))

    def _addressed(self, params: Json, **_more: object) -> None:
        params["headers"]["x-moto-account-id"] = self.number

    def _learn(self, call: Call, word: str, found: object) -> None:
        if not isinstance(found, str) or not found:
            msg = f"{call} did not say what it calls {word}"
            raise RefusedError(msg)
        self._pattern = None
        self.known[word] = found
        # The drawn part at the end of an ARN is an id of its own: metrics and balancers go by it.
        mocked, real = (re.split(r"[:/]", each)[-1] for each in (word, found))
        if word.startswith("arn:") and DRAWN.fullmatch(mocked):
            self.known[mocked] = real


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))


def _advice(error: Exception) -> str:
    if isinstance(error, ClientError) and _code(error) == "500":
        return "; where moto does not have the operation, give it a row in NOT_SERVED of account.py"
    return ""


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@contextmanager
def server() -> Generator[str, None, None]:
    """A moto server on a free port of loopback; its endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    serving = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    serving.start()
    host, port = serving.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        serving.stop()


def opened(endpoint: str, configuration: Configuration) -> Account:
    """A new account with what the program expects in it: zone, legacy network, certificate, DMS's roles."""
    account = Account(endpoint, str(next(NUMBERS)))
    zone = account.client("route53", EVERYWHERE).create_hosted_zone(Name="example.com", CallerReference="before")
    account.known[ZONE] = zone["HostedZone"]["Id"].rsplit("/", 1)[-1]
    ec2 = account.client("ec2", configuration.legacy_region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    account.known[str(PEERING["legacyVpcId"])] = vpc
    for table in str(PEERING["legacyRouteTableIds"]).split(","):
        account.known[table] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    group = ec2.create_security_group(GroupName="legacy-db", Description="legacy database", VpcId=vpc)
    account.known[str(PEERING["legacyDbSecurityGroupId"])] = group["GroupId"]
    certificate = account.client("acm", "us-west-2").request_certificate(DomainName="app.example.com")
    account.known[CERTIFICATE] = certificate["CertificateArn"]
    if configuration.roles:
        for name in ("dms-vpc-role", "dms-cloudwatch-logs-role"):
            account.client("iam", EVERYWHERE).create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    return account
