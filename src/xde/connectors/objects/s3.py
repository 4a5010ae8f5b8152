"""Objects of S3, or of a store that speaks its protocol, as files of a source: listed, told apart by their tags, brought here for a load.

An object's ETag is its digest here: a store gives it with the listing, so that a plan reads nothing. Of objects that were put in one
piece it is that of their bytes; a copy that was put in several pieces may have another, and is then loaded as what it seems to be: new.
"""

from __future__ import annotations

from contextlib import closing, suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from xde.connectors.objects.bringing import PIECE, brought, changed, moment, wanted
from xde.ground.clock import SystemClock
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.lifecycle.sources.patterns import plain_start
from xde.lifecycle.sources.port import FoundFile
from xde.lifecycle.sources.servers import apart
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from xde.ground.spans import Span

_PATIENCE = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 4, "mode": "standard"}}
_GONE = {"NoSuchBucket", "404"}
_CHANGED = {"PreconditionFailed", "412", "NoSuchKey", "404"}
_REFUSED = {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "AllAccessDisabled", "AccountProblem"}
_TAG = "etag:"


class S3Files:
    """See `lifecycle.sources.port.FileStore`.

    `settings` are those of the contract's server: `location` (`s3://bucket/prefix`), `endpointUrl`, `region`, `accessKey`, `secretKey`,
    `anonymous` and `requesterPays` as `true`. Without keys boto3 finds them as AWS's own tools do.
    """

    def __init__(self, settings: Mapping[str, str], span: Span | None = None) -> None:
        self._settings = settings
        self._span = span
        self._tags: dict[str, str] = {}
        self._pays = {"RequestPayer": "requester"} if settings.get("requesterPays", "").lower() == "true" else {}
        self._made: Any = None

    def list(self, root: str, pattern: str) -> Sequence[FoundFile]:
        """The objects below the prefix that match, by path; hidden and half-delivered ones are left out."""
        bucket, prefix = _place(root)
        fits = wanted(pattern, self._span)
        found = []
        for told in self._listed(bucket, prefix + plain_start(pattern)):
            key = str(told["Key"])
            path = key.removeprefix(prefix)
            if key.endswith("/") or not fits(path):
                continue
            location = f"s3://{bucket}/{key}"
            self._tags[location] = tag = str(told["ETag"]).strip('"')
            found.append(FoundFile(path, location, int(told["Size"]), moment(told["LastModified"].timestamp(), tag)))
        return sorted(found, key=lambda f: f.path)

    def digest(self, file: FoundFile, like: str = "") -> str:  # noqa: ARG002 - the port's; there is one form
        """The object's tag, as its listing gave it."""
        return _TAG + self._tags[file.location]

    def fetch(self, file: FoundFile, digest: str, folder: Path) -> FoundFile:
        """A copy of the object with that tag; one that has changed since is worth another plan."""
        bucket, key = _place(file.location, whole_key=True)
        try:
            told = self._client.get_object(Bucket=bucket, Key=key, IfMatch=f'"{digest.removeprefix(_TAG)}"', **self._pays)
            with closing(told["Body"]) as body:
                return brought(file, body.iter_chunks(PIECE), folder)
        except ClientError as error:
            if _code(error) in _CHANGED:
                raise changed(file) from error
            raise self._told(error, bucket, "s3:GetObject") from error
        except BotoCoreError as error:
            raise self._told(error, bucket, "s3:GetObject") from error

    def look(self, root: str) -> Sequence[Looked]:
        """How long a listing takes, and whether the store's clock agrees with ours: it refuses what is signed a quarter of an hour off."""
        bucket, prefix = _place(root)
        clock = SystemClock()
        before, began = clock.monotonic(), clock.now()
        try:
            told = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1, **self._pays)
        except (ClientError, BotoCoreError, ValueError) as error:
            raise self._told(error, bucket, "s3:ListBucket") from error
        took = clock.monotonic() - before
        looked = [Looked("round trip", well=True, told=f"{took:.2f} s")]
        with suppress(KeyError, ValueError):
            there = parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"])
            why = "a store of objects refuses what is signed 15 minutes off"
            looked.append(apart((began - there).total_seconds() + took / 2, took / 2 + 1, "the store's", why))
        return looked

    @property
    def _client(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        if self._made is None:
            given = self._settings
            unsigned = {"signature_version": UNSIGNED} if given.get("anonymous", "").lower() == "true" else {}
            self._made = boto3.session.Session().client(
                "s3",
                endpoint_url=given.get("endpointUrl") or None,
                region_name=given.get("region") or None,
                aws_access_key_id=given.get("accessKey") or None,
                aws_secret_access_key=given.get("secretKey") or None,
                config=Config(**_PATIENCE, **unsigned),
            )
        return self._made

    def _listed(self, bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **self._pays)
            for page in pages:
                yield from page.get("Contents", ())
        except (ClientError, BotoCoreError, ValueError) as error:
            raise self._told(error, bucket, "s3:ListBucket") from error

    def _told(self, error: Exception, bucket: str, right: str) -> Exception:
        """An error of boto3 in ours."""
        at = self._settings.get("endpointUrl") or "AWS"
        if isinstance(error, (EndpointConnectionError, HTTPClientError)):
            return TemporaryError(f"the store at {at} cannot be reached: {type(error).__name__}", retry_in=2.0)
        if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
            hint = "write `xdeAccessKey` and `xdeSecretKey` as references, log in with `aws sso login`, or say `xdeAnonymous: true`"
            return UserError(
                Finding("XDE0491", f"there are no credentials for `s3://{bucket}`", self._span, why=f"the store is {at}", hint=hint)
            )
        code = _code(error) if isinstance(error, ClientError) else ""
        if code == "RequestTimeTooSkewed":
            why = f"the store at {at} takes nothing that is signed more than 15 minutes off its own clock"
            hint = "set this machine's clock by the network: `timedatectl set-ntp true`"
            return UserError(Finding("XDE0536", "this machine's clock is wrong", self._span, why=why, hint=hint))
        why = str(error)[:300]
        if code in _GONE:
            return UserError(
                Finding("XDE0440", f"there is no bucket `{bucket}`", self._span, why=f"the store at {at} says so", hint="mend `location`")
            )
        if code in _REFUSED:
            hint = f'let its owner add to its policy: {{"Effect": "Allow", "Action": "{right}", "Resource": "{_resource(bucket, right)}"}}'
            return self._refused("XDE0492", f"`s3://{bucket}` may not be read", why, hint)
        if isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            return TemporaryError(f"the store at {at} has a fault: {code}", retry_in=2.0)
        hint = "look at `location` and `endpointUrl` of the server; `xde doctor` tries them"
        return self._refused("XDE0493", f"`s3://{bucket}` cannot be read", why, hint)

    def _refused(self, code: str, message: str, why: str, hint: str) -> UserError:
        return UserError(Finding(code, message, self._span, why=why, hint=hint))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _resource(bucket: str, right: str) -> str:
    return f"arn:aws:s3:::{bucket}" + ("/*" if right == "s3:GetObject" else "")


def _place(root: str, *, whole_key: bool = False) -> tuple[str, str]:
    """Bucket and prefix; a prefix is a folder."""
    bucket, _, key = root.removeprefix("s3://").partition("/")
    return bucket, key if whole_key or not key or key.endswith("/") else key + "/"
