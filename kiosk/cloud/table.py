"""Makes the directory's table: once for a site, with an administrator's rights, not a kiosk's."""

from __future__ import annotations

from typing import Any

from kiosk.cloud.faults import code_of, refused, translated
from kiosk.errors import RecordsError

KEY = "pk"
WAIT_S = 2
WAITS = 60
"""Two minutes in all; AWS needs about ten seconds."""
NOT_OFFERED = frozenset({"UnknownOperationException", "ValidationException", "AccessDeniedException"})


def prepare(client: Any, table: str, *, kms_key_id: str | None = None) -> bool:
    """Make the table (paid by request, encrypted, protected against deletion), or find it as it should be.

    Returns whether it can be restored to any moment of the past weeks; servers other than AWS may not offer that, and
    an administrator may not be allowed to ask for it. ``kms_key_id``: a key of one's own; None: AWS's, without charge.
    Raises RecordsError, also when there is a table of another shape.
    """
    from botocore.exceptions import ClientError

    where = f"directory {table}"
    encryption = {} if kms_key_id is None else {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": kms_key_id}
    more = {"SSESpecification": encryption} if encryption else {}
    with translated(where):
        try:
            client.create_table(
                TableName=table,
                AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
                DeletionProtectionEnabled=True,
                **more,
            )
        except ClientError as error:
            if code_of(error) != "ResourceInUseException":  # it is there
                raise
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": WAIT_S, "MaxAttempts": WAITS})
        shape = [(one["AttributeName"], one["KeyType"]) for one in _described(client, table)["KeySchema"]]
    if shape != [(KEY, "HASH")]:
        raise RecordsError("there is a table of this name and another shape", where=where, mend="name another")
    with translated(where):
        try:
            client.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        except ClientError as error:
            code = code_of(error)
            if code not in NOT_OFFERED:
                raise refused(code, where) from error
            return False
    return True


def _described(client: Any, table: str) -> Any:
    """What DynamoDB tells of the table."""
    return client.describe_table(TableName=table)["Table"]
