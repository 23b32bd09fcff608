"""Settings of the places in the cloud that a site may use beside the embedded store. All are off by default."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from kiosk.config.endpoint import private_endpoint
from kiosk.config.group import Group


class ServiceSettings(Group):
    """One service of AWS, or of a server that speaks its protocol. Credentials are never here: boto3's chain."""

    enabled: bool = Field(False, description="use it")
    region: str = Field("eu-central-1", min_length=1, description="AWS region, and part of every signature")
    endpoint_url: str | None = Field(
        None, examples=["https://cellar.example:9000"], description="its address; unset: AWS itself"
    )
    profile: str | None = Field(
        None, examples=["kiosk"], description="profile of AWS's credentials file; unset: the usual chain"
    )

    @field_validator("endpoint_url")
    @classmethod
    def _private(cls, value: str | None) -> str | None:
        return private_endpoint(value)


class DirectorySettings(ServiceSettings):
    """[cloud.directory]"""

    enabled: bool = Field(
        False, description="badges and face ids of several kiosks in DynamoDB; ids are sent there, never names"
    )
    table: str = Field("door-kiosk", pattern=r"^[a-zA-Z0-9_.\-]{3,255}$", description="the table")


class PicturesSettings(ServiceSettings):
    """[cloud.pictures]"""

    enabled: bool = Field(False, description="keep enrollment pictures in S3, where the site's policy keeps them")
    bucket: str = Field(
        "", pattern=r"^$|^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$", description="the bucket; needed when enabled"
    )
    prefix: str = Field(
        "enrollment",
        pattern=r"^[a-zA-Z0-9_][a-zA-Z0-9_.\-]{0,63}(/[a-zA-Z0-9_][a-zA-Z0-9_.\-]{0,63}){0,7}$",
        description="keys are PREFIX/PERSON_ID/SHA256.jpg or .png",
    )
    kms_key_id: str | None = Field(
        None,
        examples=["arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        description="KMS key that encrypts them; unset: AES256 with S3's own",
    )
    owner: str | None = Field(
        None,
        pattern=r"^[0-9]{12}$",
        examples=["111122223333"],
        description="account that must own the bucket; unset: not checked",
    )

    @model_validator(mode="after")
    def _named(self) -> PicturesSettings:
        if self.enabled and not self.bucket:
            raise ValueError("bucket is needed")
        return self


class CloudSettings(Group):
    """[cloud]"""

    directory: DirectorySettings = DirectorySettings()
    pictures: PicturesSettings = PicturesSettings()
