"""Names of what a changed value replaces while it is in use: another generation, another name.  Pure.

Whoever has the right value keeps the name that it has, whatever that is: `naming` says why.
"""

from lib.existing import Existing
from lib.naming import Naming
from lib.replication import Authority


def target_group_name(naming: Naming, port: int, existing: Existing) -> str:
    """Another port replaces the group while the listeners still lead to it (DeleteTargetGroup: ResourceInUse)."""
    there = existing.get("lb/targetGroup:TargetGroup", naming.name("tg")) or {}
    name = there.get("name")
    if not isinstance(name, str):
        return naming.target_group(port)
    return name if there.get("port") == port else naming.target_group(port, after=name)


def authority(naming: Naming, kind: str, pem: str | None, existing: Existing) -> Authority | None:
    """As with the target group: ImportCertificate refuses an id that is taken, DeleteCertificate one in use."""
    if pem is None:
        return None
    there = existing.get("dms/certificate:Certificate", naming.name(kind)) or {}
    id_ = there.get("certificateId")
    if not isinstance(id_, str):
        chosen = naming.with_digest(kind, pem)
    else:
        chosen = id_ if there.get("certificatePem") == pem else naming.with_digest(kind, pem, after=id_)
    return Authority(kind=kind, pem=pem, certificate_id=chosen)
