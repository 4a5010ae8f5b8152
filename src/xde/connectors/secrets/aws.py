"""`${aws:SECRET_ID}` and `${aws:SECRET_ID#KEY}`: AWS Secrets Manager, with whatever credentials and region boto3 finds by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.plugin.secrets import SecretMissing

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
_AGAIN = {"InternalServiceError", "InternalServiceErrorException", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable"}
_GONE = {"ResourceNotFoundException", "InvalidRequestException", "InvalidParameterException", "ValidationException"}


def read(name: str, project: Path, /) -> str:  # noqa: ARG001 - the port's
    """The current version of a secret; with a key, that text of a secret which is a JSON object."""
    identifier, _, key = name.partition("#")
    told = _asked(identifier)
    text = told.get("SecretString")
    if not isinstance(text, str):
        raise SecretMissing(f"`{identifier}` in AWS Secrets Manager holds bytes, and no text", "store it as `SecretString`")
    return _within(text, identifier, key) if "#" in name else text


def _asked(identifier: str) -> dict[str, Any]:
    try:
        client = boto3.session.Session().client("secretsmanager", config=_PATIENCE)
        return dict(client.get_secret_value(SecretId=identifier))
    except ClientError as error:
        raise _refused(identifier, str(error.response.get("Error", {}).get("Code", ""))) from None
    except NoRegionError:
        raise _closed("no region is set", "export AWS_REGION=...") from None
    except (NoCredentialsError, PartialCredentialsError):
        raise _closed("there are no credentials for AWS", "log in with `aws sso login`, or give the machine a role") from None
    except (HTTPClientError, EndpointConnectionError) as error:
        raise TemporaryError(f"AWS Secrets Manager cannot be reached: {type(error).__name__}", retry_in=5.0) from None
    except BotoCoreError as error:
        raise _closed(f"boto3 cannot ask for it: {type(error).__name__}", "see that `aws sts get-caller-identity` answers") from None


def _refused(identifier: str, code: str) -> Exception:
    if code in _GONE:
        return SecretMissing(
            f"AWS Secrets Manager has no `{identifier}` in this account and region ({code})", "see `aws secretsmanager list-secrets`"
        )
    if code in _AGAIN:
        return TemporaryError(f"AWS Secrets Manager is not ready: {code}", retry_in=5.0)
    return _closed(f"`{identifier}`: {code}", "see that the role may do `secretsmanager:GetSecretValue` (and `kms:Decrypt`) on it")


def _within(text: str, identifier: str, key: str) -> str:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise _no_key(f"`{identifier}` is no JSON object, so that nothing in it has a name", f"write `${{aws:{identifier}}}`")
    if key not in told:
        # a list of the names would be no secret, but the nearest one is enough
        raise _no_key(f"`{identifier}` has no key `{key}`", did_you_mean(key, map(str, told)) or "look at its keys in the console of AWS")
    value = told[key]
    return value if isinstance(value, str) else json.dumps(value)


def _no_key(message: str, hint: str) -> UserError:
    why = "what stands after `#` is a key of the JSON object that the secret is"
    return UserError(Finding("XDE0156", message, why=why, hint=hint))


def _closed(why: str, hint: str) -> UserError:
    return UserError(Finding("XDE0157", "AWS Secrets Manager does not let us in", why=why, hint=hint))
