"""Settings of the engines that a door may ask beside its own gallery."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from kiosk.config.cloud import ServiceSettings
from kiosk.config.group import Group
from kiosk.config.server import ServerSettings


class ModelThresholds(Group):
    """[identity.models."VERSION"]: what another engine's similarity must reach."""

    threshold: float = Field(99.0, ge=90, le=100, description="least similarity of this face model, 0..100")
    margin: float = Field(1.0, ge=0, le=20, description="least distance to the second person")


def shard_names(prefix: str, shards: int) -> tuple[str, ...]:
    """All collections of so many shards; a single one bears the bare prefix."""
    return (prefix,) if shards == 1 else tuple(f"{prefix}-{number}" for number in range(shards))


class EndpointSettings(ServiceSettings):
    """One server that speaks Rekognition's protocol."""

    enabled: bool = Field(False, description="ask it who somebody is; crops of faces are sent there")
    ca_bundle: Path | None = Field(
        None, examples=["/etc/kiosk/cellar.crt"], description="certificate to trust; unset: the usual authorities"
    )
    collection: str = Field(
        "door",
        pattern=r"^[a-zA-Z0-9_.\-]{1,240}$",
        description="collection of the enrolled, whose faces bear person ids",
    )
    collection_before: str | None = Field(
        None,
        pattern=r"^[a-zA-Z0-9_.\-]{1,240}$",
        examples=["door-v6"],
        description="collection that is asked too while kiosk reindex fills the other",
    )
    shards_before: int | None = Field(
        None, ge=1, le=64, examples=[1], description="shards of collection_before; unset: as many as now"
    )
    users_before: bool | None = Field(
        None, examples=[False], description="whether people are users in collection_before; unset: as now"
    )
    shards: int = Field(1, ge=1, le=64, description="so many collections, COLLECTION-0 and on; 1: just COLLECTION")
    users: bool = Field(
        False, description="people are Rekognition users, found by all their faces together; as they were enrolled"
    )
    connect_s: float = Field(0.5, ge=0.05, le=5, description="longest wait for a connection")

    @model_validator(mode="after")
    def _another(self) -> EndpointSettings:
        if self.collection_before is None:
            if self.shards_before is not None or self.users_before is not None:
                raise ValueError("shards_before and users_before need collection_before")
        else:
            now = set(shard_names(self.collection, self.shards))
            if now & set(shard_names(self.collection_before, self.shards_before or self.shards)):
                raise ValueError("collection_before is the collection itself")
        return self


class FallbackSettings(Group):
    """When the usual engine does not answer."""

    threshold: float = Field(99.5, ge=90, le=100, description="least similarity that another engine must find")
    badge: bool = Field(False, description="another engine names nobody without a badge")
    failures: int = Field(2, ge=1, le=20, description="failures in a row after which an engine is left alone")
    rest_s: float = Field(15.0, ge=1, le=600, description="how long, before it is tried again")


class RekognitionSettings(Group):
    """[rekognition]"""

    aws: EndpointSettings = EndpointSettings()
    site: EndpointSettings = EndpointSettings()
    fallback: FallbackSettings = FallbackSettings()
    server: ServerSettings = ServerSettings()

    @model_validator(mode="after")
    def _two(self) -> RekognitionSettings:
        if self.site.enabled and self.site.endpoint_url is None:
            raise ValueError("site.endpoint_url is needed: without it AWS itself would be asked")
        aws, site = ((one.endpoint_url, one.region, one.collection) for one in (self.aws, self.site))
        if self.aws.enabled and self.site.enabled and aws == site:
            raise ValueError("aws and site are one and the same")
        return self
