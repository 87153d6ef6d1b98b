{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "submgr.namespace" -}}
{{- dig "namespace" "platform" "" (.Values.common | default dict) | default "ricplt" -}}
{{- end }}

{{/* <namespace>-submgr: what comes after deployment-, service- and so on in the platform's names */}}
{{- define "submgr.fullname" -}}
{{- include "submgr.namespace" . }}-submgr
{{- end }}

{{- define "submgr.labels" -}}
app: {{ include "submgr.fullname" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
release: {{ .Release.Name }}
heritage: {{ .Release.Service }}
app.kubernetes.io/name: submgr
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: near-rt-ric
{{- end }}

{{/* What the Deployment that is replaced selects by; a selector can never be changed. */}}
{{- define "submgr.selector" -}}
app: {{ include "submgr.fullname" . }}
release: {{ .Release.Name }}
{{- end }}

{{- define "submgr.registry" -}}
{{- .Values.submgr.image.registry | default (dig "localregistry" "" (.Values.common | default dict)) -}}
{{- end }}

{{/* Refuses the image of the Go implementation, which recipes of the platform name: it reads other settings. */}}
{{- define "submgr.image" -}}
{{- $image := .Values.submgr.image -}}
{{- if regexMatch "(^|/)ric-plt-submgr(:|@|$)" $image.name -}}
{{- fail (printf "submgr.image.name: %s is the image of the Go Subscription Manager. These templates start another program, and give it settings and probes that the Go one does not know. Name the image of this chart: --set submgr.image.name=ric-submgr --set submgr.image.tag=%s --set submgr.image.registry=<yours>" $image.name .Chart.AppVersion) -}}
{{- end -}}
{{- with include "submgr.registry" . }}{{ . }}/{{ end }}{{ $image.name }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The pull secrets that are named, else the one that the platform's installer makes for the registry. */}}
{{- define "submgr.pullSecrets" -}}
{{- $registry := include "submgr.registry" . -}}
{{- if .Values.submgr.imagePullSecrets -}}
{{- range .Values.submgr.imagePullSecrets }}
- name: {{ kindIs "string" . | ternary . (get (kindIs "string" . | ternary dict .) "name") }}
{{- end }}
{{- else if $registry }}
- name: secret-{{ regexReplaceAll "[.:/]" $registry "-" | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "submgr.debugSecret" -}}
{{- .Values.submgr.debug.existingSecret | default (printf "secret-%s-debug" (include "submgr.fullname" .)) -}}
{{- end }}

{{/* The Secret with the tokens of the MEC orchestrator; nothing when it has none. */}}
{{- define "submgr.mecTokens" -}}
{{- $mec := .Values.submgr.mec -}}
{{- if $mec.enabled -}}
{{- if $mec.tokens.secret -}}{{ $mec.tokens.secret -}}
{{- else if or $mec.meo.adminToken $mec.meo.deviceTokens -}}
{{- printf "secret-%s-mec" (include "submgr.fullname" .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Refuses an orchestrator that acts on a cluster for whoever reaches its port. */}}
{{- define "submgr.checkMec" -}}
{{- $mec := .Values.submgr.mec -}}
{{- $acts := or $mec.serviceAccount $mec.credentials.secret -}}
{{- range $driver := values ($mec.meo.drivers | default dict) -}}
{{- $acts = or $acts (has $driver (list "kubernetes" "openwhisk")) -}}
{{- end -}}
{{- if and $mec.enabled $acts (not $mec.tokens.secret) (not $mec.meo.adminToken) (not $mec.meo.adminTokenFile) -}}
{{- fail "submgr.mec: with a serviceAccount, credentials, or a driver for a cluster, whoever reaches port 8000 could deploy images: give submgr.mec.tokens.secret (a Secret with the key adminToken), or submgr.mec.meo.adminToken" -}}
{{- end -}}
{{- end }}

{{/* Of MEC: nothing; "daemon" where it is a part of the daemon; "replicas" where it is a Deployment of its own. */}}
{{- define "submgr.mecPlace" -}}
{{- with .Values.submgr.mec -}}
{{- if .enabled }}{{ ternary "replicas" "daemon" (gt (int .replicas) 1) }}{{ end -}}
{{- end -}}
{{- end }}

{{/* <namespace>-mec: the names of what replicas of MEC have of their own */}}
{{- define "submgr.mecName" -}}
{{- include "submgr.namespace" . }}-mec
{{- end }}

{{- define "submgr.mecSelector" -}}
app: {{ include "submgr.mecName" . }}
release: {{ .Release.Name }}
{{- end }}

{{- define "submgr.mecLabels" -}}
{{- include "submgr.mecSelector" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
heritage: {{ .Release.Service }}
app.kubernetes.io/name: mec
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: near-rt-ric
{{- end }}

{{/* What the Service and the NetworkPolicy of MEC select: the pods that it is in. */}}
{{- define "submgr.mecPods" -}}
{{- if eq (include "submgr.mecPlace" .) "replicas" }}{{ include "submgr.mecSelector" . }}{{ else }}{{ include "submgr.selector" . }}{{ end -}}
{{- end }}

{{- define "submgr.mecProxyName" -}}
{{- include "submgr.namespace" . }}-mec-proxy
{{- end }}

{{- define "submgr.mecProxySelector" -}}
app: {{ include "submgr.mecProxyName" . }}
release: {{ .Release.Name }}
{{- end }}

{{- define "submgr.mecProxyLabels" -}}
{{- include "submgr.mecProxySelector" . }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
heritage: {{ .Release.Service }}
app.kubernetes.io/name: mec-proxy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: near-rt-ric
{{- end }}

{{/* Volumes of MEC, and where they are mounted: data file, tokens, credentials */}}
{{- define "submgr.mecVolumes" -}}
{{- $mec := .Values.submgr.mec -}}
{{- with $mec.data.secret }}
- name: mec-data
  secret:
    secretName: {{ . }}
    items:
      - {key: {{ $mec.data.key }}, path: data.json, mode: 0440}
{{- end }}
{{- with include "submgr.mecTokens" . }}
- name: mec-tokens
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with $mec.credentials.secret }}
- name: mec-credentials
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "submgr.mecMounts" -}}
{{- if .Values.submgr.mec.data.secret }}
- {name: mec-data, mountPath: /mec, readOnly: true}
{{- end }}
{{- if include "submgr.mecTokens" . }}
- {name: mec-tokens, mountPath: /mec-tokens, readOnly: true}
{{- end }}
{{- if .Values.submgr.mec.credentials.secret }}
- {name: mec-credentials, mountPath: /mec-credentials, readOnly: true}
{{- end }}
{{- end }}

{{/* https where a port has TLS, else http: (list root "platform") */}}
{{- define "submgr.scheme" -}}
{{- $tls := (index . 0).Values.submgr.tls -}}
{{- if and $tls.secret (has (index . 1) $tls.listeners) }}https{{ else }}http{{ end -}}
{{- end }}

{{/* Who is asked for the route table at the start: the Routing Manager's RMR service. Its port 4561 refuses. */}}
{{- define "submgr.routeManager" -}}
{{- $http := .Values.submgr.config.rtmgr.hostAddr | default (printf "service-%s-rtmgr-http" (include "submgr.namespace" .)) -}}
{{- .Values.submgr.routeManager | default (printf "%s:4560" (replace "-http" "-rmr" $http)) -}}
{{- end }}

{{/* The affinity of the pods: two keep to different nodes where they can. */}}
{{- define "submgr.affinity" -}}
{{- $affinity := deepCopy .Values.submgr.affinity -}}
{{- if and (eq (int .Values.submgr.replicas) 2) (not (hasKey $affinity "podAntiAffinity")) }}
{{- $selector := dict "matchLabels" (include "submgr.selector" . | fromYaml) -}}
{{- $term := dict "labelSelector" $selector "topologyKey" "kubernetes.io/hostname" -}}
{{- $preferred := list (dict "weight" 100 "podAffinityTerm" $term) -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" $preferred) -}}
{{- end }}
{{- toYaml $affinity -}}
{{- end }}

{{/* The section `tls` of the configuration files; nothing without a Secret. */}}
{{- define "submgr.tls" -}}
{{- with .Values.submgr.tls -}}
{{- if .secret -}}
{{- $tls := dict "cert" "/tls/tls.crt" "key" "/tls/tls.key" "listeners" .listeners "ownership" .ownership -}}
{{- if or .clientCertificates .ownership }}{{ $_ := set $tls "clientCa" "/tls/ca.crt" }}{{ end -}}
{{- if or .rtmgr .xapps -}}
{{- $_ := merge $tls (dict "ca" "/tls/ca.crt" "ownCert" "/tls/tls.crt" "ownKey" "/tls/tls.key" "rtmgr" .rtmgr "xapps" .xapps) -}}
{{- end -}}
{{- toYaml $tls -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The section `tls` of MEC programs, which show each other the certificate of their ports. */}}
{{- define "submgr.mecTls" -}}
{{- with include "submgr.tls" . | fromYaml -}}
{{- toYaml (merge (omit . "rtmgr" "xapps" "ownership") (dict "ca" "/tls/ca.crt" "ownCert" "/tls/tls.crt" "ownKey" "/tls/tls.key")) -}}
{{- end -}}
{{- end }}

{{/* The sections of MEC of the configuration files. */}}
{{- define "submgr.mecSections" -}}
{{- with .Values.submgr.mec -}}
{{- $mec := omit . "data" "service" "from" "meo" "serviceAccount" "tokens" "credentials" "resources" "podDisruptionBudget" "proxy" -}}
{{- $_ := set $mec "host" ":8000" -}}
{{- if and .proxy.enabled (eq .proxyUrl "http://localhost:5000") -}}
{{- $_ := set $mec "proxyUrl" (printf "%s://service-%s-http.%s:5000" (include "submgr.scheme" (list $ "mec")) (include "submgr.mecProxyName" $) (include "submgr.namespace" $)) -}}
{{- end -}}
{{- if .data.secret }}{{ $_ := set $mec "dataFile" "/mec/data.json" }}{{ end -}}
{{- $meo := omit .meo "adminToken" "deviceTokens" -}}
{{- if or .tokens.secret .meo.adminToken }}{{ $_ := set $meo "adminTokenFile" "/mec-tokens/adminToken" }}{{ end -}}
{{- if or .tokens.deviceTokens .meo.deviceTokens }}{{ $_ := set $meo "deviceTokensFile" "/mec-tokens/deviceTokens" }}{{ end -}}
{{- if .credentials.secret }}{{ $_ := set $meo "credentialsDir" "/mec-credentials" }}{{ end -}}
{{- $sections := dict "mec" $mec -}}
{{- with $meo }}{{ $_ := set $sections "meo" . }}{{ end -}}
{{- toYaml $sections -}}
{{- end -}}
{{- end }}

{{/* The configuration file of replicas of MEC as a dict. */}}
{{- define "submgr.mecConfig" -}}
{{- include "submgr.checkMec" . -}}
{{- $config := include "submgr.mecSections" . | fromYaml -}}
{{- if and .Values.submgr.tls.secret (not .Values.submgr.mec.replicaName) -}}
{{- $_ := set $config.mec "replicaName" (printf "service-%s-mec-http.%s" (include "submgr.namespace" .) (include "submgr.namespace" .)) -}}
{{- end -}}
{{- $_ := set $config "sdl" (dict "backend" "redis") -}}
{{- $_ := set $config "logger" .Values.submgr.config.logger -}}
{{- $_ := set $config "outbound" .Values.submgr.config.outbound -}}
{{- with include "submgr.mecTls" . | fromYaml }}{{ $_ := set $config "tls" . }}{{ end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Changes restart the replicas of MEC. Outbound and orchestrator, but for its seed, apply to the running ones. */}}
{{- define "submgr.mecRestartsWith" -}}
{{- $config := include "submgr.mecConfig" . | fromYaml -}}
{{- $seed := get (get $config "meo" | default dict) "seed" -}}
{{- toYaml (dict "config" (omit $config "outbound" "meo") "seed" $seed) | sha256sum -}}
{{- end }}

{{/* The affinity of pods that keep to different nodes where they can: (list root "selector") */}}
{{- define "submgr.apart" -}}
{{- $affinity := deepCopy (index . 0).Values.submgr.affinity -}}
{{- if not (hasKey $affinity "podAntiAffinity") }}
{{- $selector := dict "matchLabels" (index . 1 | fromYaml) -}}
{{- $term := dict "labelSelector" $selector "topologyKey" "kubernetes.io/hostname" -}}
{{- $preferred := list (dict "weight" 100 "podAffinityTerm" $term) -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" $preferred) -}}
{{- end }}
{{- toYaml $affinity -}}
{{- end }}

{{/* The configuration file as a dict. */}}
{{- define "submgr.config" -}}
{{- $config := deepCopy .Values.submgr.config -}}
{{- $_ := set $config "subscription" (merge (dict "host" ":8088") $config.subscription) -}}
{{- $_ := set $config "local" (dict "host" ":8080") -}}
{{- $_ := set $config "rmr" (merge (dict "protPort" "tcp:4560") $config.rmr) -}}
{{- if not $config.rtmgr.hostAddr }}
{{- $_ := set $config.rtmgr "hostAddr" (printf "service-%s-rtmgr-http" (include "submgr.namespace" .)) -}}
{{- end }}
{{- $_ := set $config "sdl" (dict "backend" "redis") -}}
{{- $debug := pick .Values.submgr.debug "write" "strictOctets" -}}
{{- $origins := .Values.submgr.debug.origins -}}
{{- if ne (include "submgr.namespace" .) "ricplt" -}}
{{- $ns := include "submgr.namespace" . -}}
{{- $http := printf "service-%s-http" (include "submgr.fullname" .) -}}
{{- $origins = concat (list $http (printf "%s.%s" $http $ns) (printf "%s.%s.svc.cluster.local" $http $ns)) $origins -}}
{{- end -}}
{{- with $origins }}{{ $_ := set $debug "origins" . }}{{ end -}}
{{- $_ := set $config "debug" $debug -}}
{{- with include "submgr.tls" . | fromYaml }}{{ $_ := set $config "tls" . }}{{ end -}}
{{- include "submgr.checkMec" . -}}
{{- $_ := set $config "ha" (merge (dict "enabled" (eq (int .Values.submgr.replicas) 2)) $config.ha) -}}
{{- if eq (include "submgr.mecPlace" .) "daemon" }}{{ $_ := merge $config (include "submgr.mecSections" . | fromYaml) }}{{ end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Changes restart the pod. Level, controls, outbound and orchestrator, but for its seed, apply to the running one. */}}
{{- define "submgr.restartsWith" -}}
{{- $config := include "submgr.config" . | fromYaml -}}
{{- $seed := get (get $config "meo" | default dict) "seed" -}}
{{- $config = omit $config "logger" "controls" "outbound" "meo" -}}
{{- toYaml (dict "config" $config "seed" $seed "routes" .Values.submgr.seedRoutes) | sha256sum -}}
{{- end }}

{{/* A rule file or dashboard with the metrics' names as this installation has them: (list root "files/NAME") */}}
{{- define "submgr.metricNames" -}}
{{- $root := index . 0 -}}
{{- $text := $root.Files.Get (index . 1) -}}
{{- with $root.Values.submgr.config.metrics.namespace -}}
{{- $text = regexReplaceAll "\\b(SUBMGR_|RMR_(Trans|Rec|Enq|Drop|Send))" $text (printf "%s_${1}" .) -}}
{{- end -}}
{{- $text -}}
{{- end }}

{{/* NetworkPolicyPeers for a list of namespaces */}}
{{- define "submgr.namespaces" -}}
- namespaceSelector:
    matchExpressions:
      - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson (uniq .) }}}
{{- end }}
