#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether rendered manifests fit together. See test-infra.

Reads objects of one namespace from standard input: what an overlay, the components added to it and
the training beside it make. Schemas do not know what this asks: ports that services, policies and
monitors name are ports of the pods they choose, and an ingress leads to a service; files that
settings name lie in folders that are mounted; who asks a service by its name is let out to it, and
in; and what the server's settings let it hold fits its memory.
"""

import re
import sys

import yaml

WORKLOADS = ("Deployment", "StatefulSet", "CronJob")


class Pod:
    """A template of pods, with the settings that its first container starts with."""

    def __init__(self, item: dict, configurations: dict[str, dict]) -> None:
        spec = item["spec"]
        if item["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        self.name = f"{item['kind']} {item['metadata']['name']}"
        self.labels = spec["template"]["metadata"]["labels"]
        self.spec = spec["template"]["spec"]
        self.containers = self.spec["containers"] + self.spec.get("initContainers", [])
        self.ports = {
            port["name"]: port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
        }
        first = self.spec["containers"][0]
        self.settings: dict[str, str] = {}
        for source in first.get("envFrom", []):
            self.settings |= configurations[source["configMapRef"]["name"]]
        self.settings |= {e["name"]: e["value"] for e in first.get("env", []) if "value" in e}
        self.memory = first.get("resources", {}).get("limits", {}).get("memory")
        self.mounts = [mount["mountPath"] for mount in first.get("volumeMounts", [])]

    def is_chosen(self, selector: dict[str, str]) -> bool:
        """Whether labels have all that a selector names."""
        return selector.items() <= self.labels.items()

    def has_port(self, port: int | str) -> bool:
        """By name it has to be there; a number may be one that no container tells."""
        return isinstance(port, int) or port in self.ports


def chosen(pods: list[Pod], selector: dict[str, str]) -> list[Pod]:
    """The pods that a selector chooses."""
    return [pod for pod in pods if pod.is_chosen(selector)]


def lets_through(policies: list[dict], pod: Pod, way: str, other: Pod, port: int) -> bool:
    """Whether the policies about a pod let it reach (`to`) or be reached by (`from`) another."""
    kind = {"to": "egress", "from": "ingress"}[way]
    about = [
        policy["spec"]
        for policy in policies
        if pod.is_chosen(policy["spec"]["podSelector"].get("matchLabels", {}))
        and kind.capitalize() in policy["spec"]["policyTypes"]
    ]
    target = pod if way == "from" else other
    for rule in (rule for spec in about for rule in spec.get(kind, [])):
        numbers = [target.ports.get(p["port"], p["port"]) for p in rule.get("ports", [])]
        peers = [
            peer["podSelector"].get("matchLabels", {})
            for peer in rule.get(way, [])
            if "podSelector" in peer and "namespaceSelector" not in peer
        ]
        fits = way not in rule or any(other.is_chosen(labels) for labels in peers)
        if fits and (not numbers or port in numbers):
            return True
    return not about


def wrong_ports(items: dict[str, list[dict]], pods: list[Pod]) -> list[str]:
    """Ports that services, ingresses, policies and monitors name, and that are not there."""
    wrong = []
    for service in items["Service"]:
        name = f"Service {service['metadata']['name']}"
        found = chosen(pods, service["spec"]["selector"])
        if not found:
            wrong.append(f"{name} chooses no pod")
        for port in service["spec"]["ports"]:
            for pod in found:
                if not pod.has_port(port["targetPort"]):
                    wrong.append(f"{name} wants port {port['targetPort']}, {pod.name} has none")
    for ingress in items["Ingress"]:
        for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
            wanted = path["backend"]["service"]
            named = [
                port["name"]
                for service in items["Service"]
                if service["metadata"]["name"] == wanted["name"]
                for port in service["spec"]["ports"]
            ]
            if wanted["port"]["name"] not in named:
                wrong.append(f"Ingress wants port {wanted['port']['name']} of {wanted['name']}")
    for policy in items["NetworkPolicy"]:
        for rule in policy["spec"].get("ingress", []):
            for port in rule.get("ports", []):
                for pod in chosen(pods, policy["spec"]["podSelector"].get("matchLabels", {})):
                    if not pod.has_port(port["port"]):
                        name = policy["metadata"]["name"]
                        wrong.append(f"policy {name} allows {port['port']}, {pod.name} has none")
    for monitor in items["ServiceMonitor"]:
        labels = monitor["spec"]["selector"]["matchLabels"]
        services = [
            service
            for service in items["Service"]
            if labels.items() <= service["metadata"].get("labels", {}).items()
        ]
        for endpoint in monitor["spec"]["endpoints"]:
            names = [port["name"] for service in services for port in service["spec"]["ports"]]
            # Twice the same pods would be counted twice.
            if names.count(endpoint["port"]) != 1:
                wrong.append(f"the monitor finds {names.count(endpoint['port'])} services")
    return wrong


def wrong_files(pods: list[Pod]) -> list[str]:
    """Files that settings name where nothing is mounted."""
    return [
        f"{pod.name}: {name}={value}, where nothing is mounted"
        for pod in pods
        for name, value in pod.settings.items()
        if name.startswith("PDM_") and value.startswith("/")
        if not any(f"{value}/".startswith(f"{mount}/") for mount in pod.mounts)
    ]


def wrong_calls(items: dict[str, list[dict]], pods: list[Pod]) -> list[str]:
    """Services that are asked by name and are not there, or cannot be reached."""
    wrong = []
    services = {service["metadata"]["name"]: service for service in items["Service"]}
    calls = [
        (pod, match[1], int(match[2] or 80))
        for pod in pods
        for container in pod.containers
        for argument in container.get("args", [])
        if (match := re.search(r"http://([a-z0-9-]+)(?::(\d+))?/", argument))
    ]
    for pod, name, number in calls:
        ports = services[name]["spec"]["ports"] if name in services else []
        port = next((port for port in ports if port["port"] == number), None)
        if port is None:
            wrong.append(f"{pod.name} asks {name}:{number}, which is not there")
            continue
        for other in chosen(pods, services[name]["spec"]["selector"]):
            target = other.ports.get(port["targetPort"], port["targetPort"])
            if not lets_through(items["NetworkPolicy"], pod, "to", other, target):
                wrong.append(f"{pod.name} is not let out to {other.name}, port {target}")
            if not lets_through(items["NetworkPolicy"], other, "from", pod, target):
                wrong.append(f"{other.name} does not let {pod.name} in, port {target}")
    return wrong


def byte_count(quantity: str) -> int:
    """The bytes of a memory quantity in the binary units that the manifests use."""
    number, unit = quantity[:-2], quantity[-2:]
    return int(number) << {"Ki": 10, "Mi": 20, "Gi": 30}[unit]


def wrong_memory(pods: list[Pod]) -> list[str]:
    """Servers whose bounds together are more than their memory. See docs/operating.md."""
    wrong = []
    for pod in pods:
        if "PDM_MACHINES_MAX" not in pod.settings:
            continue

        def setting(name: str, pod: Pod = pod) -> int:
            return int(pod.settings[f"PDM_{name}"])

        needed = 17_000_000 + 4200 * setting("MACHINES_MAX")
        # TLS has a buffer for each direction, as the server has.
        needed += 65_536 * setting("CONNECTIONS_MAX")
        needed += setting("BATCH_BYTES_PENDING_MAX") * 5 // 4 + setting("BODY_BYTES_PENDING_MAX")
        needed += 2 * setting("EVENT_LOOPS") * setting("ANSWER_BYTES_PENDING_MAX")
        needed += 60_000 * setting("EVENT_LOOPS") * setting("DECODED_STREAMS_MAX")
        if needed > byte_count(pod.memory):
            wrong.append(f"{pod.name} may hold {needed >> 20} Mi, of {pod.memory}")
    return wrong


def main() -> int:
    """Prints what does not fit; status 1 if anything does not."""
    objects = [item for item in yaml.safe_load_all(sys.stdin) if item]
    kinds = {item["kind"] for item in objects}
    kinds |= {"Service", "Ingress", "NetworkPolicy", "ServiceMonitor"}
    items = {kind: [item for item in objects if item["kind"] == kind] for kind in kinds}
    configurations = {item["metadata"]["name"]: item["data"] for item in items["ConfigMap"]}
    pods = [Pod(item, configurations) for item in objects if item["kind"] in WORKLOADS]
    wrong = wrong_ports(items, pods) + wrong_files(pods) + wrong_calls(items, pods)
    wrong += wrong_memory(pods)
    print("".join(f"{line}\n" for line in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
