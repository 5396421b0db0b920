"""Reading a synthesized cloud assembly: resources by type, functions by name, and where their code lies on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    directory: Path
    template: dict[str, Any]

    @classmethod
    def read(cls, directory: Path) -> Assembly:
        """Read the stack that holds the functions; the others are asked for by their suffix."""
        return cls(directory, _template(directory, ""))

    def other(self, suffix: str) -> Assembly:
        """Return the same assembly with the template of another stack, such as ``edge``."""
        return Assembly(self.directory, _template(self.directory, f"-{suffix}"))

    def of_type(self, kind: str) -> dict[str, Resource]:
        """Return the resources of a CloudFormation type, by logical id."""
        return {name: resource for name, resource in self.template["Resources"].items() if resource["Type"] == kind}

    def functions(self) -> dict[str, Resource]:
        """Return our functions, by the name in their handler string; CDK's own helper function has no such handler."""
        ours = {}
        for resource in self.of_type("AWS::Lambda::Function").values():
            package, _, rest = resource["Properties"]["Handler"].partition(".")
            if package == "functions":
                ours[rest.removesuffix(".handler.handler")] = resource
        return ours

    def logical_id(self, function: str) -> str:
        resource = self.functions()[function]
        (name,) = (name for name, other in self.of_type("AWS::Lambda::Function").items() if other is resource)
        return name

    def environment(self, function: str) -> dict[str, Any]:
        variables: dict[str, Any] = self.functions()[function]["Properties"].get("Environment", {}).get("Variables", {})
        return variables

    def statements(self, function: str) -> list[dict[str, Any]]:
        """Return every statement of the policies on the function's role: its own, and those that were attached."""
        role = self.functions()[function]["Properties"]["Role"]["Fn::GetAtt"][0]
        attached = [
            policy["Properties"]["PolicyDocument"]
            for policy in self.of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
        ]
        own = [policy["PolicyDocument"] for policy in self.of_type("AWS::IAM::Role")[role]["Properties"]["Policies"]]
        return [statement for document in [*own, *attached] for statement in document["Statement"]]

    def called(self, function: str) -> dict[str, str]:
        """Return the reference by which whoever calls a function names it: its alias."""
        (alias,) = (
            name
            for name, alias in self.of_type("AWS::Lambda::Alias").items()
            if alias["Properties"]["FunctionName"] == {"Ref": self.logical_id(function)}
        )
        return {"Ref": alias}

    def resources_allowed(self, function: str, action: str) -> list[Any]:
        return [
            resource
            for statement in self.statements(function)
            if action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]

    def function_asset(self, function: str) -> Path:
        return self._asset(self.functions()[function]["Properties"]["Code"])

    def layer_asset(self, name: str) -> Path:
        (layer,) = (
            layer
            for key, layer in self.of_type("AWS::Lambda::LayerVersion").items()
            if key.startswith(f"Functions{name}")
        )
        return self._asset(layer["Properties"]["Content"])

    def _asset(self, code: dict[str, Any]) -> Path:
        return self.directory / f"asset.{Path(code['S3Key']).stem}"


def _template(directory: Path, suffix: str) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((directory / f"keywright-staging{suffix}.template.json").read_text())
    return template


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
