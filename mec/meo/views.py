# SPDX-License-Identifier: Apache-2.0
"""The JSON that clients get of the model. It has no credentials."""

import re
from dataclasses import asdict
from typing import Any

from mec.meo.drivers.base import instance_id
from mec.meo.model import App, AppInfo, Context, Pair, Platform, Site
from mec.meo.placement import Rules, score
from mec.meo.resources import told_amounts
from mec.meo.service import Meo
from submgr.platform.masking import masked

_USERINFO = re.compile(r"(?<=://)[^/@]*@")


def app_info(info: AppInfo) -> dict[str, Any]:
    """AppInfo of an application list (MEC 016, 6.2.2)."""
    return {
        "appDId": info.app_d_id,
        "appName": info.name,
        "appProvider": info.provider,
        "appSoftVersion": info.soft_version,
        "appDVersion": info.d_version,
        "appDescription": info.description,
        **info.extra,
    }


def app(meo: Meo, one: App) -> dict[str, Any]:
    """An application, how many contexts it has, and what its lists name that is not there."""
    named = {name for support in one.supports for name in support.whitelist | support.blacklist}
    view: dict[str, Any] = {
        "appKey": one.key,
        "appInfo": app_info(one.info),
        "platforms": [
            {
                "type": support.type,
                "blacklist": sorted(support.blacklist),
                "whitelist": sorted(support.whitelist),
                "deployInfo": masked(support.deploy_info),
            }
            for support in one.supports
        ],
        "contexts": meo.state.count_of_app(one.key),
        "unknownPlatforms": sorted(named - meo.state.platforms.keys()),
    }
    if resources := told_amounts(one.needs):
        view["resources"] = resources
    if one.vendor_id is not None:
        view["vendorSpecificExt"] = {"vendorId": one.vendor_id}
    return view


def rules(of: Rules) -> dict[str, Any]:
    """The limits and the score of placement, by the names of their settings."""
    return {
        "maxLoad": of.max_load,
        "minKey": of.min_key,
        "score": of.score,
        "alpha": of.alpha,
        "telemetryTtl": of.telemetry_ttl,
        "latencyMargin": of.latency_margin,
    }


def platform(meo: Meo, one: Platform, for_app: App | None = None) -> dict[str, Any]:
    """A platform: whether a context (of `for_app`, or of any application) may go there, its score, and why not."""
    limits, now, site = meo.settings.rules, meo.clock(), meo.state.site(one.name)
    reasons = meo.why_not(one.name, for_app)
    known = site.load is not None and site.key is not None
    view: dict[str, Any] = {
        "name": one.name,
        "type": one.type,
        "endpointMgmt": _USERINFO.sub("", one.endpoint_mgmt),
        "endpointApps": _USERINFO.sub("", one.endpoint_apps),
        "eligible": not reasons,
        "score": score(site, limits) if known else None,
        "reasons": reasons,
        **_telemetry(site, now),
        "contexts": meo.state.count_at(one.name),
        "withdrawn": one.withdrawn,
    }
    if one.qkd is not None:
        view["qkd"] = {"kme": one.qkd.kme, "slaveSaeIds": list(one.qkd.slaves)}
    if one.location is not None:
        view["location"] = one.location
    if one.latency:
        view["latency"] = dict(one.latency)
    if one.capacity is not None:
        view["capacity"] = told_amounts(one.capacity)
        view["used"] = asdict(meo.state.occupancy.used(one.name))
    return view


def _telemetry(site: Site, now: float) -> dict[str, Any]:
    return {
        "load": site.load,
        "loadAge": None if site.load is None else max(now - site.load_at, 0.0),
        "key": site.key,
        "keyAge": None if site.key is None else max(now - site.key_at, 0.0),
    }


def app_context(meo: Meo, context: Context) -> dict[str, Any]:
    """AppContext as a device sees it (MEC 016, 6.2.3), with the address of its application."""
    wish = context.wish
    reference = meo.state.platforms[context.platform].endpoint_apps
    instance: dict[str, Any] = {"appInstanceId": instance_id(context.pair), "referenceURI": reference}
    if wish.location is not None:
        instance["appLocation"] = wish.location
    info = meo.state.apps[context.app_key].info
    view: dict[str, Any] = {
        "contextId": context.id,
        "appInfo": {
            **{name: value for name, value in app_info(info).items() if value and name not in info.extra},
            **wish.app_info,
            "userAppInstanceInfo": [instance],
        },
        "referenceURI": reference,
    }
    for name, value in (
        ("associateDevAppId", wish.device or None),
        ("callbackReference", wish.callback),
        ("appLocationUpdates", wish.location_updates),
        ("appAutoInstantiation", wish.auto_instantiation),
    ):
        if value is not None:
            view[name] = value
    return view


def deployment(meo: Meo, pair: Pair) -> dict[str, Any]:
    """How far an application on a platform is. `since`: s since 1970, 0 when nobody knows."""
    readiness = meo.deployment_states.of(pair)
    return {
        "deploymentId": instance_id(pair),
        "appKey": pair.app_key,
        "platform": pair.platform,
        "state": readiness.state.value if meo.deployments.held(pair) else "removing",
        "message": readiness.message,
        "since": readiness.since,
        "contexts": len(meo.state.users_of(pair)),
    }


def context(meo: Meo, one: Context) -> dict[str, Any]:
    """A context as an operator sees it: where it is, how far its deployment is, and why it moved."""
    told = deployment(meo, one.pair)
    return {
        **app_context(meo, one),
        "appKey": one.app_key,
        "platform": one.platform,
        "deployment": {name: told[name] for name in ("deploymentId", "state", "message")},
        "createdAt": one.created_at,
        "moves": [
            {"at": move.at, "origin": move.origin, "target": move.target, "reason": move.reason, "told": move.told}
            for move in one.moves
        ],
    }
