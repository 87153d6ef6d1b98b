# SPDX-License-Identifier: Apache-2.0
"""`/dev_app/v1` as a device application sees it (ETSI GS MEC 016)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.mec.meo_world import World, app

INFO = {"appName": "app", "appProvider": "provider", "appDVersion": "1"}
PARIS = {"countryCode": "FR", "civicAddressElement": [{"caType": 3, "caValue": "Paris"}]}


def body(**more: Any) -> dict[str, Any]:
    return {"associateDevAppId": "device", "callbackReference": "http://device/cb", "appInfo": INFO, **more}


@pytest.fixture(autouse=True)
def one_platform(world: World) -> None:
    world.inventory.add_app(app())
    world.platform("p1")


def test_create_and_delete(client: FlaskClient, world: World) -> None:
    given = body(
        appLocationUpdates=True,
        appAutoInstantiation=False,
        appInfo={
            **INFO,
            "appDescription": "as the device calls it",
            "appPackageSource": "http://packages/app",
            "userAppInstanceInfo": [{"appLocation": PARIS}],
        },
    )
    created = client.post("/dev_app/v1/app_contexts", json=given)
    assert created.status_code == 201
    view = created.get_json()
    assert created.headers["Location"] == f"/dev_app/v1/app_contexts/{view['contextId']}"
    # what was in the request is in the answer
    for name in ("associateDevAppId", "callbackReference", "appLocationUpdates", "appAutoInstantiation"):
        assert view[name] == given[name]
    (instance,) = view["appInfo"].pop("userAppInstanceInfo")
    assert view["appInfo"] == {
        **INFO,
        "appDId": "id-app",
        "appSoftVersion": "1.0",
        "appDescription": "as the device calls it",
        "appPackageSource": "http://packages/app",
    }
    assert instance.pop("appInstanceId")
    assert instance == {"referenceURI": "http://p1/", "appLocation": PARIS}
    assert client.delete(created.headers["Location"] + "/").status_code == 204
    assert client.delete(created.headers["Location"]).status_code == 404
    world.finish()
    assert world.present() == {}


def test_rejected(client: FlaskClient, world: World) -> None:
    world.inventory.tell("p1", key=0.0)
    answer = client.post("/dev_app/v1/app_contexts", json=body())
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["reasons"] == {"p1": "key availability 0 is under 0.1"}


def test_unknown_application(client: FlaskClient) -> None:
    answer = client.post("/dev_app/v1/app_contexts", json=body(appInfo={**INFO, "appName": "none"}))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"associateDevAppId": None}, "associateDevAppId"),
        ({"associateDevAppId": "x" * 33}, "associateDevAppId"),
        ({"contextId": "x" * 33}, "contextId"),
        ({"callbackReference": "ftp://device/"}, "callbackReference"),
        ({"callbackReference": "http://device:70000/"}, "callbackReference"),
        ({"callbackReference": "http:///path"}, "callbackReference"),
        ({"appLocationUpdates": "yes"}, "appLocationUpdates"),
        ({"appLocationUpdates": True, "appAutoInstantiation": True}, "appAutoInstantiation"),
        ({"appInfo": None}, "appInfo"),
        ({"appInfo": {**INFO, "appName": None}}, "appInfo.appName"),
        ({"appInfo": {**INFO, "appProvider": None}}, "appInfo.appProvider"),
        ({"appInfo": {**INFO, "appDVersion": None}}, "appInfo.appDVersion"),
        ({"appInfo": {**INFO, "appName": "x" * 33}}, "appInfo.appName"),
        ({"appInfo": {**INFO, "appProvider": "x" * 33}}, "appInfo.appProvider"),
        ({"appInfo": {**INFO, "appSoftVersion": "x" * 33}}, "appInfo.appSoftVersion"),
        ({"appInfo": {**INFO, "appDescription": "x" * 129}}, "appInfo.appDescription"),
        ({"appInfo": {**INFO, "appPackageSource": "here"}}, "appInfo.appPackageSource"),
        ({"appInfo": {**INFO, "userAppInstanceInfo": {}}}, "appInfo.userAppInstanceInfo"),
        (
            {"appInfo": {**INFO, "userAppInstanceInfo": [{"appLocation": {"countryCode": "F"}}]}},
            "appInfo.userAppInstanceInfo[0].appLocation.countryCode",
        ),
    ],
)
def test_wrong_contexts(client: FlaskClient, world: World, change: dict[str, Any], field: str) -> None:
    answer = client.post("/dev_app/v1/app_contexts", json=body(**change))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    assert world.meo.state.contexts == {}


def test_lengths_at_the_limit(client: FlaskClient, world: World) -> None:
    long = "n" * 32
    info = replace(app().info, name=long, provider=long, soft_version=long)
    world.inventory.add_app(replace(app(), info=info))
    wanted = {"appName": long, "appProvider": long, "appSoftVersion": long, "appDVersion": "1"}
    answer = client.post(
        "/dev_app/v1/app_contexts",
        json=body(associateDevAppId="d" * 32, appInfo={**wanted, "appDescription": "d" * 128}),
    )
    assert answer.status_code == 201


def test_update(client: FlaskClient, world: World) -> None:
    created = client.post("/dev_app/v1/app_contexts", json=body()).get_json()
    path = f"/dev_app/v1/app_contexts/{created['contextId']}"
    changed = {**created, "callbackReference": "http://elsewhere/"}
    changed["appInfo"]["userAppInstanceInfo"][0]["appLocation"] = PARIS
    assert client.put(path, json=changed).status_code == 204
    wish = world.meo.state.contexts[created["contextId"]].wish
    assert (wish.callback, wish.location) == ("http://elsewhere/", PARIS)
    # the rest is left as it is
    assert client.put(path + "/", json={"associateDevAppId": "device", "appInfo": INFO}).status_code == 204
    assert world.meo.state.contexts[created["contextId"]].wish == wish
    world.restart()
    assert world.meo.state.contexts[created["contextId"]].wish == wish


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"associateDevAppId": "another"}, "associateDevAppId"),
        ({"contextId": "another"}, "contextId"),
        ({"appLocationUpdates": True}, "appLocationUpdates"),
        ({"appInfo": {**INFO, "appName": "another"}}, "appInfo"),
        ({"appInfo": {**INFO, "appDVersion": "2"}}, "appInfo"),
    ],
)
def test_nothing_else_can_be_updated(client: FlaskClient, world: World, change: dict[str, Any], field: str) -> None:
    created = client.post("/dev_app/v1/app_contexts", json=body()).get_json()
    before = world.meo.state.contexts[created["contextId"]]
    path = f"/dev_app/v1/app_contexts/{created['contextId']}"
    answer = client.put(path, json=body(callbackReference="http://elsewhere/", **change))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    assert world.meo.state.contexts[created["contextId"]] == before


def test_update_of_nothing(client: FlaskClient) -> None:
    assert client.put("/dev_app/v1/app_contexts/none", json=body()).status_code == 404


def test_application_list_and_its_filters(client: FlaskClient, world: World) -> None:
    extra = {"appCharcs": {"serviceCont": 1}}
    second = replace(app("second"), vendor_id="vendor")
    world.inventory.add_app(replace(second, info=replace(second.info, soft_version="2.0", extra=extra)))

    def names(query: str = "") -> list[str]:
        answer = client.get(f"/dev_app/v1/app_list{query}")
        assert answer.status_code == 200
        return [entry["appInfo"]["appName"] for entry in answer.get_json()["appList"]]

    assert names() == names("/") == ["app", "second"]
    assert names("?appName=app") == ["app"]
    assert names("?appName=app&appName=second") == names("?appName=app,second") == ["app", "second"]
    assert names("?appName=app&appSoftVersion=2.0") == []
    assert names("?appSoftVersion=2.0&appProvider=provider") == ["second"]
    assert names("?vendorId=vendor") == ["second"]
    assert names("?serviceCont=1") == ["second"]
    assert names("?serviceCont=0") == ["app"]
    assert client.get("/dev_app/v1/app_list?serviceCont=2").status_code == 400
    assert client.get(f"/dev_app/v1/app_list?appName={'x' * 33}").status_code == 400
    refused = client.get("/dev_app/v1/app_list?appname=app")
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    assert client.get("/dev_app/v1/app_contexts/some?x=1").status_code in (400, 405)
    entry = client.get("/dev_app/v1/app_list?appName=second").get_json()["appList"][0]
    assert entry["vendorSpecificExt"] == {"vendorId": "vendor"}
    assert entry["appInfo"]["appCharcs"] == {"serviceCont": 1}
    world.inventory.remove_app(app().key)
    assert names() == ["second"]


def test_where_an_application_can_be(client: FlaskClient, world: World) -> None:
    place = world.meo.state.platforms["p1"]
    for name, location in (("p2", PARIS), ("p3", {"countryCode": "IT"}), ("p4", PARIS)):
        world.inventory.add_platform(replace(place, name=name, location=location))
    answer = client.post(
        "/dev_app/v1/obtain_app_loc_availability", json={"associateDevAppId": "device", "appInfo": INFO}
    )
    assert answer.status_code == 200
    assert answer.get_json() == {
        "associateDevAppId": "device",
        "appInfo": {**INFO, "availableLocations": [{"appLocation": PARIS}, {"appLocation": {"countryCode": "IT"}}]},
    }
    known = world.meo.state.apps[app().key]
    world.meo.state.put_app(replace(known, info=replace(known.info, extra={"appLocation": [PARIS]})))
    answer = client.post("/dev_app/v1/obtain_app_loc_availability", json={"associateDevAppId": "d", "appInfo": INFO})
    assert answer.get_json()["appInfo"]["availableLocations"] == [{"appLocation": PARIS}]
    unknown = {"associateDevAppId": "d", "appInfo": {**INFO, "appName": "x"}}
    for wrong, status in (({"appInfo": INFO}, 400), (unknown, 404)):
        assert client.post("/dev_app/v1/obtain_app_loc_availability", json=wrong).status_code == status


def test_device_tokens_may_be_in_a_file_one_a_line(client: FlaskClient, world: World, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("one\n\n two \n")
    world.orchestrator.reconfigure(replace(world.settings, device_tokens_file=str(tmp_path / "tokens")))
    found = [
        client.get("/dev_app/v1/app_list", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in ("one", "two", "", "three")
    ]
    assert found == [200, 200, 401, 401]


def test_a_device_token_is_needed_when_there_are_some(client: FlaskClient, world: World) -> None:
    world.orchestrator.reconfigure(replace(world.settings, device_tokens=("one", "two")))
    assert client.get("/dev_app/v1/app_list").status_code == 401
    assert client.post("/dev_app/v1/app_contexts", json=body()).status_code == 401
    for token in ("one", "two"):
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/dev_app/v1/app_list", headers=headers).status_code == 200
    assert client.get("/meo/v1/apps").status_code == 200
