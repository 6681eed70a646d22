"""The examples of deploy/ hold: YAML against the schemas of Compose and Kubernetes, commands and settings against the code."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from phrasecheck.cli import cli
from phrasecheck.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
VERSION = "1.31"  # of Kubernetes: some clusters are older than others
DOCUMENTS = [
    pytest.param(document, id=f"{path.stem}-{number}")
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for number, document in enumerate(yaml.safe_load_all(path.read_text(encoding="utf-8")))
]
GROUP = {"type": "object", "required": ["rayStartParams", "template"]}
WORKERS = {**GROUP, "required": ["groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"]}
CLUSTER = {  # what KubeRay asks for at least (ray.io/v1)
    "type": "object",
    "required": ["rayVersion", "headGroupSpec", "workerGroupSpecs"],
    "properties": {"headGroupSpec": GROUP, "workerGroupSpecs": {"type": "array", "minItems": 1, "items": WORKERS}},
}
JOB = {"type": "object", "required": ["entrypoint", "rayClusterSpec"], "properties": {"rayClusterSpec": CLUSTER}}
RAY = {"RayCluster": CLUSTER, "RayJob": JOB}


def values(document: Any, name: str) -> Iterator[Any]:
    """Everything called `name` in a document, however deep."""
    if isinstance(document, dict):
        yield from ([document[name]] if name in document else [])
        for inner in document.values():
            yield from values(inner, name)
    if isinstance(document, list):
        for inner in document:
            yield from values(inner, name)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def takes(args: list[str]) -> None:
    """The command line is one of ours."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), args.pop(0))
        assert inner is not None
        command = inner
    command.make_context("phrasecheck", args)


def test_compose_keeps_to_its_specification() -> None:
    schemas = pytest.importorskip("check_jsonschema.builtin_schemas", reason="check-jsonschema is not installed")
    jsonschema.validate(compose(), schemas.get_builtin_schema("vendor.compose-spec"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_kubernetes_keeps_to_its_schemas(document: dict[str, Any]) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    if document["apiVersion"] != "ray.io/v1":
        kubernetes.validate(document, VERSION, strict=True)
        return
    jsonschema.validate(document["spec"], RAY[document["kind"]])
    templates = list(values(document, "template"))
    assert templates
    for template in templates:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": template["spec"]}
        kubernetes.validate(pod, VERSION, strict=True)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_container_says_what_it_needs(document: dict[str, Any]) -> None:
    for containers in values(document, "containers"):
        for container in containers:
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_every_command_is_one_of_ours() -> None:
    documents = [param.values[0] for param in DOCUMENTS]
    lines = [args for document in documents for args in values(document, "args")]
    lines += [shlex.split(line)[1:] for document in documents for line in values(document, "entrypoint")]
    services = compose()["services"]
    lines += [shlex.split(services[name]["command"]) for name in ("web", "worker")]
    assert len(lines) >= 7
    for line in lines:
        takes(list(line))


def test_every_variable_is_a_setting() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DEPLOY.rglob("*.yaml"))
    for variable in set(re.findall(r"PHRASECHECK_(\w+)", text)):
        group, _, name = variable.lower().partition("__")
        field = Settings.model_fields[group]
        assert name in field.annotation.model_fields, variable  # type: ignore[union-attr]


def test_the_image_installs_extras_that_there_are() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (wanted,) = re.findall(r"'\.\[([\w,]+)\]'", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    assert set(wanted.split(",")) <= set(extras)
