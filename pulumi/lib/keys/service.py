"""The application, and who hears of it.  One row for each key."""

from lib import parsers
from lib.keys.row import Change, Key, optional

IMAGE_TAG = Key(
    name="imageTag",
    change=Change.IN_PLACE,
    later="a new revision rolls out behind the circuit breaker; taken away, which deletes the service, only while the "
    "new stack has no traffic",
    parse=optional(
        parsers.pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "must be the tag of an image, such as 2026-11-23-1a2b3c4")
    ),
    optional=True,
    example="2026-11-23-1a2b3c4",
    meaning="Tag of the image in the stack's own repository; without it everything but the service is created.",
)
CONTAINER_PORT = Key(
    name="containerPort",
    change=Change.REPLACED,
    later="refused while the new stack has traffic: no target answers until the new tasks run",
    parse=parsers.number(1, 65535, "a port"),
    default="8080",
    example="8080",
    meaning="Port on which the container answers, `/health` included.",
)
CONTAINER_USER = Key(
    name="containerUser",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=optional(parsers.pattern(r"[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?", "must be a user or user:group")),
    optional=True,
    default_words="the image's own",
    example="1000:1000",
    meaning="User that the container runs as; beside `containerReadOnly` as well, whose `/tmp` every user may write "
    "to.",
)
CONTAINER_READ_ONLY = Key(
    name="containerReadOnly",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=parsers.boolean,
    default="false",
    example="false",
    meaning="`true` makes the container's root file system read-only and takes its Linux capabilities away; an empty "
    "`/tmp`, open to whatever user it runs as, takes up to a quarter of `taskMemory`. Not every image can live with "
    "that.",
)
TASK_CPU = Key(
    name="taskCpu",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=parsers.one_of("CPU units", 256, 512, 1024, 2048, 4096),
    default="512",
    example="512",
    meaning="CPU units of a task (1024 is one vCPU).",
)
TASK_MEMORY = Key(
    name="taskMemory",
    change=Change.IN_PLACE,
    later="a new revision rolls out",
    parse=parsers.number(512, 30720, "MiB"),
    default="1024",
    example="1024",
    meaning="Memory of a task in MiB; Fargate takes two to eight times the CPU units, in steps of 1024 above 1024.",
)
CERTIFICATE_ARN = Key(
    name="certificateArn",
    change=Change.IN_PLACE,
    later="taken away only while the new stack has no traffic",
    parse=optional(parsers.arn("acm", r"certificate/[A-Za-z0-9-]+")),
    optional=True,
    example="arn:aws:acm:us-west-2:123456789012:certificate/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    meaning="Certificate in the target region; adds HTTPS, and HTTP then redirects.",
)
ALARM_EMAIL = Key(
    name="alarmEmail",
    change=Change.IN_PLACE,
    later="the new address has to confirm",
    parse=optional(parsers.pattern(r"[^@\s]+@[^@\s]+\.[^@\s]+", "must be a mail address")),
    optional=True,
    example="on-call@example.com",
    meaning="Gets the alarms by mail, once the subscription has been confirmed.",
)
LOG_RETENTION_DAYS = Key(
    name="logRetentionDays",
    change=Change.IN_PLACE,
    later="events that are older go at once",
    parse=parsers.one_of("days", 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365),
    default="30",
    example="30",
    meaning="How long every log group keeps its events.",
)
