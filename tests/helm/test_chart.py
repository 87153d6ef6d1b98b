# SPDX-License-Identifier: Apache-2.0
"""The chart: what it makes, under which names, and what it refuses."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from mec.common.settings import load as load_mec
from mec.meo.settings import from_mapping as meo_settings
from mec.proxy.schemas import mec_info
from submgr.platform.config.schema import Key, Section
from submgr.rmr.environment import read_environment
from submgr.rmr.routing.reader import parse_routes
from submgr.settings.loader import load
from submgr.settings.model import SCHEMA, TOKEN_VARIABLE

VALUE_SETS = ["default", "recipe", "everything", "elsewhere", "pair", "replicas"]
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
"""Kinds that Kubernetes itself has no schema of."""
ALWAYS = {
    ("Deployment", "deployment-ricplt-submgr"),
    ("Service", "service-ricplt-submgr-http"),
    ("Service", "service-ricplt-submgr-rmr"),
    ("ConfigMap", "submgrcfg"),
    ("ConfigMap", "configmap-ricplt-submgr-env"),
}
BY_DEFAULT = {
    ("Secret", "secret-ricplt-submgr-debug"),
    ("NetworkPolicy", "networkpolicy-ricplt-submgr"),
    ("PodDisruptionBudget", "pdb-ricplt-submgr"),
}
ON_DEMAND = {
    ("Secret", "secret-ricplt-submgr-mec"),
    ("Service", "service-ricplt-mec-http"),
    ("ServiceMonitor", "servicemonitor-ricplt-submgr"),
    ("PrometheusRule", "prometheusrule-ricplt-submgr"),
    ("ConfigMap", "configmap-ricplt-submgr-dashboard"),
}


def pod_of(manifests: dict[tuple[str, str], Any], namespace: str = "ricplt") -> dict[str, Any]:
    template: dict[str, Any] = manifests["Deployment", f"deployment-{namespace}-submgr"]["spec"]["template"]
    return template


def loaded(manifests: dict[tuple[str, str], Any]) -> Any:
    return load(manifests["ConfigMap", "submgrcfg"]["data"]["submgrcfg"], {TOKEN_VARIABLE: "a token"})


@pytest.mark.parametrize("values", VALUE_SETS)
def test_helm_has_nothing_to_say(chart, values):
    report = chart.helm.lint(chart.path, chart.values(values), strict=True, namespace="ricplt")
    assert report["errors"] == []
    assert [message["error"] for message in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", ["1.25", "1.37"])
@pytest.mark.parametrize("values", VALUE_SETS)
def test_kubernetes_would_take_it(chart, values, version):
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    kinds = set()
    for (kind, _), manifest in chart.render(values).items():
        kinds.add(kind)
        if kind not in CUSTOM:
            kubernetes_validate.validate(manifest, version, strict=True)
    assert {"Deployment", "Service", "ConfigMap"} <= kinds


def test_the_names_are_those_in_use(chart):
    assert set(chart.render()) == ALWAYS | BY_DEFAULT
    assert set(chart.render("everything")) == ALWAYS | BY_DEFAULT | ON_DEMAND
    for manifest in chart.render("everything").values():
        assert manifest["metadata"]["namespace"] == "ricplt"


def test_names_follow_the_platforms_namespace(chart):
    manifests = chart.render("elsewhere")
    assert set(manifests) == {(kind, name.replace("ricplt", "lab")) for kind, name in ALWAYS}
    assert {manifest["metadata"]["namespace"] for manifest in manifests.values()} == {"lab"}
    env = manifests["ConfigMap", "configmap-lab-submgr-env"]["data"]
    assert env["RMR_SRC_ID"] == "service-lab-submgr-rmr.lab"
    assert loaded(manifests).rtmgr.host == "service-lab-rtmgr-http"
    (container,) = pod_of(manifests, "lab")["spec"]["containers"]
    assert container["envFrom"][1]["configMapRef"]["name"] == "configmap-lab-dbaas-appconfig"


def test_one_pod_at_a_time_under_its_old_names(chart):
    deployment = chart.render()["Deployment", "deployment-ricplt-submgr"]["spec"]
    assert deployment["replicas"] == 1
    assert deployment["strategy"] == {"type": "Recreate", "rollingUpdate": None}
    assert deployment["selector"]["matchLabels"] == {"app": "ricplt-submgr", "release": "r4-submgr"}
    assert deployment["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()
    pod = deployment["template"]["spec"]
    assert pod["hostname"] == "submgr"
    (container,) = pod["containers"]
    assert container["name"] == "container-ricplt-submgr"
    assert (container["command"], container["args"]) == (["/submgr"], ["-f", "/cfg/submgr-config.yaml"])
    assert [source["configMapRef"]["name"] for source in container["envFrom"]] == [
        "configmap-ricplt-submgr-env",
        "configmap-ricplt-dbaas-appconfig",
    ]


def test_two_pods_are_an_active_one_and_its_standby(chart):
    manifests = chart.render("pair")
    deployment = manifests["Deployment", "deployment-ricplt-submgr"]["spec"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    pod = deployment["template"]["spec"]
    assert "hostname" not in pod
    (apart,) = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert apart["podAffinityTerm"]["labelSelector"]["matchLabels"] == deployment["selector"]["matchLabels"]
    assert apart["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    (container,) = pod["containers"]
    fields = {
        each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"] for each in container["env"] if "POD" in each["name"]
    }
    assert fields == {"POD_NAME": "metadata.name", "POD_IP": "status.podIP"}
    assert container["readinessProbe"]["periodSeconds"] == 1
    assert container["readinessProbe"]["httpGet"]["path"] == "ric/v1/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "ric/v1/health/alive"
    assert ("PodDisruptionBudget", "pdb-ricplt-submgr") in manifests
    for service in ("service-ricplt-submgr-http", "service-ricplt-submgr-rmr"):
        assert "publishNotReadyAddresses" not in manifests["Service", service]["spec"]
    ha = loaded(manifests).ha
    assert (ha.enabled, ha.lease, ha.identity) == (True, 5.0, "")


def test_one_pod_has_no_standby(chart):
    manifests = chart.render()
    assert not loaded(manifests).ha.enabled
    assert "affinity" not in pod_of(manifests)["spec"]


def test_who_says_where_two_pods_go_is_heeded(chart):
    mine = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}
    assert pod_of(chart.render({"submgr": {"replicas": 2, "affinity": mine}}))["spec"]["affinity"] == mine


@pytest.mark.parametrize(
    ("service", "ports"),
    [
        ("service-ricplt-submgr-http", {8088: 8088, 8080: 8080, 3800: 8080}),
        ("service-ricplt-submgr-rmr", {4560: 4560, 4561: 4561}),
    ],
)
def test_services_are_headless_and_lead_to_the_right_ports(chart, service, ports):
    manifests = chart.render()
    spec = manifests["Service", service]["spec"]
    (container,) = pod_of(manifests)["spec"]["containers"]
    listening = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert spec["clusterIP"] == "None"
    assert {port["port"]: listening[port["targetPort"]] for port in spec["ports"]} == ports
    assert spec["selector"] == {"app": "ricplt-submgr", "release": "r4-submgr"}
    names = [port["name"] for port in spec["ports"]]
    assert len(set(names)) == len(names)


def test_environment_is_what_the_rmr_layer_understands(chart):
    env = chart.render()["ConfigMap", "configmap-ricplt-submgr-env"]["data"]
    assert env == {
        "RMR_RTG_SVC": "service-ricplt-rtmgr-rmr:4560",
        "RMR_SRC_ID": "service-ricplt-submgr-rmr.ricplt",
        "CFG_FILE": "/cfg/submgr-config.yaml",
        "RMR_SEED_RT": "/cfg/submgr-uta-rtg.rt",
        "SUBMGR_SEED_SN": "1",
    }
    rmr = read_environment(env)
    assert (rmr.control_port, rmr.manager) == (4561, "service-ricplt-rtmgr-rmr:4560")
    assert rmr.source == "service-ricplt-submgr-rmr.ricplt"


def test_what_is_mounted_is_what_is_read(chart):
    manifests = chart.render()
    pod = pod_of(manifests)["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts.keys() == volumes.keys()
    items = volumes["config-volume"]["configMap"]["items"]
    files = {f"{mounts['config-volume']}/{item['path']}": item["key"] for item in items}
    assert files == {"/cfg/submgr-config.yaml": "submgrcfg", "/cfg/submgr-uta-rtg.rt": "submgrutartg"}
    assert set(files.values()) == manifests["ConfigMap", "submgrcfg"]["data"].keys()
    assert "subPath" not in json.dumps(container["volumeMounts"])
    stash = {variable["name"]: variable.get("value") for variable in container["env"]}["RMR_STASH_RT"]
    assert stash.startswith(f"{mounts['tmp']}/")
    assert "emptyDir" in volumes["tmp"]


def test_probes(chart):
    (container,) = pod_of(chart.render())["spec"]["containers"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": "ric/v1/health/alive",
        "liveness": "ric/v1/health/alive",
        "readiness": "ric/v1/health/ready",
    }
    for name in ("liveness", "readiness"):
        probe = container[f"{name}Probe"]
        assert (probe["httpGet"]["port"], probe["initialDelaySeconds"], probe["periodSeconds"]) == (8080, 5, 15)


@pytest.mark.parametrize("values", VALUE_SETS)
def test_the_pod_may_do_nothing(chart, values):
    pod = pod_of(chart.render(values), "lab" if values == "elsewhere" else "ricplt")["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


# --- configuration


@pytest.mark.parametrize("values", VALUE_SETS)
def test_the_daemon_takes_the_configuration_without_a_word(chart, values):
    settings = loaded(chart.render(values))
    assert settings.warnings == ()
    assert settings.subscription.listen == ":8088"
    assert settings.local.listen == ":8080"
    assert settings.rmr.port == 4560


def test_the_defaults_are_the_daemons_but_for_the_debug_token_and_what_peers_may_have_it_connect_to(chart):
    shown = dict(loaded(chart.render()).shown)
    expected = dict(load("", {}).shown)
    assert shown.pop("debug") == {
        "write": "token",
        "token": "a token",
        "tokenFile": "",
        "origins": [],
        "strictOctets": False,
    }
    expected.pop("debug")
    assert expected.pop("outbound") == {"allow": [], "deny": []}
    assert len(shown.pop("outbound")["deny"]) == 6
    assert shown == expected


def test_every_value_reaches_the_daemon(chart):
    values = chart.values("everything")["submgr"]
    settings = loaded(chart.render("everything"))
    shown = settings.shown
    for section, members in values["config"].items():
        for name, value in members.items():
            got = shown[section][name]
            if isinstance(got, bool):
                value = str(value).lower() in ("true", "1")
            if isinstance(got, dict):
                got = {str(key): entry for key, entry in got.items()}
            assert got == value, f"{section}.{name}"
    assert len(values["config"]["controls"]) == len(section_of("controls").members)
    assert shown["debug"]["strictOctets"] is True
    mec = dict(shown["mec"])
    assert mec.pop("dataFile") == "/mec/data.json"
    assert (mec["enabled"], mec["host"], mec["network"], mec["mecId"]) == (True, ":8000", "foreign", 7)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "::1",
        "169.254.169.254",
        "fe80::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "0.0.0.0",
        "::",
    ],
)
def test_peers_cannot_have_the_pod_connect_to_itself_or_to_its_node(chart, address):
    rules = loaded(chart.render()).outbound.rules()
    assert rules.refusal("xapp.example", address) is not None
    assert rules.refusal("xapp.example", "10.244.0.7") is None


def section_of(name: str) -> Section:
    (section,) = (member for member in SCHEMA.members if isinstance(member, Section) and member.name == name)
    return section


@pytest.mark.parametrize("name", ["controls", "subscription", "logger", "rmr", "rtmgr", "outbound", "metrics"])
def test_values_and_their_schema_know_the_daemons_settings(chart, name):
    fixed = {("subscription", "host"), ("rmr", "protPort")}
    names = {member.name for member in section_of(name).members if (name, member.name) not in fixed}
    schema = json.loads((chart.path / "values.schema.json").read_text())
    assert schema["properties"]["submgr"]["properties"]["config"]["properties"][name]["properties"].keys() == names
    values = yaml.safe_load((chart.path / "values.yaml").read_text())
    assert values["submgr"]["config"][name].keys() == names


def test_the_schema_has_the_daemons_bounds(chart):
    """The daemon takes the bounds and nothing beyond them."""
    schema = json.loads((chart.path / "values.schema.json").read_text())
    sections = schema["properties"]["submgr"]["properties"]["config"]["properties"]
    checked = 0
    for section, described in sections.items():
        keys = {member.name: member for member in section_of(section).members if isinstance(member, Key)}
        for name, kind in described["properties"].items():
            for bound, beyond in (("minimum", -1), ("maximum", 1)):
                if bound in kind:
                    keys[name].kind(kind[bound])
                    with pytest.raises(ValueError, match="is not between"):
                        keys[name].kind(kind[bound] + beyond)
                    checked += 1
    assert checked >= 30


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"submgr": {"config": {"controls": {"e2tSubReqTimout_ms": 1}}}}, "e2tSubReqTimout_ms"),
        ({"submgr": {"config": {"controls": {"onE2Loss": "forget"}}}}, "onE2Loss"),
        ({"submgr": {"config": {"outbound": {"deny": "127.0.0.0/8"}}}}, "outbound"),
        ({"submgr": {"config": {"controls": {"e2tMaxSubReqTryCount": 0}}}}, "e2tMaxSubReqTryCount"),
        ({"submgr": {"config": {"controls": {"checkE2State": "yes please"}}}}, "checkE2State"),
        ({"submgr": {"replicas": 3}}, "replicas"),
        ({"submgr": {"image": {"tagg": "1"}}}, "tagg"),
        ({"submgr": {"debug": {"write": "opne"}}}, "write"),
        ({"submgr": {"networkPolicy": {"xappNamespace": ["a"]}}}, "xappNamespace"),
        ({"submgr": {"mec": {"enabeld": True}}}, "enabeld"),
        ({"submgr": {"seedRoutes": "newrt|start"}}, "seedRoutes"),
        ({"submgr": {"labels": {"app": "other"}}}, "'app'"),
        ({"sbmgr": {}}, "sbmgr"),
    ],
)
def test_a_mistake_in_values_is_an_error_that_names_it(chart, values, words):
    with pytest.raises(chart.helm.HelmError, match=words):
        chart.render(values)


@pytest.mark.parametrize("values", VALUE_SETS)
def test_the_route_table_is_complete(chart, values):
    table = parse_routes(chart.render(values)["ConfigMap", "submgrcfg"]["data"]["submgrutartg"], frozenset())
    assert sorted(mtype for _, mtype in table.routes) == ([12010, 12020] if values == "everything" else [])


def test_what_the_daemon_takes_while_it_runs_does_not_restart_it(chart):
    def restarts_with(values: dict[str, Any]) -> str:
        return str(pod_of(chart.render({"submgr": values}))["metadata"]["annotations"]["checksum/restarts-with"])

    def checksum(section: str, name: str, value: Any) -> str:
        return restarts_with({"config": {section: {name: value}}})

    def with_meo(**settings: Any) -> str:
        return restarts_with({"mec": {"enabled": True, "meo": settings}})

    default = checksum("logger", "level", 3)
    assert with_meo() != default
    assert with_meo(period=5, adminToken="t") == with_meo()
    assert with_meo(seed=7) != with_meo()
    assert checksum("logger", "level", 4) == default
    assert checksum("controls", "onE2Loss", "restore") == default
    assert checksum("outbound", "deny", []) == default
    assert checksum("rtmgr", "port", 3801) != default
    other = pod_of(chart.render("everything"))["metadata"]["annotations"]["checksum/restarts-with"]
    assert other != default


# --- image, scraping, secret


def test_image(chart):
    def image(values: Any) -> tuple[str, str]:
        (container,) = pod_of(chart.render(values))["spec"]["containers"]
        return container["image"], container["imagePullPolicy"]

    assert image("default") == ("ric-submgr:1.0.0", "IfNotPresent")
    assert image("recipe") == ("registry.example:10004/ric-submgr:1.2.3", "Always")
    assert image("everything") == ("registry.example/ric/ric-submgr:9.9.9", "IfNotPresent")


@pytest.mark.parametrize("name", ["ric-plt-submgr", "o-ran-sc/ric-plt-submgr", "ric-plt-submgr:0.9.5"])
def test_the_image_of_the_go_implementation_is_refused_in_words(chart, name: str):
    """Recipes of the platform name it: it would start with settings that it does not know."""
    registry = "nexus3.o-ran-sc.org:10002/o-ran-sc"
    with pytest.raises(Exception, match="the image of the Go Subscription Manager") as refused:
        chart.render({"submgr": {"image": {"registry": registry, "name": name, "tag": "0.9.5"}}})
    assert name in str(refused.value)
    assert "--set submgr.image.name=ric-submgr" in str(refused.value)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, []),
        # as ric-common's common.dockerregistry.credential names it
        ({"common": {"localregistry": "nexus3.o-ran-sc.org:10002/o-ran-sc"}}, ["nexus3-o-ran-sc-org-10002-o-ran-sc"]),
        ({"submgr": {"image": {"registry": "registry.example/ric"}}}, ["registry-example-ric"]),
        (
            {"submgr": {"image": {"registry": "r.x"}, "imagePullSecrets": ["secret-a", {"name": "secret-b"}]}},
            ["a", "b"],
        ),
    ],
)
def test_pull_secrets_are_named_as_those_of_the_original(chart, values: dict[str, Any], names: list[str]):
    pod = chart.render(values)["Deployment", "deployment-ricplt-submgr"]["spec"]["template"]["spec"]
    assert [each["name"] for each in pod.get("imagePullSecrets", [])] == [f"secret-{name}" for name in names]


def test_scraping_by_annotation_or_service_monitor(chart):
    manifests = chart.render("everything")
    annotations = pod_of(manifests)["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == "/ric/v1/metrics"
    assert (annotations["prometheus.io/scrape"], annotations["prometheus.io/port"]) == ("true", "8080")
    assert annotations["example.com/team"] == "ran"
    monitor = manifests["ServiceMonitor", "servicemonitor-ricplt-submgr"]
    assert monitor["metadata"]["labels"]["release"]
    (endpoint,) = monitor["spec"]["endpoints"]
    chosen = [
        service
        for (kind, _), service in manifests.items()
        if kind == "Service"
        and monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        and endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    ]
    assert [service["metadata"]["name"] for service in chosen] == ["service-ricplt-submgr-http"]
    assert "prometheus.io/scrape" not in pod_of(chart.render("elsewhere"), "lab")["metadata"]["annotations"]


def test_annotations_as_a_text_too(chart):
    """The chart that this one replaces takes nothing else."""
    for given in ({"a": "b", "c": "d"}, "a: b\nc: d"):
        found = pod_of(chart.render({"submgr": {"annotations": given}}))["metadata"]["annotations"]
        assert (found["a"], found["c"]) == ("b", "d")


def test_debug_token(chart):
    def token(values: Any) -> bytes:
        return base64.b64decode(chart.render(values)["Secret", "secret-ricplt-submgr-debug"]["data"]["token"])

    def wanted(values: Any) -> Any:
        (container,) = pod_of(chart.render(values))["spec"]["containers"]
        return [v["valueFrom"]["secretKeyRef"] for v in container["env"] if v["name"] == TOKEN_VARIABLE]

    assert token("everything") == b"a token"
    assert len(token({})) == 40
    assert token({}) != token({})
    assert wanted({}) == [{"name": "secret-ricplt-submgr-debug", "key": "token"}]
    own = {"submgr": {"debug": {"existingSecret": "mine"}}}
    assert wanted(own) == [{"name": "mine", "key": "token"}]
    assert "Secret" not in {kind for kind, _ in chart.render(own)}
    for write in ("open", "off"):
        values = {"submgr": {"debug": {"write": write}}}
        assert wanted(values) == []
        assert "Secret" not in {kind for kind, _ in chart.render(values)}
        assert loaded(chart.render(values)).debug.write == write


# --- who may reach what


def reaches(manifests: dict[tuple[str, str], Any], port: str, namespace: str) -> bool:
    """What a NetworkPolicy comes to for a pod of another namespace (there are no pod selectors in ours)."""
    policy = manifests["NetworkPolicy", "networkpolicy-ricplt-submgr"]["spec"]
    for rule in policy["ingress"]:
        if port not in [one["port"] for one in rule["ports"]]:
            continue
        if "from" not in rule:
            return True
        for peer in rule["from"]:
            for expression in peer.get("namespaceSelector", {}).get("matchExpressions", []):
                assert (expression["key"], expression["operator"]) == ("kubernetes.io/metadata.name", "In")
                if namespace in expression["values"]:
                    return True
    return False


@pytest.mark.parametrize(
    ("namespace", "ports"),
    [
        ("ricplt", {"subscription", "http", "rmrdata", "rmrroute"}),
        ("ricxapp", {"subscription", "rmrdata"}),
        ("ricinfra", {"http"}),
        ("monitoring", {"http"}),
        ("default", set()),
    ],
)
def test_network_policy(chart, namespace, ports):
    manifests = chart.render()
    policy = manifests["NetworkPolicy", "networkpolicy-ricplt-submgr"]["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["podSelector"]["matchLabels"] == {"app": "ricplt-submgr", "release": "r4-submgr"}
    (container,) = pod_of(manifests)["spec"]["containers"]
    assert {port["name"] for port in container["ports"] if reaches(manifests, port["name"], namespace)} == ports


def test_network_policy_with_further_peers(chart):
    manifests = chart.render("everything")
    assert reaches(manifests, "subscription", "more-xapps")
    assert not reaches(manifests, "rmrroute", "more-xapps")
    assert not reaches(manifests, "mec", "ricxapp")
    rules = manifests["NetworkPolicy", "networkpolicy-ricplt-submgr"]["spec"]["ingress"]
    operators = {rule["ports"][0]["port"] for rule in rules if {"ipBlock": {"cidr": "10.1.0.0/16"}} in rule["from"]}
    assert operators == {"subscription", "http"}
    assert reaches(chart.render({"submgr": {"mec": {"enabled": True}}}), "mec", "anywhere")


def test_mec(chart):
    manifests = chart.render("everything")
    spec = manifests["Service", "service-ricplt-mec-http"]["spec"]
    assert spec["type"] == "NodePort"
    assert [(port["port"], port["targetPort"]) for port in spec["ports"]] == [(8000, "mec")]
    pod = pod_of(manifests)["spec"]
    assert {"name": "mec", "containerPort": 8000, "protocol": "TCP"} in pod["containers"][0]["ports"]
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == "mec-data")
    assert volume["secret"]["secretName"] == "mec-users"
    assert {"name": "mec-data", "mountPath": "/mec", "readOnly": True} in pod["containers"][0]["volumeMounts"]
    assert "mec" not in chart.render()["ConfigMap", "submgrcfg"]["data"]["submgrcfg"]


def test_replicas_of_mec_are_a_deployment_of_their_own(chart):
    manifests = chart.render("replicas")
    deployment = manifests["Deployment", "deployment-ricplt-mec"]["spec"]
    assert (deployment["replicas"], deployment["strategy"]["type"]) == (3, "RollingUpdate")
    labels = deployment["template"]["metadata"]["labels"]
    selector = {"app": "ricplt-mec", "release": "r4-submgr"}
    assert deployment["selector"]["matchLabels"] == selector and selector.items() <= labels.items()
    for kind, name, path in (
        ("Service", "service-ricplt-mec-http", ["selector"]),
        ("PodDisruptionBudget", "pdb-ricplt-mec", ["selector", "matchLabels"]),
        ("NetworkPolicy", "networkpolicy-ricplt-mec", ["podSelector", "matchLabels"]),
        ("ServiceMonitor", "servicemonitor-ricplt-mec", ["selector", "matchLabels"]),
    ):
        found = manifests[kind, name]["spec"]
        for step in path:
            found = found[step]
        assert found == selector, kind
    assert selector.items() <= manifests["Service", "service-ricplt-mec-http"]["metadata"]["labels"].items()
    (term,) = deployment["template"]["spec"]["affinity"]["podAntiAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    assert term["podAffinityTerm"]["labelSelector"]["matchLabels"] == selector


def test_replicas_of_mec_are_told_what_they_need(chart):
    manifests = chart.render("replicas")
    pod = manifests["Deployment", "deployment-ricplt-mec"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (container["command"], container["args"]) == (["mec"], ["manager", "-f", "/cfg/mec-config.yaml"])
    fields = {each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"] for each in container["env"]}
    assert fields == {"POD_NAME": "metadata.name", "POD_IP": "status.podIP"}
    assert container["envFrom"][0]["configMapRef"]["name"] == "configmap-ricplt-dbaas-appconfig"
    assert container["readinessProbe"]["httpGet"] == {"path": "health/ready", "port": 8000, "scheme": "HTTPS"}
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounts == {
        "config-volume": "/cfg", "tmp": "/tmp", "tls": "/tls", "mec-data": "/mec", "mec-tokens": "/mec-tokens",
        "mec-credentials": "/mec-credentials",
    }  # fmt: skip
    assert {each["name"] for each in pod["volumes"]} == mounts.keys()
    assert pod["serviceAccountName"] == "meo"
    text = manifests["ConfigMap", "configmap-ricplt-mec"]["data"]["mec-config"]
    read = load_mec(text)
    assert read.warnings == () and read.sdl_backend == "redis"
    assert (read.mec.replicas, read.mec.lease, read.mec.host, read.mec.mec_id) == (3, 5.0, ":8000", 5)
    assert (read.mec.data_file, read.mec.replica_name) == ("/mec/data.json", "service-ricplt-mec-http.ricplt")
    assert (read.tls.certificate, read.tls.client_ca, read.tls.ca) == ("/tls/tls.crt", "/tls/ca.crt", "/tls/ca.crt")
    assert read.tls.own_certificate == "/tls/tls.crt" and "127.0.0.0/8" in text
    assert meo_settings(read.meo).admin_token_file == "/mec-tokens/adminToken"


def test_with_replicas_of_mec_the_daemon_has_none(chart):
    manifests = chart.render("replicas")
    pod = pod_of(manifests)["spec"]
    assert not {each["name"] for each in pod["volumes"]} & {"mec-data", "mec-tokens", "mec-credentials"}
    assert "mec" not in {each["name"] for each in pod["containers"][0]["ports"]}
    assert "serviceAccountName" not in pod
    assert "mec:" not in manifests["ConfigMap", "submgrcfg"]["data"]["submgrcfg"]
    assert not reaches(manifests, "mec", "anywhere")
    alone = chart.render({"submgr": {"mec": {"enabled": True}}})
    assert not [name for _, name in alone if name.endswith("ricplt-mec")]
    assert load_mec(alone["ConfigMap", "submgrcfg"]["data"]["submgrcfg"]).mec.replicas == 1
    off = chart.render({"submgr": {"mec": {"enabled": False, "replicas": 3}}})
    assert not [name for _, name in off if "mec" in name]


def test_replicas_of_mec_reach_each_other_and_restart_with_what_they_read(chart):
    def rendered(**mec: Any) -> Any:
        given = {"enabled": True, "replicas": 3, **mec}
        return chart.render({"submgr": {"mec": given}})

    (rule,) = chart.render("replicas")["NetworkPolicy", "networkpolicy-ricplt-mec"]["spec"]["ingress"]
    own = {"app": "ricplt-mec", "release": "r4-submgr"}
    assert {"podSelector": {"matchLabels": own}} in rule["from"]
    assert {"ipBlock": {"cidr": "10.2.0.0/16"}} in rule["from"]
    (open_rule,) = rendered()["NetworkPolicy", "networkpolicy-ricplt-mec"]["spec"]["ingress"]
    assert "from" not in open_rule

    def checksum(**mec: Any) -> str:
        template = rendered(**mec)["Deployment", "deployment-ricplt-mec"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/restarts-with"])

    assert checksum(meo={"maxLoad": 0.5}) == checksum()
    assert checksum(meo={"seed": 1}) != checksum()
    assert checksum(usersTtl=5) != checksum()


def test_the_proxy_between_mecs_runs_as_often(chart):
    manifests = chart.render("replicas")
    deployment = manifests["Deployment", "deployment-ricplt-mec-proxy"]["spec"]
    assert deployment["replicas"] == 3
    selector = {"app": "ricplt-mec-proxy", "release": "r4-submgr"}
    assert deployment["selector"]["matchLabels"] == selector
    assert manifests["Service", "service-ricplt-mec-proxy-http"]["spec"]["selector"] == selector
    assert manifests["PodDisruptionBudget", "pdb-ricplt-mec-proxy"]["spec"]["selector"]["matchLabels"] == selector
    (container,) = deployment["template"]["spec"]["containers"]
    assert container["command"] == ["mec"] and container["args"][0] == "proxy"
    data = manifests["ConfigMap", "configmap-ricplt-mec-proxy"]["data"]
    assert sorted(mec_info(data["mecInfo"])) == [5, 9]
    assert load_mec(data["config"]).tls.own_certificate == "/tls/tls.crt"
    mec = load_mec(manifests["ConfigMap", "configmap-ricplt-mec"]["data"]["mec-config"]).mec
    assert mec.proxy_url == "https://service-ricplt-mec-proxy-http.ricplt:5000"
    given = {"enabled": True, "proxyUrl": "http://proxy:1", "proxy": {"enabled": True}}
    own = chart.render({"submgr": {"mec": given}})
    assert own["Deployment", "deployment-ricplt-mec-proxy"]["spec"]["replicas"] == 1
    assert load_mec(own["ConfigMap", "submgrcfg"]["data"]["submgrcfg"]).mec.proxy_url == "http://proxy:1"
    assert "from" not in own["NetworkPolicy", "networkpolicy-ricplt-mec-proxy"]["spec"]["ingress"][0]
    with pytest.raises(Exception, match="managerAmsUrl"):
        chart.render({"submgr": {"mec": {"enabled": True, "proxy": {"mecs": [{"id": 5}]}}}})


@pytest.mark.parametrize("replicas", [0, -1, 1.5, "3"])
def test_what_is_no_number_of_replicas(chart, replicas):
    with pytest.raises(Exception, match="replicas"):
        chart.render({"submgr": {"mec": {"enabled": True, "replicas": replicas}}})


def test_mec_and_the_cluster_it_runs_in(chart):
    meo = {"period": 5, "drivers": {"edge": "kubernetes"}, "adminToken": "t"}
    mec = {"enabled": True, "serviceAccount": "meo", "meo": meo}
    manifests = chart.render({"submgr": {"mec": mec}})
    pod = pod_of(manifests)["spec"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("meo", True)
    read = load_mec(manifests["ConfigMap", "submgrcfg"]["data"]["submgrcfg"])
    assert (read.mec.enabled, read.mec.host, read.mec.mec_id) == (True, ":8000", 5)
    assert meo_settings(read.meo).period == 5
    assert read.warnings == ()


@pytest.mark.parametrize(
    "acts",
    [{"serviceAccount": "meo"}, {"credentials": {"secret": "platforms"}}, {"meo": {"drivers": {"edge": "kubernetes"}}}],
)
def test_an_orchestrator_that_acts_on_a_cluster_wants_a_token(chart, acts):
    with pytest.raises(Exception, match="adminToken"):
        chart.render({"submgr": {"mec": {"enabled": True, **acts}}})
    chart.render({"submgr": {"mec": {"enabled": False, **acts}}})
    chart.render({"submgr": {"mec": {"enabled": True, **acts, "tokens": {"secret": "mine"}}}})


def test_tokens_and_credentials_of_mec_are_in_secrets_only(chart):
    meo = {"adminToken": "admin-secret", "deviceTokens": ["one-secret", "two-secret"]}
    manifests = chart.render({"submgr": {"mec": {"enabled": True, "meo": meo}}})
    assert "-secret" not in manifests["ConfigMap", "submgrcfg"]["data"]["submgrcfg"]
    data = manifests["Secret", "secret-ricplt-submgr-mec"]["data"]
    assert {key: base64.b64decode(value) for key, value in data.items()} == {
        "adminToken": b"admin-secret",
        "deviceTokens": b"one-secret\ntwo-secret",
    }
    own = {"tokens": {"secret": "mine", "deviceTokens": True}, "credentials": {"secret": "platforms"}}
    for mec, secrets in (({"meo": meo}, {"mec-tokens": "secret-ricplt-submgr-mec"}),
                         (own, {"mec-tokens": "mine", "mec-credentials": "platforms"})):  # fmt: skip
        manifests = chart.render({"submgr": {"mec": {"enabled": True, **mec}}})
        pod = pod_of(manifests)["spec"]
        volumes = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
        mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
        assert volumes == secrets
        settings = meo_settings(load_mec(manifests["ConfigMap", "submgrcfg"]["data"]["submgrcfg"]).meo)
        assert settings.admin_token_file == f"{mounts['mec-tokens']}/adminToken"
        assert settings.device_tokens_file == f"{mounts['mec-tokens']}/deviceTokens"
        assert settings.credentials_dir == mounts.get("mec-credentials", "")


def test_tls(chart):
    pod = pod_of(chart.render())["spec"]
    assert {each["name"] for each in pod["volumes"]} == {"config-volume", "tmp"}
    monitor = {"serviceMonitor": {"enabled": True}}
    manifests = chart.render({"submgr": {"tls": {"secret": "submgr-tls"}, **monitor}})
    template = pod_of(manifests)
    assert template["metadata"]["annotations"]["prometheus.io/scheme"] == "https"
    (container,) = template["spec"]["containers"]
    probes = [container[f"{name}Probe"]["httpGet"]["scheme"] for name in ("startup", "liveness", "readiness")]
    assert probes == ["HTTPS"] * 3
    (volume,) = [each for each in template["spec"]["volumes"] if each["name"] == "tls"]
    assert volume["secret"]["secretName"] == "submgr-tls"
    assert {"name": "tls", "mountPath": "/tls", "readOnly": True} in container["volumeMounts"]
    (endpoint,) = manifests["ServiceMonitor", "servicemonitor-ricplt-submgr"]["spec"]["endpoints"]
    assert (endpoint["scheme"], endpoint["tlsConfig"]["ca"]["secret"]["name"]) == ("https", "submgr-tls")
    tls = loaded(manifests).tls
    assert (tls.certificate, tls.key, tls.client_ca, tls.ca) == ("/tls/tls.crt", "/tls/tls.key", "", "")


def test_tls_with_client_certificates_and_neighbours(chart):
    given = {"secret": "s", "listeners": ["xapp"], "ownership": True, "rtmgr": True, "xapps": True}
    manifests = chart.render({"submgr": {"tls": given}})
    tls = loaded(manifests).tls
    assert (tls.has("xapp"), tls.has("platform"), tls.ownership, tls.client_ca) == (True, False, True, "/tls/ca.crt")
    assert (tls.ca, tls.own_certificate, tls.rtmgr, tls.xapps) == ("/tls/ca.crt", "/tls/tls.crt", True, True)
    template = pod_of(manifests)
    assert template["metadata"]["annotations"]["prometheus.io/scheme"] == "http"
    assert template["spec"]["containers"][0]["livenessProbe"]["httpGet"]["scheme"] == "HTTP"


def test_the_console_is_our_own_page_under_the_names_of_its_service(chart):
    assert loaded(chart.render({"submgr": {"debug": {"origins": ["https://ric"]}}})).debug.origins == ("https://ric",)
    elsewhere = loaded(chart.render("elsewhere")).debug.origins
    assert elsewhere and all(name.startswith("service-") for name in elsewhere)


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, "service-ricplt-rtmgr-rmr:4560"),
        ({"config": {"rtmgr": {"hostAddr": "service-x-rtmgr-http.x"}}}, "service-x-rtmgr-rmr.x:4560"),
        ({"routeManager": "routemgr.elsewhere:4560"}, "routemgr.elsewhere:4560"),
        ({"routeManager": "4561"}, "4561"),
    ],
)
def test_the_route_table_is_asked_for_at_the_rmr_service_of_the_routing_manager(chart, values, asked):
    env = chart.render({"submgr": values})["ConfigMap", "configmap-ricplt-submgr-env"]["data"]
    assert env["RMR_RTG_SVC"] == asked
    assert read_environment(env).manager == ("" if asked == "4561" else asked)
