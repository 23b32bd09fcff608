"""Settings of where the kiosk's figures are published."""

from __future__ import annotations

from pydantic import Field, field_validator

from kiosk.config.address import Address
from kiosk.config.cloud import ServiceSettings
from kiosk.config.group import Group
from kiosk.errors import ConfigurationError


class CloudWatchSettings(ServiceSettings):
    """[kpi.cloudwatch]"""

    enabled: bool = Field(False, description="send the figures to CloudWatch by PutMetricData")
    namespace: str = Field(
        "DoorKiosk", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/#-]{0,254}$", description="namespace of the metrics"
    )
    endpoint_url: str | None = Field(
        None, examples=["https://vpce-1.monitoring.example"], description="its address; unset: AWS itself"
    )
    every_s: float = Field(60.0, ge=10, le=3600, description="how often the figures are sent")
    kiosk: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_.\-]{0,64}$",
        description="name of this device, sent as a dimension of every metric; empty: none",
    )

    @field_validator("namespace")
    @classmethod
    def _own(cls, value: str) -> str:
        if value.upper().startswith("AWS/"):
            raise ValueError("namespaces that begin with AWS/ are Amazon's")
        return value


class KpiSettings(Group):
    """[kpi]"""

    prometheus: str | None = Field(
        None,
        examples=["127.0.0.1:9464"],
        description="HOST:PORT where Prometheus fetches the figures, in plain HTTP; unset: nowhere",
    )
    cloudwatch: CloudWatchSettings = CloudWatchSettings()

    @field_validator("prometheus")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                Address.parsed(value, "kpi.prometheus")
        except ConfigurationError as error:
            raise ValueError(f"{error.what}; {error.mend}") from error
        return value

    @property
    def address(self) -> Address | None:
        """Where Prometheus fetches the figures."""
        return None if self.prometheus is None else Address.parsed(self.prometheus, "kpi.prometheus")
