# SPDX-License-Identifier: Apache-2.0
"""`/meo/v1` as a client sees it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.mec.meo_world import World

APP = {
    "appInfo": {
        "appDId": "d",
        "appName": "game",
        "appProvider": "acme",
        "appSoftVersion": "1.0",
        "appDVersion": "2",
        "appDescription": "a game",
    },
    "platforms": [{"type": "noop", "blacklist": ["black"], "whitelist": [], "deployInfo": {"image": "game:1"}}],
}
CONTEXT = {"associateDevAppId": "device", "appInfo": dict(APP["appInfo"])}
KEY = "d+game+acme+1.0+2"


def platform(name: str = "p1", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "noop",
        "credentials": "open sesame",
        "endpointMgmt": "http://mgmt/",
        "endpointApps": f"http://{name}/",
        **more,
    }


def ready(client: FlaskClient, *names: str) -> None:
    """The application and platforms that can take contexts."""
    assert client.post("/meo/v1/apps", json=APP).status_code == 201
    for name in names:
        assert client.post("/meo/v1/platforms", json=platform(name)).status_code == 201
        assert client.post(f"/meo/v1/platforms/{name}/load", json={"value": 0.2}).status_code == 204
        assert client.post(f"/meo/v1/platforms/{name}/key", json={"value": 0.5}).status_code == 204


def test_applications(client: FlaskClient) -> None:
    assert client.get("/meo/v1/apps").json == []
    created = client.post("/meo/v1/apps", json=APP)
    assert created.status_code == 201
    assert created.json is not None
    assert created.json["appKey"] == KEY
    assert created.json["unknownPlatforms"] == ["black"]
    assert client.get(created.headers["Location"]).json == created.json
    (listed,) = client.get("/meo/v1/apps/").get_json()
    assert listed["appInfo"] == APP["appInfo"]
    assert listed["platforms"] == APP["platforms"]
    assert client.post("/meo/v1/apps", json=APP).status_code == 409
    for key in (KEY, "dgameacme1.02"):
        assert client.delete(f"/meo/v1/apps/{key}").status_code == 204
        assert client.delete(f"/meo/v1/apps/{key}/").status_code == 404
        assert client.post("/meo/v1/apps/", json=APP).status_code == 201


def test_platforms(client: FlaskClient) -> None:
    created = client.post("/meo/v1/platforms/", json=platform())
    assert created.status_code == 201
    assert client.post("/meo/v1/platforms", json=platform()).status_code == 409
    (view,) = client.get("/meo/v1/platforms").get_json()
    assert view["eligible"] is False
    assert len(view["reasons"]) == 2
    client.post("/meo/v1/platforms/p1/load/", json={"value": 0.25})
    client.post("/meo/v1/platforms/p1/key", json={"value": 1})
    view = client.get("/meo/v1/platforms/p1").get_json()
    assert (view["eligible"], view["score"], view["reasons"]) == (True, 0.75, [])
    assert client.delete("/meo/v1/platforms/p1").status_code == 204
    assert client.get("/meo/v1/platforms").json == []
    for gone in (client.get, client.delete):
        assert gone("/meo/v1/platforms/p1").status_code == 404
    assert client.post("/meo/v1/platforms/p1/load", json={"value": 0.5}).status_code == 404


def test_credentials_never_come_back(client: FlaskClient, caplog: pytest.LogCaptureFixture, world: World) -> None:
    caplog.set_level("DEBUG")
    secret = platform(
        credentials={"token": "open sesame"},
        endpointMgmt="http://user:open sesame@mgmt/".replace(" ", "-"),
        qkd={"kme": "kme:1", "slaveSaeIds": ["a"], "cert": "/the.pem", "key": "/the.key"},
    )
    told = [client.post("/meo/v1/platforms", json=secret)]
    told += [client.get("/meo/v1/platforms"), client.get("/meo/v1/platforms/p1")]
    told += [client.post("/meo/v1/platforms", json=given) for given in (secret, {**secret, "name": 1})]
    told.append(client.get("/meo/v1/platforms?appKey="))
    assert [answer.status_code for answer in told] == [201, 200, 200, 409, 400, 200]
    for answer in told:
        assert "sesame" not in answer.get_data(as_text=True)
    assert "sesame" not in caplog.text
    assert "sesame" not in repr(world.meo.state.platforms)


@pytest.mark.parametrize(
    "body",
    [
        b'{"value": -0.01}', b'{"value": 1.01}', b'{"value": NaN}', b'{"value": Infinity}', b'{"value": 1e999}',
        b'{"value": "0.5"}', b'{"value": true}', b'{"value": null}', b"{}", b"0.5", b"", b"\xff", b'{"value": 0.5',
        b"[" * 10_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("what", ["load", "key"])
def test_telemetry_that_is_none(client: FlaskClient, world: World, what: str, body: bytes) -> None:
    client.post("/meo/v1/platforms", json=platform())
    answer = client.post(f"/meo/v1/platforms/p1/{what}", data=body)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert world.meo.state.site("p1").load is world.meo.state.site("p1").key is None


def test_capacity_and_what_is_used_of_it(client: FlaskClient) -> None:
    client.post("/meo/v1/apps", json={**APP, "resources": {"cpu": 0.5, "memory": 100}})
    assert client.get(f"/meo/v1/apps/{KEY.replace('+', '%2B')}").get_json()["resources"] == {"cpu": 0.5, "memory": 100}
    told = {"contexts": 1, "cpu": 2, "memory": 256}
    created = client.post("/meo/v1/platforms", json=platform(capacity=told, latency={"z1": 5}))
    assert (created.get_json()["capacity"], created.get_json()["latency"]) == (told, {"z1": 5})
    for what, value in (("load", 0.2), ("key", 0.5)):
        client.post(f"/meo/v1/platforms/p1/{what}", json={"value": value})
    assert client.post("/meo/v1/contexts", json=CONTEXT).status_code == 201
    view = client.get("/meo/v1/platforms/p1").get_json()
    assert view["used"] == {"contexts": 1, "cpu": 0.5, "memory": 100, "storage": 0, "bandwidth": 0}
    full = ["no room: it has 1 of 1 contexts"]
    assert (view["eligible"], view["reasons"]) == (False, full)
    (listed,) = client.get(f"/meo/v1/platforms?appKey={KEY.replace('+', '%2B')}").get_json()
    assert (listed["eligible"], listed["reasons"]) == (False, full)
    for path in ("select", "contexts"):
        refused = client.post(f"/meo/v1/{path}", json=CONTEXT)
        assert (refused.status_code, refused.get_json()["reasons"]) == (403, {"p1": full[0]})


def test_a_capacity_may_change(client: FlaskClient, world: World) -> None:
    ready(client, "p1")
    for capacity, status in (({"contexts": 1}, 201), ({"contexts": 1}, 403), ({"contexts": 2, "cpu": 4.5}, 201)):
        assert client.post("/meo/v1/platforms/p1/capacity", json=capacity).status_code == 204
        assert client.post("/meo/v1/contexts", json=CONTEXT).status_code == status
    assert client.post("/meo/v1/platforms/p1/capacity", json={"contexts": 0}).status_code == 204
    assert world.meo.state.count_at("p1") == 2
    assert client.post("/meo/v1/platforms/p1/capacity", json={"contexts": "many"}).status_code == 400
    assert client.post("/meo/v1/platforms/p2/capacity", json={}).status_code == 404
    world.restart()
    assert world.meo.why_not("p1") == ["no room: it has 2 of 0 contexts"]


def test_the_zone_of_a_platform_may_stand_beside_its_location(client: FlaskClient) -> None:
    created = client.post("/meo/v1/platforms", json=platform(zone="z1", location={"countryCode": "NO"}))
    assert created.get_json()["location"] == {"zone": "z1", "countryCode": "NO"}
    assert client.post("/meo/v1/platforms", json=platform("p2", zone="z2")).get_json()["location"] == {"zone": "z2"}


def test_a_capacity_may_be_a_bare_number_of_contexts(client: FlaskClient) -> None:
    assert client.post("/meo/v1/platforms", json=platform(capacity=3)).get_json()["capacity"] == {"contexts": 3}


def test_latencies_are_told_by_zone(client: FlaskClient, world: World) -> None:
    ready(client, "p1", "p2")
    for name, value in (("p1", 20), ("p2", 3.5)):
        path = f"/meo/v1/platforms/{name}/latency"
        assert client.post(path, json={"zone": "z1", "value": value}).status_code == 204
    wanted = {**CONTEXT, "appInfo": {**CONTEXT["appInfo"], "userAppInstanceInfo": [{"appLocation": {"zone": "z1"}}]}}
    assert {client.post("/meo/v1/select", json=wanted).get_json()["platform"] for _ in range(9)} == {"p2"}
    assert client.get("/meo/v1/platforms/p2").get_json()["latency"] == {"z1": 3.5}
    for wrong in ({"zone": "z1"}, {"value": 1}, {"zone": "z1", "value": -1}, {"zone": "z1", "value": 1e9}):
        assert client.post("/meo/v1/platforms/p1/latency", json=wrong).status_code == 400
    assert client.post("/meo/v1/platforms/p3/latency", json={"zone": "z1", "value": 1}).status_code == 404
    full = {"latency": {str(number): 1.0 for number in range(1000)}}
    assert client.post("/meo/v1/platforms", json=platform("p4", **full)).status_code == 201
    assert client.post("/meo/v1/platforms/p4/latency", json={"zone": "z1", "value": 1}).status_code == 409


def test_context(client: FlaskClient, world: World) -> None:
    ready(client, "p1")
    created = client.post("/meo/v1/contexts/", json=CONTEXT)
    assert created.status_code == 201
    view = created.get_json()
    assert view["referenceURI"] == "http://p1/"
    assert view["platform"] == "p1"
    assert 0 < len(view["contextId"]) <= 32
    assert client.get(created.headers["Location"]).json == view
    assert client.get("/meo/v1/contexts").json == [view]
    assert client.get("/meo/v1/contexts?platform=p2").json == []
    assert client.get(f"/meo/v1/contexts?appKey={KEY.replace('+', '%2B')}").json == [view]
    assert client.get("/meo/v1/apps").get_json()[0]["contexts"] == 1
    path = f"/meo/v1/contexts/{view['contextId']}"
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert client.get(path).status_code == 404
    world.finish()
    assert world.present() == {}


def test_rejected_and_unknown(client: FlaskClient) -> None:
    ready(client, "p1", "black")
    client.post("/meo/v1/platforms/p1/load", json={"value": 0.9})
    for path in ("/meo/v1/contexts", "/meo/v1/select"):
        answer = client.post(path, json=CONTEXT)
        assert answer.status_code == 403
        assert answer.content_type == "application/problem+json"
        problem = answer.get_json()
        assert problem["reasons"] == {
            "p1": "load 0.9 is over 0.8",
            "black": "on the blacklist of the application",
        }
        other = {**CONTEXT, "appInfo": {**APP["appInfo"], "appName": "chess"}}
        assert client.post(path, json=other).status_code == 404
        assert client.post(path, json={}).status_code == 400


def test_eligibility_for_an_application(client: FlaskClient) -> None:
    ready(client, "p1", "black")
    views = client.get("/meo/v1/platforms", query_string={"appKey": KEY}).get_json()
    assert {view["name"]: view["eligible"] for view in views} == {"p1": True, "black": False}
    views = client.get("/meo/v1/platforms").get_json()
    assert all(view["eligible"] for view in views)
    assert client.get("/meo/v1/platforms?appKey=nothing").status_code == 404


def test_select_deploys_nothing(client: FlaskClient, world: World) -> None:
    ready(client, "p1", "p2")
    chosen = {client.post("/meo/v1/select", json=CONTEXT).get_json()["platform"] for _ in range(30)}
    assert chosen == {"p1", "p2"}
    assert world.present() == {}
    assert client.get("/meo/v1/contexts").json == []


def test_optimise(client: FlaskClient) -> None:
    ready(client, "p1")
    context = client.post("/meo/v1/contexts", json=CONTEXT).get_json()
    assert client.post("/meo/v1/optimize").json == []
    client.post("/meo/v1/platforms/p1/load", json={"value": 0.95})
    assert client.post("/meo/v1/optimize?dry_run=true").json == []
    client.post("/meo/v1/platforms", json=platform("p2"))
    for what, value in (("load", 0.1), ("key", 0.9)):
        client.post(f"/meo/v1/platforms/p2/{what}", json={"value": value})
    expected = [{"contextId": context["contextId"], "origin": "p1", "target": "p2", "reason": "load 0.95 is over 0.8"}]
    for _ in range(2):
        assert client.post("/meo/v1/optimize/?dry_run=true").json == expected
    assert client.post("/meo/v1/optimize?dry_run=perhaps").status_code == 400
    assert client.post("/meo/v1/optimize?dry_run=false").json == expected
    moved = client.get(f"/meo/v1/contexts/{context['contextId']}").get_json()
    assert moved["referenceURI"] == "http://p2/"
    assert [(move["origin"], move["target"], move["told"]) for move in moved["moves"]] == [("p1", "p2", "no callback")]


def test_a_withdrawn_platform_shows_where_its_contexts_went(client: FlaskClient) -> None:
    ready(client, "p1")
    context = client.post("/meo/v1/contexts", json=CONTEXT).get_json()
    for what, value in (("load", 0.1), ("key", 0.9)):
        client.post("/meo/v1/platforms", json=platform("p2"))
        client.post(f"/meo/v1/platforms/p2/{what}", json={"value": value})
    assert client.delete("/meo/v1/platforms/p1").status_code == 204
    moved = client.get(f"/meo/v1/contexts/{context['contextId']}").get_json()
    assert moved["platform"] == "p2"
    assert moved["moves"][0]["reason"] == "the platform is withdrawn"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"appInfo": None}, "appInfo"),
        ({"appInfo": []}, "appInfo"),
        ({"appInfo": {**APP["appInfo"], "appName": None}}, "appInfo.appName"),
        ({"appInfo": {**APP["appInfo"], "appName": ""}}, "appInfo.appName"),
        ({"appInfo": {**APP["appInfo"], "appName": "x" * 33}}, "appInfo.appName"),
        ({"appInfo": {**APP["appInfo"], "appProvider": "x" * 33}}, "appInfo.appProvider"),
        ({"appInfo": {**APP["appInfo"], "appSoftVersion": "x" * 33}}, "appInfo.appSoftVersion"),
        ({"appInfo": {**APP["appInfo"], "appDescription": "x" * 129}}, "appInfo.appDescription"),
        ({"appInfo": {**APP["appInfo"], "appDVersion": 2}}, "appInfo.appDVersion"),
        ({"appInfo": {**APP["appInfo"], "appDId": "a\nb"}}, "appInfo.appDId"),
        ({"appInfo": {**APP["appInfo"], "appCharcs": {"memory": -1}}}, "appInfo.appCharcs.memory"),
        ({"appInfo": {**APP["appInfo"], "appLocation": [{}]}}, "appInfo.appLocation[0].countryCode"),
        ({"platforms": []}, "platforms"),
        ({"platforms": "noop"}, "platforms"),
        ({"platforms": [{}]}, "platforms[0].type"),
        ({"platforms": [{"type": "a", "whitelist": [1]}]}, "platforms[0].whitelist[0]"),
        ({"vendorSpecificExt": {}}, "vendorSpecificExt.vendorId"),
        ({"resources": {"cpu": -1}}, "resources.cpu"),
        ({"resources": {"memory": 1.5}}, "resources.memory"),
        ({"resources": []}, "resources"),
    ],
)
def test_wrong_applications(client: FlaskClient, change: dict[str, Any], field: str) -> None:
    answer = client.post("/meo/v1/apps", json={**APP, **change})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    assert client.get("/meo/v1/apps").json == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"endpointApps": None}, "endpointApps"),
        ({"endpointApps": "http://a b/"}, "endpointApps"),
        ({"endpointMgmt": 5}, "endpointMgmt"),
        ({"qkd": {}}, "qkd.kme"),
        ({"qkd": {"kme": "kme:1", "slaveSaeIds": []}}, "qkd.slaveSaeIds"),
        ({"qkd": {"kme": "ftp://kme", "slaveSaeIds": ["a"]}}, "qkd.kme"),
        ({"location": {"countryCode": "de"}}, "location.countryCode"),
        ({"location": {"area": {"coordinates": [[[1]]]}}}, "location.area.coordinates"),
        ({"location": {"area": {"coordinates": [[[1, 10**400]]]}}}, "location.area.coordinates"),
        ({"location": {"area": {"coordinates": [[[1, 1]] * 1001]}}}, "location.area.coordinates"),
        ({"location": {"zone": ""}}, "location.zone"),
        ({"capacity": -1}, "capacity"),
        ({"capacity": True}, "capacity"),
        ({"capacity": "3"}, "capacity"),
        ({"capacity": {"contexts": 1.5}}, "capacity.contexts"),
        ({"capacity": {"cpu": 1e9}}, "capacity.cpu"),
        ({"latency": {"z1": -1}}, "latency.z1"),
        ({"latency": {str(number): 1 for number in range(1001)}}, "latency"),
    ],
)
def test_wrong_platforms(client: FlaskClient, change: dict[str, Any], field: str) -> None:
    answer = client.post("/meo/v1/platforms", json={**platform(), **change})
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.get_json()["errors"]]
    assert client.get("/meo/v1/platforms").json == []


def test_what_contradicts_itself_or_the_drivers(client: FlaskClient) -> None:
    twice = client.post("/meo/v1/apps", json={**APP, "platforms": [{"type": "a"}, {"type": "a"}]})
    unknown = client.post("/meo/v1/platforms", json=platform(type="unheard of"))
    assert (twice.status_code, unknown.status_code) == (409, 409)
    assert [error["field"] for error in twice.get_json()["errors"]] == ["platforms[1].type"]
    assert "there is no driver for platforms of type unheard of" in unknown.get_json()["detail"]


def test_all_mistakes_are_told_at_once(client: FlaskClient) -> None:
    answer = client.post("/meo/v1/platforms", json={"name": "a/b", "endpointApps": 1})
    assert {error["field"] for error in answer.get_json()["errors"]} == {"name", "type", "endpointApps"}


def test_an_admin_token_is_needed_when_there_is_one(client: FlaskClient, world: World) -> None:
    world.orchestrator.reconfigure(replace(world.settings, admin_token="let-me-in"))
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic let-me-in"}):
        answer = client.get("/meo/v1/apps", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.content_type == "application/problem+json"
    assert client.get("/meo/v1/apps", headers={"Authorization": "Bearer let-me-in"}).status_code == 200
    assert client.get("/dev_app/v1/app_list").status_code == 200


def test_the_admin_token_may_be_in_a_file_that_changes(client: FlaskClient, world: World, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    world.orchestrator.reconfigure(replace(world.settings, admin_token_file=str(file)))

    def status(token: str) -> int:
        return client.get("/meo/v1/apps", headers={"Authorization": f"Bearer {token}"}).status_code

    assert [status("first"), status("second")] == [200, 401]
    file.write_text("second")
    assert [status("first"), status("second")] == [401, 200]
    file.write_text("")  # is no open door
    assert [status("second"), client.get("/meo/v1/apps").status_code] == [401, 401]


def test_credentials_may_be_in_files_and_then_nowhere_else(client: FlaskClient, world: World, tmp_path: Path) -> None:
    (tmp_path / "oslo").write_text("open sesame")
    world.orchestrator.reconfigure(replace(world.settings, credentials_dir=str(tmp_path)))
    platform = {"name": "oslo", "type": "noop", "endpointApps": "http://oslo/"}
    for wrong in ("open sesame", {"secret": "bergen"}, {"secret": "../oslo"}):
        answer = client.post("/meo/v1/platforms", json={**platform, "credentials": wrong})
        assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (409, "credentials")
    assert client.post("/meo/v1/platforms", json={**platform, "credentials": {"secret": "oslo"}}).status_code == 201
    assert b"sesame" not in str(world.store.read_all("meo_platforms")).encode()


def test_changes_of_operators_are_audited_and_telemetry_is_not(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    ready(client, "p1")
    client.post("/meo/v1/platforms/p1/load", json={"value": 0.5})
    client.get("/meo/v1/platforms")
    lines = [(record.msg, record.args, vars(record)["path"]) for record in caplog.records if "audit" in record.name]
    assert {path for _, _, path in lines} == {"/meo/v1/apps", "/meo/v1/platforms"}


def test_a_store_that_is_away_is_told(client: FlaskClient, world: World) -> None:
    ready(client, "p1")
    context = client.post("/meo/v1/contexts", json=CONTEXT).get_json()
    world.finish()
    world.store.stop()
    for answer in (
        client.post("/meo/v1/contexts", json=CONTEXT),
        client.delete(f"/meo/v1/contexts/{context['contextId']}"),
        client.post("/meo/v1/platforms", json=platform("p2")),
        client.delete("/meo/v1/platforms/p1"),
        client.delete(f"/meo/v1/apps/{KEY}"),
    ):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
    assert client.get("/meo/v1/contexts").json == [context]
    world.store.start()
    assert client.delete(f"/meo/v1/contexts/{context['contextId']}").status_code == 204


def test_documents(client: FlaskClient) -> None:
    for base in ("/meo/v1", "/dev_app/v1"):
        document = client.get(f"{base}/openapi.json").get_json()
        assert document["servers"] == [{"url": base}]
        assert client.get(f"{base}/openapi.yaml").status_code == 200
