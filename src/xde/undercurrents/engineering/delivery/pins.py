"""What a pipeline or an image takes from outside, each by the digest of its bytes: a name can be moved to other bytes, a digest cannot."""

from __future__ import annotations

from xde.ground.records import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """An action of GitHub's, by the commit that its version stands for."""

    name: str
    commit: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.commit} # {self.version}"


CHECKOUT = Action("actions/checkout", "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1")
SETUP_PYTHON = Action("actions/setup-python", "5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0")
UPLOAD = Action("actions/upload-artifact", "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1")
AWS_ROLE = Action("aws-actions/configure-aws-credentials", "517a711dbcd0e402f90c77e7e2f81e849156e31d", "v6.2.2")

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# the official images; those that we know a digest of (of all platforms: that of the index)
_SLIM = {
    "3.11": "3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7",
    "3.12": "3.12.14-slim-trixie@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea",
    "3.13": "3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b",
}
_WITH_GIT = {"3.12": "3.12.14-trixie@sha256:4d1caded1f729ae443eb803f26ffde7b61e696aeaef62f099abb6dd6b14257c7"}


def slim_image(python: str) -> str:
    """The smallest image with this Python that wheels for Linux can be installed in."""
    return f"python:{_SLIM.get(python, f'{python}-slim')}"


def image_with_git(python: str) -> str:
    """The image with this Python, and with Git in it."""
    return f"python:{_WITH_GIT.get(python, python)}"


def is_pinned(image: str) -> bool:
    """Whether an image is named by its digest."""
    return "@sha256:" in image
